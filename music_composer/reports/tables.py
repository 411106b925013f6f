"""Tables for people: as Markdown on a terminal, and with pictures on a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import NamedTuple

from music_composer.files.atomic import whole_file
from music_composer.reports.style import STYLE

PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>music-composer: $title</title>
<style>$style td, th { width: auto; }</style>
</head>
<body>
<h1>$heading</h1>
<p class="heard">$summary</p>
$sections
</body>
</html>
""")
SECTION = Template("""<section>
<h2>$title</h2>
<p>$words</p>
$pictures<table>
$rows
</table>
</section>""")


class Table(NamedTuple):
    """words: of explanation."""

    title: str
    words: str
    columns: list[str]
    rows: list[list[str]]


def markdown(tables: Sequence[Table]) -> list[str]:
    """Lines to read on a terminal or to paste."""
    lines = []
    for title, words, columns, rows in tables:
        lines += ["", f"{title}: {words}", "", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
        lines += [f"| {' | '.join(row)} |" for row in rows]
    return lines[1:]


def write_page(
    path: Path, heading: str, summary: str, tables: Sequence[Table], pictures: Mapping[str, Sequence[str]]
) -> Path:
    """pictures: names of PNGs in the page's folder, by the title of the table they go with."""
    sections = []
    for title, words, columns, rows in tables:
        head = "<tr>" + "".join(f"<th>{escape(column)}</th>" for column in columns) + "</tr>"
        body = ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows]
        shown = "".join(
            f'<figure><img src="{escape(name)}" alt="{escape(title)}"></figure>\n' for name in pictures.get(title, [])
        )
        sections.append(
            SECTION.substitute(title=escape(title), words=escape(words), pictures=shown, rows="\n".join([head, *body]))
        )
    title = heading[0].lower() + heading[1:]
    with whole_file(path) as part:
        text = PAGE.substitute(
            title=escape(title), style=STYLE, heading=escape(heading), summary=escape(summary),
            sections="\n".join(sections),
        )  # fmt: skip
        part.write_text(text, encoding="utf-8")
    return path
