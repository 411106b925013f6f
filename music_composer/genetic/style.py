"""How like a corpus a line is in its intervals, rhythm and harmony, and how much of it is copied.

Three tables are counted over the corpus: an interval given the one before; an interval given the note's duration and
metrical position; and a pitch class given that of the last note on a beat. The rating of a line is the geometric mean
of these probabilities over its notes; lower by as many nats as its pitch-class entropy is below the corpus'; and
multiplied by the share of its notes outside of runs of intervals that the corpus contains.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from music_composer.genetic.themes import Symbol, Theme
from music_composer.values import OCTAVE

MAX_INTERVAL = 12  # semitones; larger intervals count as this one
INTERVALS = 2 * MAX_INTERVAL + 1
LENGTHS, POSITIONS = 6, 3  # classes of duration and of position: on a bar line, on a beat, between beats
RUN = 8  # consecutive intervals that count as copied
SMOOTHING = 0.5  # added to every count of a table


@dataclasses.dataclass(frozen=True)
class Style:
    """The statistics of a corpus.

    tops: the highest pitch of each symbol, int (codes,). begins: bool (symbols,), whether a theme begins. rhythm: int
    (symbols,), the class of duration and position. anchor: int (symbols,), the index of the last symbol on a beat
    before each. The tables hold log probabilities. corpus_runs: sorted hashes of all runs. entropy: of pitch classes,
    in nats.
    """

    tops: np.ndarray
    begins: np.ndarray
    rhythm: np.ndarray
    anchor: np.ndarray
    after_interval: np.ndarray
    by_rhythm: np.ndarray
    after_class: np.ndarray
    corpus_runs: np.ndarray
    entropy: float


def style_of(themes: Sequence[Theme], symbols: Sequence[Symbol], codes: Sequence[np.ndarray]) -> Style:
    """The statistics of themes. symbols: by code. codes: of each theme."""
    tops = np.array([symbol[-1] for symbol in symbols])
    begins = np.concatenate([np.arange(len(theme_codes)) == 0 for theme_codes in codes])
    rhythm = np.concatenate([_rhythm(theme) for theme in themes])
    anchor = _anchors(begins, rhythm)
    pitch = tops[np.concatenate(codes)]
    empty = np.zeros((0, 0))
    untabulated = Style(tops, begins, rhythm, anchor, empty, empty, empty, np.zeros(0, np.int64), 0.0)
    interval, before, valid = _intervals(pitch[None], untabulated)
    classes = pitch % OCTAVE
    shares = np.bincount(classes, minlength=OCTAVE) / len(classes)
    return dataclasses.replace(
        untabulated,
        after_interval=_table(before[0][valid], interval[0][valid], (INTERVALS, INTERVALS)),
        by_rhythm=_table(rhythm[valid], interval[0][valid], (LENGTHS * POSITIONS, INTERVALS)),
        after_class=_table(classes[anchor][valid], classes[valid], (OCTAVE, OCTAVE)),
        corpus_runs=np.setdiff1d(_runs(pitch[None], begins), [0]),
        entropy=float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum()),
    )


def style_rating(codes: np.ndarray, style: Style) -> np.ndarray:
    """The rating of lines, float (networks,), 0 to 1. codes: int (networks, symbols)."""
    pitch = style.tops[codes]
    nats = log_likelihood(pitch, style)
    shares = np.stack([(pitch % OCTAVE == pitch_class).mean(axis=1) for pitch_class in range(OCTAVE)], axis=1)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1.0))).sum(axis=1)
    rating = np.exp(nats - np.maximum(0, style.entropy - entropy)) * (1 - copied_share(pitch, style))
    return np.where(np.ptp(pitch, axis=1) > 0, rating, 0.0)


def log_likelihood(pitch: np.ndarray, style: Style) -> np.ndarray:
    """The mean log probability of a note and a table, in nats, float (networks,)."""
    interval, before, valid = _intervals(pitch, style)
    classes = pitch % OCTAVE
    found = style.after_interval[before, interval] + style.by_rhythm[style.rhythm[None], interval]
    found = found + style.after_class[classes[:, style.anchor], classes]
    # Three tables for each note.
    nats: np.ndarray = found[:, valid].mean(axis=1) / 3
    return nats


def copied_share(pitch: np.ndarray, style: Style) -> np.ndarray:
    """The share of notes in runs of intervals that the corpus contains, float (networks,)."""
    hashes = _runs(pitch, style.begins)
    if not len(style.corpus_runs) or not hashes.shape[1]:
        return np.zeros(len(pitch))
    place = np.minimum(np.searchsorted(style.corpus_runs, hashes), len(style.corpus_runs) - 1)
    begun = style.corpus_runs[place] == hashes
    within = np.zeros(pitch.shape, bool)
    # A run of RUN intervals covers RUN + 1 notes.
    for i in range(RUN + 1):
        within[:, i : i + begun.shape[1]] |= begun
    return within.mean(axis=1)


def _intervals(pitch: np.ndarray, style: Style) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The interval to each note, the interval before it, int (networks, symbols) from 0, and where both exist."""
    steps = np.diff(pitch, axis=1, prepend=pitch[:, :1])
    interval = np.clip(steps, -MAX_INTERVAL, MAX_INTERVAL) + MAX_INTERVAL
    before = np.concatenate([interval[:, :1], interval[:, :-1]], axis=1)
    second = np.concatenate([[False], style.begins[:-1]])
    return interval, before, ~(style.begins | second)


def _runs(pitch: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """A hash of the RUN intervals from each note on, int64 (networks, symbols - RUN); 0 across the end of a theme."""
    steps = np.diff(pitch, axis=1).astype(np.int64)
    count = steps.shape[1] - RUN + 1
    if count < 1:
        return np.zeros((len(pitch), 0), np.int64)
    hashes = np.zeros((len(pitch), count), np.int64)
    for i in range(RUN):
        hashes = hashes * 257 + steps[:, i : i + count] + 129  # a polynomial hash modulo 2**64
    # An interval across the border of two themes is no music.
    crosses = np.array([begins[i + 1 : i + RUN + 1].any() for i in range(count)])
    return np.where(crosses, 0, hashes)


def _rhythm(theme: Theme) -> np.ndarray:
    """The class of duration and position of each symbol, int (symbols,)."""
    quarters = (theme.stop - theme.start) / theme.score.resolution
    length = np.clip(np.rint(np.log2(np.maximum(quarters, 1e-3))) + 3, 0, LENGTHS - 1).astype(int)
    position = np.full(len(length), 2)
    metres = theme.score.metres
    for i, (tick, beats, note) in enumerate(metres):
        until = metres[i + 1][0] if i + 1 < len(metres) else np.inf
        beat = theme.score.resolution * 4 / note
        in_metre = (theme.start >= tick) & (theme.start < until)
        place = (theme.start - tick) % (beat * beats)
        position = np.where(in_metre, np.where(place == 0, 0, np.where(place % beat == 0, 1, 2)), position)
    return length * POSITIONS + position


def _anchors(begins: np.ndarray, rhythm: np.ndarray) -> np.ndarray:
    """The index of the last symbol on a beat before each. At the beginning of a theme it is the symbol before."""
    on_beat = rhythm % POSITIONS < 2
    place = np.maximum.accumulate(np.where(on_beat | begins, np.arange(len(begins)), 0))
    return np.where(begins, np.arange(len(begins)), np.concatenate([[0], place[:-1]]))


def _table(given: np.ndarray, found: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Log probabilities of `found` given `given`, with additive smoothing."""
    counts = np.zeros(shape)
    np.add.at(counts, (given, found), 1)
    counts += SMOOTHING
    return np.asarray(np.log(counts / counts.sum(axis=1, keepdims=True)))
