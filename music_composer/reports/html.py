"""Writes the HTML pages of scorecards and demonstrations. All text is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from music_composer.files.atomic import whole_file
from music_composer.reports.style import STYLE

# Style and all else are in the page itself: it is opened from the disk, without a server or a network.
PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>music-composer: $title</title>
<style>$style</style>
</head>
<body>
<h1>$heading</h1>
<p class="summary">$summary</p>
$sections
</body>
</html>
""")
WIDE_COLUMNS = "td, th { width: auto; }"  # for tables with more than a name and a value


def write_page(path: Path, title: str, heading: str, summary: str, sections: Sequence[str], style: str = "") -> None:
    """Writes a page atomically. sections: HTML from `section`. style: CSS added to the common style sheet."""
    text = PAGE.substitute(
        title=escape(title), style=STYLE + style, heading=escape(heading), summary=escape(summary),
        sections="\n".join(sections),
    )  # fmt: skip
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def section(heading: str, *contents: str) -> str:
    """Returns a section with a heading. contents: HTML from the functions below."""
    return "\n".join(["<section>", f"<h2>{escape(heading)}</h2>", *contents, "</section>"])


def paragraph(text: str) -> str:
    """Returns a paragraph."""
    return f"<p>{escape(text)}</p>"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a table with a header row."""
    return "\n".join(["<table>", _row("th", columns), *(_row("td", row) for row in rows), "</table>"])


def facts(values: Sequence[tuple[str, str]]) -> str:
    """Returns a table of names and values."""
    rows = (f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in values)
    return "\n".join(["<table>", *rows, "</table>"])


def picture(link: str, description: str) -> str:
    """Returns an image. link: an address, already quoted for a URL."""
    # `escape` replaces quotes too, so text cannot end the attribute.
    return f'<img src="{escape(link)}" alt="{escape(description)}">'


def figure(*contents: str, caption: str = "", role: str = "") -> str:
    """Returns a figure with pictures or players. role: `prompt` or `continuation`, for its colour."""
    start = f'<figure class="{escape(role)}">' if role else "<figure>"
    captions = [f"<figcaption>{escape(caption)}</figcaption>"] if caption else []
    return "\n".join([start, *captions, *contents, "</figure>"])


def audio_player(link: str) -> str:
    """Returns an audio player. link: an address, already quoted for a URL."""
    # Metadata only: a page has dozens of players, and loading all sound would take hundreds of megabytes.
    return f'<audio controls preload="metadata" src="{escape(link)}"></audio>'


def _row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"
