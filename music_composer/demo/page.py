"""The page of the demonstration: spectrograms and players of prompts and their continuations."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from music_composer.files.atomic import whole_file
from music_composer.reports.style import STYLE
from music_composer.reports.tables import Table

PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>music-composer: a demonstration</title>
<style>$style</style>
</head>
<body>
<h1>Music, continued</h1>
<p class="heard">Each prompt is the beginning of a song that a small rule-based composer wrote and a small synthesiser
played, and that was not among the songs to learn from. Each continuation goes on with real steps of the prompt and of
those songs. Below it is what a network plays that was trained on them for a minute: it knows the sound of its music
better than its pulse. Listen for how much of the prompt's pulse, register and colour carries on.</p>
$results
<section>
<h2>Training loss</h2>
<img src="$loss_plot" alt="Loss against training step">
</section>
<section>
<h2>Figures</h2>
<p>$words</p>
<table>
$figures
</table>
</section>
<section>
<h2>Facts</h2>
<table>
$facts
</table>
</section>
</body>
</html>
""")

RESULT = Template("""<section>
<h2>$title</h2>
$sounds
</section>""")

FIGURE = Template("""<figure class="$role">
<figcaption>$caption</figcaption>
<img src="$picture" alt="Spectrogram of the $name of $title">
<audio controls preload="metadata" src="$sound"></audio>
</figure>""")


@dataclass(frozen=True)
class DemoResult:
    """A prompt and its continuations: a title in plain text, and WAV files with spectrograms (PNG) beside them."""

    title: str
    prompt: Path
    continuation: Path
    network: Path


def write_page(
    path: Path, results: Sequence[DemoResult], loss_plot: Path, figures: Table, facts: Mapping[str, str]
) -> None:
    """Writes the page atomically. It links files relative to itself."""
    folder = path.parent
    text = PAGE.substitute(
        style=STYLE,
        results="\n".join(_show_result(result, folder) for result in results),
        loss_plot=_link(loss_plot, folder),
        words=escape(figures.words),
        figures="\n".join([_show_row("th", figures.columns), *(_show_row("td", row) for row in figures.rows)]),
        facts="\n".join(_show_fact(name, value) for name, value in facts.items()),
    )
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def _show_result(result: DemoResult, folder: Path) -> str:
    title = escape(result.title)
    sounds = [
        _show_sound("prompt", "prompt", title, result.prompt, folder),
        _show_sound("continuation", "continuation", title, result.continuation, folder),
        _show_sound("continuation", "continuation by the network", title, result.network, folder),
    ]
    return RESULT.substitute(title=title, sounds="\n".join(sounds))


def _show_sound(role: str, name: str, title: str, sound: Path, folder: Path) -> str:
    """A figure with a player. title: already escaped."""
    return FIGURE.substitute(
        role=role,
        name=name,
        caption=name[0].upper() + name[1:],
        title=title,
        picture=_link(sound.with_suffix(".png"), folder),
        sound=_link(sound, folder),
    )


def _show_row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _show_fact(name: str, value: str) -> str:
    return f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'


def _link(target: Path, folder: Path) -> str:
    """The target's address relative to the folder, quoted for a URL; nothing is left for HTML to escape."""
    return quote(os.fsencode(Path(os.path.relpath(target, folder)).as_posix()))
