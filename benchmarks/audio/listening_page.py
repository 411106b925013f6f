"""A page to listen to: of each held-out track the prompt, what truly follows, and what every player made of it.

    python benchmarks/audio/listening_page.py WORK [--albums NAME ...] [--tracks 4] --out PAGE.html

WORK is that of albums.py, which plays and keeps everything. The page links the sounds where they are; spectrograms are
drawn beside it, in PAGE/. The music of albums is somebody's: keep the page to yourself.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from music_composer.audio.continuation.metadata import read_cut
from music_composer.audio.options import FrameOptions
from music_composer.audio.plots import plot_spectrogram
from music_composer.files.atomic import whole_file
from music_composer.reports.style import STYLE

PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Albums, continued</title>
<style>$style body { max-width: 110rem; }
.row { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); }
.row figure { margin: 0; }</style>
</head>
<body>
<h1>Albums, continued</h1>
<p class="heard">Each track was held out. Its beginning is the prompt; beside it stand what truly follows, and what
every player went on with. Continuations of the program begin with the prompt's last second; a line marks the cut.</p>
$sections
</body>
</html>
""")
SECTION = Template('<section>\n<h2>$title</h2>\n<div class="row">\n$figures\n</div>\n</section>')
FIGURE = Template("""<figure class="$role">
<figcaption>$caption</figcaption>
<img src="$picture" loading="lazy" alt="Spectrogram: $caption">
<audio controls preload="none" src="$sound"></audio>
</figure>""")


def players_of(work: Path, album: str) -> list[str]:
    """Folders of WORK/played that have the album, the program's own first; ten minutes are too long to look at."""
    names = [path.parent.name for path in sorted(work.glob(f"played/*/{album}"))]
    return sorted((name for name in names if not name.endswith("-long")), key=lambda name: (name[:6] != "memory", name))


def sounds_of(work: Path, album: str, track: str, number: int) -> Iterator[tuple[str, str, Path]]:
    """Role, caption and file of everything there is of a track, which is the album's `number`th."""
    yield "prompt", "the prompt", work / "prompts" / album / f"{track}.wav"
    truth = work / "truths" / album / f"{track}.wav"
    if truth.exists():
        yield "prompt", "what truly follows", truth
    for player in players_of(work, album):
        if (take := work / "played" / player / album / f"take-{number}.wav").exists():
            yield "continuation", player.replace("-", " "), take


def section(title: str, sounds: Sequence[tuple[str, str, Path]], page: Path) -> str:
    figures = []
    for role, caption, sound in sounds:
        picture = page.with_suffix("") / "-".join(sound.with_suffix(".png").parts[-3:])
        cut = read_cut(sound)
        plot_spectrogram(sound, picture, FrameOptions(), [cut] if cut else [])
        links = {"picture": link(picture, page), "sound": link(sound, page)}
        figures.append(FIGURE.substitute(role=role, caption=escape(caption), **links))
    return SECTION.substitute(title=escape(title), figures="\n".join(figures))


def link(target: Path, page: Path) -> str:
    return quote(os.fsencode(Path(os.path.relpath(target.resolve(), page.resolve().parent)).as_posix()))


def tracks_of(work: Path, album: str) -> list[str]:
    """Held-out tracks in the order of the takes."""
    return sorted(path.stem for path in (work / "prompts" / album).glob("*.wav"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--albums", nargs="*", help="all of WORK, unless named")
    parser.add_argument("--tracks", type=int, default=1000, help="of each album, at most")
    parser.add_argument("--out", type=Path, required=True, metavar="PAGE")
    options = parser.parse_args()
    options.out.with_suffix("").mkdir(parents=True, exist_ok=True)
    albums = options.albums or sorted(path.name for path in (options.work / "prompts").iterdir())
    sections = [
        section(f"{album}: {track}", list(sounds_of(options.work, album, track, number)), options.out)
        for album in albums
        for number, track in enumerate(tracks_of(options.work, album)[: options.tracks])
    ]
    with whole_file(options.out) as part:
        part.write_text(PAGE.substitute(style=STYLE, sections="\n".join(sections)), encoding="utf-8")
    print(options.out)


if __name__ == "__main__":
    main()
