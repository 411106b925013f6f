"""The demonstration's page: spectrograms and players of prompts and their continuations."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from music_composer.files import whole_file
from music_composer.page_style import STYLE

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
<p class="heard">Each prompt is a song that a small rule-based composer wrote and a small synthesiser played;
each continuation is what a network, having trained on such songs for a couple of minutes only, goes on to play.
Listen for how much of the prompt's pulse, register and colour carries on, and for where the harmony blurs or
wanders: a network this young knows the sound of its music better than its form.</p>
$results
<section>
<h2>Training loss</h2>
<img src="$loss_plot" alt="Loss against training step">
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
$prompt
$continuation
</section>""")

FIGURE = Template("""<figure class="$role">
<figcaption>$caption</figcaption>
<img src="$picture" alt="Spectrogram of the $role of $title">
<audio controls preload="metadata" src="$sound"></audio>
</figure>""")


@dataclass(frozen=True)
class DemoResult:
    """A prompt and its continuation: a title in plain text, sounds (WAV) and spectrograms (PNG)."""

    title: str
    prompt_wav: Path
    prompt_png: Path
    continuation_wav: Path
    continuation_png: Path


def write_page(path: Path, results: Sequence[DemoResult], loss_plot: Path, facts: Mapping[str, str]) -> None:
    """Write the page to `path`, whole or not at all; it links the files by their place relative to itself."""
    folder = path.parent
    text = PAGE.substitute(
        style=STYLE,
        results="\n".join(_show_result(result, folder) for result in results),
        loss_plot=_link(loss_plot, folder),
        facts="\n".join(_show_fact(name, value) for name, value in facts.items()),
    )
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def _show_result(result: DemoResult, folder: Path) -> str:
    title = escape(result.title)
    prompt = _show_sound("prompt", title, result.prompt_png, result.prompt_wav, folder)
    continuation = _show_sound("continuation", title, result.continuation_png, result.continuation_wav, folder)
    return RESULT.substitute(title=title, prompt=prompt, continuation=continuation)


def _show_sound(role: str, title: str, picture: Path, sound: Path, folder: Path) -> str:
    """A figure with a player; the title comes escaped."""
    return FIGURE.substitute(
        role=role,
        caption=role.capitalize(),
        title=title,
        picture=_link(picture, folder),
        sound=_link(sound, folder),
    )


def _show_fact(name: str, value: str) -> str:
    return f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'


def _link(target: Path, folder: Path) -> str:
    """The target's address relative to the folder, quoted for a URL; that leaves nothing for HTML to escape."""
    return quote(os.fsencode(Path(os.path.relpath(target, folder)).as_posix()))
