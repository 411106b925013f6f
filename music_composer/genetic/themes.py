"""What evolution re-pitches: parts of scores as symbols in the order in which they begin, and back.

A symbol is a note, or with chords all notes that begin together; codes number symbols in the order in which they first
appear, as bach_generator's encoder does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from music_composer.errors import OptionError, ScoreError
from music_composer.symbolic.midi.instruments import listed
from music_composer.symbolic.roll import chords_of
from music_composer.values import NOTE, Part, Score

Symbol = tuple[int, ...]  # MIDI pitches, rising
ALONE = 0.5  # share of a part's notes that begin alone, from which on it is a tune


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

    @property
    def alone(self) -> float:
        """Share of the part's notes that are not left out."""
        return 1 - self.left_out / len(self.score.parts[self.part].notes)


def themes_of(score: Score, name: str, chords: bool, all_parts: bool, part: int | None = None) -> list[Theme]:
    """What is re-pitched: a part, by its number in the score; all of them; or the one that is chosen.

    Chosen is the second pitched part if there are two (as in bach_generator). Where less than ALONE of its notes begin
    alone it is passed over for the next, the first one being the last; where that holds of all, it is the part with
    most notes that do. With `chords` every part will do. name: for messages. Raises ScoreError where no part has two
    symbols at least, OptionError where there is no such part.
    """
    pitched = [i for i, each in enumerate(score.parts) if not each.drums and len(each.notes)]
    if not pitched:
        raise ScoreError(f"{name}: has no notes in it besides drums" if score.count else f"{name}: has no notes in it")
    if part is not None:
        if part not in pitched:
            what = "that one is drums" if 0 <= part < len(score.parts) else "there is no such part"
            raise OptionError(f"--part {part}: {what}; {name} has parts {listed(score.parts)}")
        themes = [_theme(score, part, chords)]
    else:
        themes = [_theme(score, i, chords) for i in (*pitched[1:], pitched[0])]
        if not all_parts:
            fit = [theme for theme in themes if len(theme.symbols) > 1 and theme.alone >= ALONE]
            themes = fit[:1] or [max(themes, key=lambda theme: len(theme.symbols))]
    kept = sorted((theme for theme in themes if len(theme.symbols) > 1), key=lambda theme: theme.part)
    if not kept:
        count = sum(len(theme.symbols) for theme in themes)
        chords_only = any(theme.left_out for theme in themes)
        way_out = "keep chords with --chords" if chords_only else "evolution needs two at least"
        raise ScoreError(f"{name}: has {count} single notes in the part that is re-pitched: {way_out}")
    return kept


def passed_over(theme: Theme) -> int | None:
    """The part that would have been re-pitched if so many of its notes did not begin together."""
    pitched = [i for i, part in enumerate(theme.score.parts) if not part.drums and len(part.notes)]
    second = pitched[min(1, len(pitched) - 1)]
    return None if second == theme.part else second


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
    return dataclasses.replace(part, notes=notes)


def with_themes(score: Score, parts: Mapping[int, Part]) -> Score:
    """The score with some parts, by number, in the place of its own; the others accompany them."""
    return dataclasses.replace(score, parts=tuple(parts.get(i, part) for i, part in enumerate(score.parts)))


def _theme(score: Score, number: int, chords: bool) -> Theme:
    notes = score.parts[number].notes
    ticks, at = np.unique(notes["start"], return_inverse=True)
    _, first, counts = np.unique(chords_of(ticks, score.resolution)[at], return_index=True, return_counts=True)
    kept = [notes[at : at + count] for at, count in zip(first, counts, strict=True) if chords or count == 1]
    return Theme(
        score, number, tuple(tuple(sorted({int(p) for p in each["pitch"]})) for each in kept),
        np.array([each["start"][0] for each in kept]), np.array([each["stop"].max() for each in kept]),
        np.array([each["velocity"].max() for each in kept]), 0 if chords else int(counts[counts > 1].sum()),
    )  # fmt: skip
