"""MusicXML as elements, limited in number, and the numbers in them. Files that it names are not opened."""

from __future__ import annotations

from xml.etree import ElementTree

from music_composer.errors import ScoreError
from music_composer.symbolic.midi.meta_events import MAX_NAME

MAX_ELEMENTS = 2_000_000
ENDS = ("</score-partwise>", "</score-timewise>")
Element = ElementTree.Element


class _Counting(ElementTree.TreeBuilder):
    """Builds elements without namespaces, and stops at MAX_ELEMENTS."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.room = name, MAX_ELEMENTS

    def start(self, tag: str, attrs: dict[str, str]) -> Element:  # type: ignore[override]
        self.room -= 1
        if self.room < 0:
            raise ScoreError(f"{self.name}: holds more than {MAX_ELEMENTS:,} elements: no score of music does")
        # Without the namespace, which some programs write.
        return super().start(tag.rpartition("}")[2], attrs)

    def end(self, tag: str) -> Element:
        return super().end(tag.rpartition("}")[2])


def parsed(text: str, name: str) -> Element:
    """The root element. Raises ScoreError where the text is no XML, has too many elements, or defines entities."""
    if "<!ENTITY" in text:
        raise ScoreError(f"{name}: defines entities, which no score needs: it is not read")
    ends = [text.rfind(end) + len(end) for end in ENDS if end in text]
    parser = ElementTree.XMLParser(target=_Counting(name))
    try:
        parser.feed(text[: max(ends, default=len(text))].lstrip())  # some files have text around the score
        return parser.close()
    except ElementTree.ParseError as error:
        raise ScoreError(f"{name}: cannot be read as notation: {error}") from error


def by_part(root: Element) -> dict[str, list[tuple[int, Element]]]:
    """The measures of each part, each with its position in the score, counted from 0."""
    if root.tag == "score-partwise":
        parts = enumerate(root.findall("part"))
        return {f"{number} {part.get('id')}": list(enumerate(part.findall("measure"))) for number, part in parts}
    found: dict[str, list[tuple[int, Element]]] = {}
    for place, measure in enumerate(root.findall("measure") if root.tag == "score-timewise" else ()):
        for part in measure.findall("part"):
            # Timewise scores list the parts of each measure.
            found.setdefault(f"0 {part.get('id')}", []).append((place, part))
    return found


def number_of(text: str | None) -> float | None:
    """The number in a text; None for no number, or one beyond 1e12."""
    try:
        value = float((text or "")[:40])
    except ValueError:
        return None
    return value if abs(value) <= 1e12 else None


def whole_number(element: Element | None, tag: str) -> int | None:
    value = None if element is None else number_of(element.findtext(tag))
    return None if value is None else int(value)


def printable(name: str) -> str:
    """A name with spaces in place of unprintable characters."""
    return "".join(letter if letter.isprintable() else " " for letter in name.strip()[:MAX_NAME])
