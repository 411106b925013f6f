"""Text that may hold names of files, made safe for a terminal."""

from __future__ import annotations

import unicodedata

KEPT = "\n\t"
DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # they reorder what is read
ESCAPED = ("Cc", "Cs", "Zl", "Zp")  # control characters, bytes that are not Unicode, separators of lines


def printable(text: str) -> str:
    """The text with an escape for each character that would command the terminal instead of being shown.

    A file's name may hold anything: an escape sequence in it could clear the screen, or show another name.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in KEPT or not (unicodedata.category(character) in ESCAPED or character in DIRECTIONS):
        return character
    if "\udc80" <= character <= "\udcff":  # a byte that is not UTF-8, as Python keeps it in names
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
