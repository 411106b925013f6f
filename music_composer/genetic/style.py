"""How like a corpus' own lines a line is: its intervals, its rhythm and its harmony, and whether it copies.

Three tables are counted over the corpus: an interval after the one before it, an interval by how long the note lasts
and where in the bar it begins, and a pitch class after that of the last note on a beat. A line's likeness is the
geometric mean of what they give its notes, less by as many nats as its pitch classes are less varied than the corpus',
times the share of its notes that lie in no run of intervals which stands in the corpus.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from music_composer.genetic.themes import Symbol, Theme

OCTAVE = 12
WIDEST = 12  # semitones that intervals are told apart up to
INTERVALS = 2 * WIDEST + 1
LENGTHS, POSITIONS = 6, 3  # kinds of duration, and of place: on the bar, on a beat, between
RUN = 8  # intervals in a row that count as copied
SMOOTHED = 0.5  # added to every count


@dataclasses.dataclass(frozen=True)
class Style:
    """tops: the highest pitch of each symbol, int (codes,). begins: bool (symbols,), where a theme begins.

    rhythm: int (symbols,), of each symbol, its kind of duration and place. anchor: int (symbols,), the number of the
    last symbol on a beat before each. The tables hold logarithms; known: hashes of all runs of the corpus, sorted;
    entropy: of its pitch classes, nats.
    """

    tops: np.ndarray
    begins: np.ndarray
    rhythm: np.ndarray
    anchor: np.ndarray
    after_interval: np.ndarray
    by_rhythm: np.ndarray
    after_class: np.ndarray
    known: np.ndarray
    entropy: float


def style_of(themes: Sequence[Theme], symbols: Sequence[Symbol], codes: Sequence[np.ndarray]) -> Style:
    """Counts the tables over the themes. codes: of each theme; symbols: by code."""
    tops = np.array([symbol[-1] for symbol in symbols])
    begins = np.concatenate([np.arange(len(each)) == 0 for each in codes])
    rhythm = np.concatenate([_rhythm(theme) for theme in themes])
    anchor = _anchors(begins, rhythm)
    pitch = tops[np.concatenate(codes)]
    empty = np.zeros((0, 0))
    plain = Style(tops, begins, rhythm, anchor, empty, empty, empty, np.zeros(0, np.int64), 0.0)
    interval, before, judged = _intervals(pitch[None], plain)
    classes = pitch % OCTAVE
    shares = np.bincount(classes, minlength=OCTAVE) / len(classes)
    return dataclasses.replace(
        plain,
        after_interval=_table(before[0][judged], interval[0][judged], (INTERVALS, INTERVALS)),
        by_rhythm=_table(rhythm[judged], interval[0][judged], (LENGTHS * POSITIONS, INTERVALS)),
        after_class=_table(classes[anchor][judged], classes[judged], (OCTAVE, OCTAVE)),
        known=np.setdiff1d(_runs(pitch[None], begins), [0]),
        entropy=float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum()),
    )


def likeness(codes: np.ndarray, style: Style) -> np.ndarray:
    """Codes that networks play, int (networks, symbols) -> float (networks,), 0 to 1."""
    pitch = style.tops[codes]
    nats = log_likelihood(pitch, style)
    shares = np.stack([(pitch % OCTAVE == each).mean(axis=1) for each in range(OCTAVE)], axis=1)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1.0))).sum(axis=1)
    likely = np.exp(nats - np.maximum(0, style.entropy - entropy)) * (1 - copied_share(pitch, style))
    return np.where(np.ptp(pitch, axis=1) > 0, likely, 0.0)


def log_likelihood(pitch: np.ndarray, style: Style) -> np.ndarray:
    """Mean nats of a note and a table, float (networks,)."""
    interval, before, judged = _intervals(pitch, style)
    classes = pitch % OCTAVE
    found = style.after_interval[before, interval] + style.by_rhythm[style.rhythm[None], interval]
    found = found + style.after_class[classes[:, style.anchor], classes]
    nats: np.ndarray = found[:, judged].mean(axis=1) / 3
    return nats


def copied_share(pitch: np.ndarray, style: Style) -> np.ndarray:
    """The share of the notes that lie in a run of intervals which the corpus has too, float (networks,)."""
    hashes = _runs(pitch, style.begins)
    if not len(style.known) or not hashes.shape[1]:
        return np.zeros(len(pitch))
    place = np.minimum(np.searchsorted(style.known, hashes), len(style.known) - 1)
    begun = style.known[place] == hashes
    within = np.zeros(pitch.shape, bool)
    for i in range(RUN + 1):
        within[:, i : i + begun.shape[1]] |= begun
    return within.mean(axis=1)


def _intervals(pitch: np.ndarray, style: Style) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """To each note from the one before, that before it, int (networks, symbols) from 0, and where there are both."""
    steps = np.diff(pitch, axis=1, prepend=pitch[:, :1])
    interval = np.clip(steps, -WIDEST, WIDEST) + WIDEST
    before = np.concatenate([interval[:, :1], interval[:, :-1]], axis=1)
    second = np.concatenate([[False], style.begins[:-1]])
    return interval, before, ~(style.begins | second)


def _runs(pitch: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """A hash of the RUN intervals from each note on, int64 (networks, symbols - RUN); 0 where a theme ends within."""
    steps = np.diff(pitch, axis=1).astype(np.int64)
    count = steps.shape[1] - RUN + 1
    if count < 1:
        return np.zeros((len(pitch), 0), np.int64)
    hashes = np.zeros((len(pitch), count), np.int64)
    for i in range(RUN):
        hashes = hashes * 257 + steps[:, i : i + count] + 129  # 257 ** 8 and what is above it wraps around
    crosses = np.array([begins[i + 1 : i + RUN + 1].any() for i in range(count)])
    return np.where(crosses, 0, hashes)


def _rhythm(theme: Theme) -> np.ndarray:
    """The kind of duration and of place of each symbol, int (symbols,)."""
    quarters = (theme.stop - theme.start) / theme.score.resolution
    length = np.clip(np.rint(np.log2(np.maximum(quarters, 1e-3))) + 3, 0, LENGTHS - 1).astype(int)
    position = np.full(len(length), 2)
    metres = theme.score.metres
    for i, (tick, beats, note) in enumerate(metres):
        until = metres[i + 1][0] if i + 1 < len(metres) else np.inf
        beat = theme.score.resolution * 4 / note
        here = (theme.start >= tick) & (theme.start < until)
        place = (theme.start - tick) % (beat * beats)
        position = np.where(here, np.where(place == 0, 0, np.where(place % beat == 0, 1, 2)), position)
    return length * POSITIONS + position


def _anchors(begins: np.ndarray, rhythm: np.ndarray) -> np.ndarray:
    """The last symbol on a beat before each, or the one before it where a theme begins and none was."""
    on_beat = rhythm % POSITIONS < 2
    place = np.maximum.accumulate(np.where(on_beat | begins, np.arange(len(begins)), 0))
    return np.where(begins, np.arange(len(begins)), np.concatenate([[0], place[:-1]]))


def _table(given: np.ndarray, found: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Log probabilities of what was found by what was given, smoothed."""
    counts = np.zeros(shape)
    np.add.at(counts, (given, found), 1)
    counts += SMOOTHED
    return np.asarray(np.log(counts / counts.sum(axis=1, keepdims=True)))
