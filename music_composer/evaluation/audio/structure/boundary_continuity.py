"""Continuity across a cut: the step in level, spectrum, key and pulse, compared with random splices of real music.

A splice is the same music before the cut, followed by a random place of other music. Each figure is read where it
distinguishes real music from splices. Level uses 50 ms and spectrum 0.2 s on either side: real music mostly rings on
there, while a second later it has moved. Key uses up to two seconds, as it takes several notes to show. Pulse uses the
six seconds before the cut, where there are as many, and up to two after it.

Real music does not beat every splice, because some fit by chance. The aim is the share that real music reaches where
nothing was cut.
"""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from music_composer.errors import MusicComposerError, OptionError
from music_composer.evaluation.audio.signal.semitones import SemitoneOptions, chroma, semitone_levels
from music_composer.evaluation.audio.signal.spectra import Array
from music_composer.evaluation.audio.similarity.frechet_distance import DistanceOptions, log_mel
from music_composer.evaluation.audio.structure.pulse import PulseOptions, onset_strength, out_of_phase, predicted_onsets

HARMONY_SECONDS = 0.5  # of music from which one harmony is read


@dataclass(frozen=True)
class ContinuityOptions:
    """What is compared on either side of a cut. Two readings compare only under equal options."""

    rate: int = 44100  # Hz, of the samples that are given
    fft: int = 8192  # samples, of the spectra: 186 ms
    hop: int = 2048  # samples between the spectra that make the key
    level_seconds: float = 0.05
    least_seconds: float = 1.0  # of music on either side
    most_seconds: float = 2.0  # on either side from which the key is read, if available
    before_seconds: float = 2.0  # before a cut from which the key is read, at most
    pulse_seconds: float = 6.0  # before a cut from which the pulse is read; with less it is not read
    range_db: float = 50.0  # semitones further below the loudest of both sides read this

    def __post_init__(self) -> None:
        if not 0.0 < self.level_seconds <= self.least_seconds <= self.most_seconds or not self.range_db > 0.0:
            raise OptionError(f"{self}: needs 0 < level <= least <= most seconds, and a range above 0.")
        if not 0 < self.hop <= self.fft <= self.least_seconds * self.rate:
            raise OptionError(f"{self}: needs 0 < hop <= fft, and no more fft than the least seconds hold.")

    @property
    def semitones(self) -> SemitoneOptions:
        """Parameters of the semitone spectra."""
        return SemitoneOptions(self.rate, self.fft, self.hop, rows=72, lowest=440.0 * 2 ** (-33 / 12), floor_db=-100.0)


@dataclass(frozen=True)
class Discontinuity:
    """The difference of the music after a cut from the music before it; 0 is no difference."""

    level: float  # dB between the RMS of both sides
    spectrum: float  # 1 - correlation of their levels per semitone: 0 to 2, no matter how loud
    key: float  # 1 - cosine of their pitch classes: 0 to 1
    pulse: float = math.nan  # 1 - correlation of the onsets with those that the pulse predicts: 0 to 2


@dataclass(frozen=True)
class ShareBetter:
    """Share of the comparisons in which a continuation steps less than a splice, 0 to 1; splices reach 0.5."""

    level: float
    spectrum: float
    key: float
    combined: float  # by the mean of a cut's ranks among the continuation and its splices
    pulse: float | None = None  # of the cuts that have enough music before them


def discontinuity(before: Array, after: Array, options: ContinuityOptions) -> Discontinuity:
    """Returns the step from the end of `before` to the beginning of `after`, mono samples (n,) at options.rate.

    Full scale is 1. Raises MusicComposerError when a side is shorter than options.least_seconds.
    """
    if min(len(before), len(after)) < round(options.least_seconds * options.rate):
        seconds = f"{len(before) / options.rate:.2f} s before and {len(after) / options.rate:.2f} s after it"
        raise MusicComposerError(
            f"The cut has {seconds}: {options.least_seconds:g} s are needed on both sides. Give more of the music."
        )
    return _step(_Before(before, options), after, options)


def at_cut(mono: Array, seconds: float, options: ContinuityOptions, name: str = "The recording") -> Discontinuity:
    """Returns the step in samples (n,) at the second of the cut. name: of the recording in messages.

    Raises MusicComposerError when the cut is outside of the samples or too near an end.
    """
    before, after = _sides(mono, seconds, options, name)
    return discontinuity(before, after, options)


def harmonic_change(mono: Array, options: ContinuityOptions) -> float:
    """Returns how far the pitch classes of each half second are from those of the one before, 0 to 1, averaged.

    mono: samples (n,) at options.rate; 0 for less than a second. Static music reads 0, and keeps its key at any cut.
    """
    size = round(HARMONY_SECONDS * options.rate)
    halves = [mono[at : at + size] for at in range(0, len(mono) - size + 1, size)]
    keys = [chroma(semitone_levels(half, options.semitones), options.semitones) for half in halves]
    steps = [_unlike(one, other) for one, other in zip(keys, keys[1:], strict=False)]
    return float(np.mean(steps)) if steps else 0.0


def random_splices(
    mono: Array,
    seconds: float,
    others: Sequence[Array],
    count: int,
    rng: np.random.Generator,
    options: ContinuityOptions,
    name: str = "The recording",
) -> list[Discontinuity]:
    """Returns the steps of `count` splices: the music before the cut in `mono`, followed by random places of `others`.

    others: real music other than the recording, (n,) each, without silence at its ends. Every place is equally likely
    that has as much music after it as the cut has, two seconds at most. The same generator state gives the same
    splices. Raises MusicComposerError when `mono` has too little music around the cut, or none of the others enough.
    """
    before, after = _sides(mono, seconds, options, name)
    length = min(len(after), round(options.most_seconds * options.rate))
    places = np.array([max(0, len(other) - length + 1) for other in others], np.int64)
    if not places.sum():
        raise MusicComposerError(
            f"None of {len(others)} recordings has {length / options.rate:.1f} s to splice on: give longer music."
        )
    ends = np.cumsum(places)
    steps, described = [], _Before(before, options)
    for place in rng.integers(ends[-1], size=count):
        which = int(np.searchsorted(ends, place, side="right"))
        start = int(place - ends[which] + places[which])
        steps.append(_step(described, others[which][start : start + length], options))
    return steps


def share_better(continuations: Sequence[Discontinuity], splices: Sequence[Sequence[Discontinuity]]) -> ShareBetter:
    """Returns the share of all pairs of a continuation and one of its splices in which the continuation steps less.

    splices: one sequence, not empty, for each continuation; every continuation has the same weight. A tie counts half.
    This is the probability of superiority (the area under the ROC curve; Hanley and McNeil 1982). The combined share
    compares mean ranks among the continuation and all its splices. The pulse counts where it was read. Raises
    MusicComposerError when there is nothing to compare.
    """
    if not continuations or len(continuations) != len(splices) or not all(splices):
        lengths = f"{len(continuations)} continuations and {len(splices)} sets of splices"
        raise MusicComposerError(f"Cannot compare {lengths}: give at least one splice for each continuation.")
    shares, combined = [], []
    for continuation, its_splices in zip(continuations, splices, strict=True):
        figures = np.array([astuple(each) for each in (continuation, *its_splices)])
        read = ~np.isnan(figures[0])
        shares.append(np.where(read, _better(figures), np.nan))
        combined.append(_better(scipy.stats.rankdata(figures[:, read], axis=0).mean(axis=1)))
    level, spectrum, key, _ = (float(share) for share in np.mean(shares, axis=0))
    pulses = [float(share[-1]) for share in shares if not np.isnan(share[-1])]
    return ShareBetter(level, spectrum, key, float(np.mean(combined)), float(np.mean(pulses)) if pulses else None)


class _Before:
    """The music before a cut, described once, however much music is compared with it. samples: (n,)."""

    def __init__(self, samples: Array, options: ContinuityOptions) -> None:
        tones = options.semitones
        nearest = samples[-round(options.before_seconds * options.rate) :]
        self.level = _level_db(nearest[-round(options.level_seconds * options.rate) :], tones.floor_db)
        self.levels = semitone_levels(nearest[-options.fft :], tones)[0]
        self.key = chroma(semitone_levels(nearest, tones), tones)
        self._onsets = _onsets_before(samples, options)
        self._predicted: dict[int, NDArray[np.float64] | None] = {}

    def out_of_phase(self, after: Array, options: ContinuityOptions) -> float:
        """Returns how far the onsets after the cut are from those that the pulse before it predicts."""
        if not len(self._onsets):
            return math.nan
        onsets = _onsets(after, options)
        count = len(onsets)
        if count not in self._predicted:
            self._predicted[count] = predicted_onsets(self._onsets, count, options.rate / DistanceOptions.hop)
        return out_of_phase(self._predicted[count], onsets)


def _step(before: _Before, after: Array, options: ContinuityOptions) -> Discontinuity:
    after = after[: round(options.most_seconds * options.rate)]
    size, tones = round(options.level_seconds * options.rate), options.semitones
    nearest = [before.levels, semitone_levels(after[: options.fft], tones)[0]]
    return Discontinuity(
        level=abs(before.level - _level_db(after[:size], tones.floor_db)),
        spectrum=_unlike(*(levels - levels.mean() for levels in _floored(nearest, options.range_db, tones.floor_db))),
        key=_unlike(before.key, chroma(semitone_levels(after, tones), tones)),
        pulse=before.out_of_phase(after, options),
    )


def _better(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the share of the others that exceed the first; ties count half."""
    better: NDArray[np.float64] = np.mean((figures[0] < figures[1:]) + 0.5 * (figures[0] == figures[1:]), axis=0)
    return better


def _onsets(side: Array, options: ContinuityOptions) -> NDArray[np.float64]:
    return onset_strength(log_mel(side, DistanceOptions(options.rate)), PulseOptions())


def _onsets_before(before: Array, options: ContinuityOptions) -> NDArray[np.float64]:
    """Returns the onsets up to the cut; none where there is too little music."""
    count = round(options.pulse_seconds * options.rate)
    if len(before) < count:
        return np.zeros(0)
    mel = DistanceOptions(options.rate)
    onsets = _onsets(before[-(count // mel.hop * mel.hop) :], options)
    # Frames across the cut would contain both sides, so their onsets are unknown: the mean stands in for them.
    return np.concatenate([onsets, np.full(mel.fft // mel.hop - 1, onsets.mean())])


def _sides(mono: Array, seconds: float, options: ContinuityOptions, name: str) -> tuple[Array, Array]:
    at, least = round(seconds * options.rate), options.least_seconds
    if not least * options.rate <= at <= len(mono) - least * options.rate:
        raise MusicComposerError(
            f"{name}: {len(mono) / options.rate:.2f} s long, cut at {seconds:g} s: {least:g} s of music are needed on "
            "both sides of the cut. Keep more of the prompt, or make the continuation longer."
        )
    return mono[:at], mono[at:]


def _level_db(samples: Array, floor_db: float) -> float:
    return float(10.0 * np.log10(max(np.mean(np.square(samples, dtype=np.float64)), 10.0 ** (floor_db / 10.0))))


def _floored(sides: Sequence[Array], range_db: float, floor_db: float) -> list[NDArray[np.float64]]:
    floor = max(floor_db, max(float(levels.max()) for levels in sides) - range_db)
    return [np.maximum(levels, floor).astype(np.float64) for levels in sides]


def _unlike(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Returns 1 - cosine. Silence, all zero, is like silence and unlike anything else."""
    norms = np.linalg.norm(one), np.linalg.norm(other)
    if min(norms) == 0.0:
        return 0.0 if max(norms) == 0.0 else 1.0
    return max(0.0, 1.0 - float(one @ other) / float(norms[0] * norms[1]))
