"""The demonstration's page: spectrograms and players of prompts and their continuations."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

STYLE = """
:root { color-scheme: light dark; --paper: #faf9f6; --ink: #23262d; --quiet: #5e6470; --card: #ffffff;
  --line: #dcdad3; --prompt: #2f6f9f; --continuation: #a8501f; }
@media (prefers-color-scheme: dark) { :root { --paper: #15171c; --ink: #e6e4de; --quiet: #a0a5b0;
  --card: #1e2128; --line: #363a44; --prompt: #7db8e4; --continuation: #eda06e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 2.5rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { margin: 0 0 .5rem; font-size: 2rem; line-height: 1.2; }
h2 { margin: 0 0 1rem; font-size: 1.25rem; overflow-wrap: anywhere; }
.heard { max-width: 46rem; color: var(--quiet); margin: 0 0 2rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem;
  margin: 0 0 1.5rem; }
figure { margin: 0 0 1.25rem; padding-left: .9rem; border-left: .25rem solid var(--line); }
figure:last-child { margin-bottom: 0; }
figure.prompt { border-color: var(--prompt); }
figure.continuation { border-color: var(--continuation); }
figcaption { font-weight: 600; margin-bottom: .4rem; }
.prompt figcaption { color: var(--prompt); }
.continuation figcaption { color: var(--continuation); }
img { display: block; max-width: 100%; height: auto; border-radius: .35rem; background: #fff; }
figure img { width: 100%; }
audio { display: block; width: 100%; margin-top: .6rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .45rem .75rem .45rem 0; border-top: 1px solid var(--line);
  overflow-wrap: anywhere; }
tr:first-child > * { border-top: 0; }
th { font-weight: 600; width: 35%; color: var(--quiet); }
"""

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
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


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
