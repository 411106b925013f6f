from music_composer.cli import main

if __name__ == "__main__":
    main()
