"""The parts of scores that evolution re-pitches, as sequences of symbols, and back.

A symbol is a note, or with chords the set of notes that begin together. A code is the number of a symbol by first
appearance, as in bach_generator's encoder.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from music_composer.errors import OptionError, ScoreError
from music_composer.symbolic.midi.instruments import listed
from music_composer.symbolic.roll import chords_of
from music_composer.values import NOTE, Part, Score

Symbol = tuple[int, ...]  # rising MIDI pitches
MIN_ALONE = 0.5  # share of notes that begin alone in a tune


@dataclasses.dataclass(frozen=True)
class Theme:
    """A part of a score as symbols in order of their onsets.

    part: its index in the score. start, stop: in ticks, and velocity: of each symbol, int (symbols,).
    """

    score: Score
    part: int
    symbols: tuple[Symbol, ...]
    start: np.ndarray
    stop: np.ndarray
    velocity: np.ndarray
    left_out: int = 0  # notes that begin together with others

    @property
    def alone(self) -> float:
        """The share of the part's notes that are not left out."""
        return 1 - self.left_out / len(self.score.parts[self.part].notes)


def themes_of(score: Score, name: str, chords: bool, all_parts: bool, part: int | None = None) -> list[Theme]:
    """The parts of a score to re-pitch: the part with the given index, all parts, or a chosen one.

    The choice is the second pitched part if there are two, as in bach_generator. A part where fewer than MIN_ALONE of
    the notes begin alone is skipped for the next one; the first part comes last. If all are skipped, it is the part
    with most notes that begin alone. With `chords` no part is skipped. name: of the file, for messages.

    Raises ScoreError where no part has two symbols, OptionError for an index without a part.
    """
    pitched = [i for i, candidate in enumerate(score.parts) if not candidate.drums and len(candidate.notes)]
    if not pitched:
        raise ScoreError(f"{name}: has no notes in it besides drums" if score.count else f"{name}: has no notes in it")
    if part is not None:
        if part not in pitched:
            fault = "is drums" if 0 <= part < len(score.parts) else "does not exist"
            raise OptionError(f"--part {part}: that part {fault}; {name} has parts {listed(score.parts)}")
        themes = [_theme(score, part, chords)]
    else:
        themes = [_theme(score, i, chords) for i in (*pitched[1:], pitched[0])]
        if not all_parts:
            fit = [theme for theme in themes if len(theme.symbols) > 1 and theme.alone >= MIN_ALONE]
            # If every part is chords, the one with most single notes.
            themes = fit[:1] or [max(themes, key=lambda theme: len(theme.symbols))]
    kept = sorted((theme for theme in themes if len(theme.symbols) > 1), key=lambda theme: theme.part)
    if not kept:
        count = sum(len(theme.symbols) for theme in themes)
        chords_only = any(theme.left_out for theme in themes)
        advice = "keep chords with --chords" if chords_only else "evolution needs at least two"
        raise ScoreError(f"{name}: has {count} single notes in the part to re-pitch: {advice}")
    return kept


def skipped_part(theme: Theme) -> int | None:
    """The part that would have been re-pitched, had it not too many chords; None if no part was skipped."""
    pitched = [i for i, part in enumerate(theme.score.parts) if not part.drums and len(part.notes)]
    second = pitched[min(1, len(pitched) - 1)]
    return None if second == theme.part else second


def encode(themes: Sequence[Theme]) -> tuple[tuple[Symbol, ...], list[np.ndarray]]:
    """The symbols by code, and the codes of each theme, int (symbols,)."""
    names: dict[Symbol, int] = {}
    codes = [np.array([names.setdefault(symbol, len(names)) for symbol in theme.symbols]) for theme in themes]
    return tuple(names), codes


def windows(codes: Sequence[np.ndarray], inputs: int) -> np.ndarray:
    """The inputs of a network at each symbol, float (symbols of all themes, inputs).

    They are the codes up to the symbol, the oldest first. At the beginning of a theme there are fewer, padded with 0 at
    the end.
    """
    rows = []
    for theme_codes in codes:
        place = np.arange(len(theme_codes))[:, None] - np.minimum(np.arange(len(theme_codes)), inputs - 1)[:, None]
        place = place + np.arange(inputs)
        within = place <= np.arange(len(theme_codes))[:, None]
        rows.append(np.where(within, theme_codes[np.minimum(place, len(theme_codes) - 1)], 0))
    return np.concatenate(rows).astype(np.float64)


def repitched(theme: Theme, symbols: Sequence[Symbol], rhythm: str) -> Part:
    """The theme's part with other symbols, in its own rhythm (`copy`) or in sixteenths (`simple`)."""
    part = theme.score.parts[theme.part]
    sixteenth = max(1, theme.score.resolution // 4)
    rows = []
    for i, symbol in enumerate(symbols):
        start, stop = (theme.start[i], theme.stop[i]) if rhythm == "copy" else (i * sixteenth, (i + 1) * sixteenth)
        rows += [(start, stop, pitch, theme.velocity[i]) for pitch in symbol]
    notes = np.sort(np.array(rows, NOTE), order=["start", "pitch"])
    return dataclasses.replace(part, notes=notes)


def with_themes(score: Score, parts: Mapping[int, Part]) -> Score:
    """The score with some parts, by index, replaced; the others accompany them."""
    return dataclasses.replace(score, parts=tuple(parts.get(i, part) for i, part in enumerate(score.parts)))


def _theme(score: Score, number: int, chords: bool) -> Theme:
    notes = score.parts[number].notes
    ticks, at = np.unique(notes["start"], return_inverse=True)
    _, first, counts = np.unique(chords_of(ticks, score.resolution)[at], return_index=True, return_counts=True)
    kept = [notes[at : at + count] for at, count in zip(first, counts, strict=True) if chords or count == 1]
    return Theme(
        score, number, tuple(tuple(sorted({int(p) for p in group["pitch"]})) for group in kept),
        np.array([group["start"][0] for group in kept]), np.array([group["stop"].max() for group in kept]),
        np.array([group["velocity"].max() for group in kept]), 0 if chords else int(counts[counts > 1].sum()),
    )  # fmt: skip
