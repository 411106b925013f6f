from music_composer.cli.main import main

if __name__ == "__main__":
    main()
