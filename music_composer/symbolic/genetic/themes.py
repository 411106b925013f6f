"""What evolution re-pitches: parts of scores as symbols in the order in which they begin, and back.

A symbol is a note, or with chords all notes that begin together; codes number symbols in the order in which they first
appear, as bach_generator's encoder does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from music_composer.errors import ScoreError
from music_composer.values import NOTE, Part, Score

Symbol = tuple[int, ...]  # MIDI pitches, rising


@dataclasses.dataclass(frozen=True)
class Theme:
    """A part of a score. symbols: what begins, in order; start, stop (ticks) and velocity: of each, int (symbols,)."""

    score: Score
    part: int
    symbols: tuple[Symbol, ...]
    start: np.ndarray
    stop: np.ndarray
    velocity: np.ndarray
    left_out: int = 0  # notes that begin together with others


def themes_of(score: Score, name: str, chords: bool, all_parts: bool) -> list[Theme]:
    """The part that is re-pitched, the second if there are two (as in bach_generator), or all of them.

    name: for messages. Raises ScoreError where no part has two symbols at least.
    """
    pitched = [i for i, part in enumerate(score.parts) if not part.drums and len(part.notes)]
    if not pitched:
        raise ScoreError(f"{name}: has no notes in it besides drums" if score.count else f"{name}: has no notes in it")
    chosen = pitched if all_parts else [pitched[min(1, len(pitched) - 1)]]
    themes = [_theme(score, i, chords) for i in chosen]
    kept = [theme for theme in themes if len(theme.symbols) > 1]
    if not kept:
        count = sum(len(theme.symbols) for theme in themes)
        chords_only = any(theme.left_out for theme in themes)
        way_out = "keep chords with --chords" if chords_only else "evolution needs two at least"
        raise ScoreError(f"{name}: has {count} single notes in the part that is re-pitched: {way_out}")
    return kept


def numbered(themes: Sequence[Theme]) -> tuple[tuple[Symbol, ...], list[np.ndarray]]:
    """The symbols by code, and the codes of each theme, int (symbols,)."""
    names: dict[Symbol, int] = {}
    codes = [np.array([names.setdefault(symbol, len(names)) for symbol in theme.symbols]) for theme in themes]
    return tuple(names), codes


def windows(codes: Sequence[np.ndarray], inputs: int) -> np.ndarray:
    """What a network hears at each symbol, float (symbols of all themes, inputs): the codes up to it, the oldest first.

    At the beginning of a theme there are fewer; the rest, behind them, is 0.
    """
    rows = []
    for each in codes:
        place = np.arange(len(each))[:, None] - np.minimum(np.arange(len(each)), inputs - 1)[:, None]
        place = place + np.arange(inputs)
        known = place <= np.arange(len(each))[:, None]
        rows.append(np.where(known, each[np.minimum(place, len(each) - 1)], 0))
    return np.concatenate(rows).astype(np.float64)


def repitched(theme: Theme, symbols: Sequence[Symbol], rhythm: str) -> Part:
    """The theme with other symbols, in its own rhythm (`copy`) or all in sixteenths (`simple`)."""
    part = theme.score.parts[theme.part]
    sixteenth = max(1, theme.score.resolution // 4)
    rows = []
    for i, symbol in enumerate(symbols):
        start, stop = (theme.start[i], theme.stop[i]) if rhythm == "copy" else (i * sixteenth, (i + 1) * sixteenth)
        rows += [(start, stop, pitch, theme.velocity[i]) for pitch in symbol]
    notes = np.sort(np.array(rows, NOTE), order=["start", "pitch"])
    return Part(notes, part.program, False, part.name)


def _theme(score: Score, number: int, chords: bool) -> Theme:
    notes = score.parts[number].notes
    starts, first, counts = np.unique(notes["start"], return_index=True, return_counts=True)
    kept = [notes[at : at + count] for at, count in zip(first, counts, strict=True) if chords or count == 1]
    return Theme(
        score, number, tuple(tuple(sorted({int(p) for p in each["pitch"]})) for each in kept),
        np.array([each["start"][0] for each in kept]), np.array([each["stop"].max() for each in kept]),
        np.array([each["velocity"].max() for each in kept]), 0 if chords else int(counts[counts > 1].sum()),
    )  # fmt: skip
