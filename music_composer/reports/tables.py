"""Tables of text, as Markdown for a terminal or with pictures on a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from music_composer.reports import html


class Table(NamedTuple):
    """A table of text. words: an explanation above it."""

    title: str
    words: str
    columns: list[str]
    rows: list[list[str]]


def markdown(tables: Sequence[Table]) -> list[str]:
    """Returns the lines of tables in Markdown."""
    lines = []
    for title, words, columns, rows in tables:
        lines += ["", f"{title}: {words}", "", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
        lines += [f"| {' | '.join(row)} |" for row in rows]
    return lines[1:]  # every table begins with an empty line, the first one needs none


def write_page(
    path: Path, heading: str, summary: str, tables: Sequence[Table], pictures: Mapping[str, Sequence[str]]
) -> Path:
    """Writes a page of tables, and returns its path.

    pictures: file names of PNGs in the page's folder, by the title of their table.
    """
    sections = []
    for title, words, columns, rows in tables:
        figures = [html.figure(html.picture(name, title)) for name in pictures.get(title, [])]
        sections.append(html.section(title, html.paragraph(words), *figures, html.table(columns, rows)))
    title = heading[0].lower() + heading[1:]  # it follows "music-composer: " in the title of the window
    html.write_page(path, title, heading, summary, sections, html.WIDE_COLUMNS)
    return path
