"""The fields of ABC tunes: keys, metres, lengths and tempos (ABC standard 2.1)."""

from __future__ import annotations

import re

from music_composer.symbolic.midi.meta_events import MAX_NAME, is_metre

Key = dict[str, int]  # semitones up, by the capital letter of a note
SHARPS = "FCGDAEB"
MAJOR_SHARPS = {"C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5, "F": -1}
MODES = {"": 0, "maj": 0, "ion": 0, "mix": -1, "dor": -2, "m": -3, "min": -3, "aeo": -3, "phr": -4, "loc": -5, "lyd": 1}
ACCIDENTALS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
PIPES = {"F": 1, "C": 1, "G": 0}  # of the Highland bagpipe


def key_of(text: str, before: Key) -> Key:
    """The key of a K: field. A field with a clef only leaves the key as it was."""
    found = re.match(r"\s*(?:(HP|Hp|none)\b|([A-G])([#b]?)\s*([A-Za-z]*))?", text)
    key = dict(before)
    if found and found[1]:
        key = dict(PIPES) if found[1] in ("HP", "Hp") else {}
    elif found and found[2]:
        mode = found[4].lower()
        # Modes are known by their first three letters; m alone is minor.
        known = MODES.get(mode if mode == "m" else mode[:3])
        sharps = MAJOR_SHARPS[found[2]] + {"#": 7, "b": -7, "": 0}[found[3]] + (known or 0)
        key = dict.fromkeys(SHARPS[: max(0, sharps)], 1)
        key |= dict.fromkeys(SHARPS[::-1][: max(0, -sharps)], -1)
        # An explicit key has only the accidentals that follow.
        key = {} if mode == "exp" else key
    # Accidentals after the key change single notes of it.
    for sign, letter in re.findall(r"(?<!\S)(\^\^|\^|__|_|=)([A-Ga-g])(?!\S)", text):
        key[letter.upper()] = ACCIDENTALS[sign]
    return key


def metre_of(text: str) -> tuple[int, int] | None:
    """The metre of an M: field; None for no metre, (0, 0) for an invalid one."""
    if text.strip() in ("C", "C|"):
        return (4, 4) if text.strip() == "C" else (2, 2)
    found = re.match(r"\(?([\d+\s]{1,20})\)?\s*/\s*(\d{1,3})\b", text)
    if not found:
        return None if not text.strip() or text.strip().lower() == "none" else (0, 0)
    beats, note = sum(int(number) for number in re.findall(r"\d{1,4}", found[1])), int(found[2])
    return (beats, note) if is_metre(beats, note) else (0, 0)


def unit_of(text: str) -> float:
    """The note length of an L: field in quarter notes; 0 for an invalid one."""
    found = re.match(r"(\d{1,2})(?:/(\d{1,3}))?\s*$", text)
    length = 4 * int(found[1]) / max(1, int(found[2] or 1)) if found else 0.0
    return length if 4 / 512 <= length <= 16 else 0.0


def tempo_of(text: str, unit: float) -> float:
    """The tempo of a Q: field in quarter notes a minute; 0 without one.

    unit: quarter notes of a beat where the field has a number alone.
    """
    text = re.sub(r'"[^"]*"?', "", text)[:80]
    beats, _, number = text.rpartition("=")
    found = re.search(r"\d{1,4}(\.\d{1,4})?", number)
    if not found:
        return 0.0
    # Beats like 3/8 3/8 add up.
    beat = sum(4 * int(top) / max(1, int(below)) for top, below in re.findall(r"(\d{1,3})/(\d{1,3})", beats))
    counted = re.search(r"C(\d{0,2})", beats)
    if not beat and counted:
        beat = unit * int(counted[1] or 1)
    return float(found[0]) * (beat or unit)


def name_of_voice(text: str) -> str:
    """The name in a V: field; "" without one."""
    found = re.search(r"""\b(?:name|nm)=(?:"([^"]*)"|(\S+))""", text)
    name = (found[1] or found[2] or "") if found else ""
    return "".join(letter if letter.isprintable() else " " for letter in name[:MAX_NAME])
