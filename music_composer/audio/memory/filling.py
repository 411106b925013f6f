"""A gap between two pieces of sound, filled from memory: both are remembered, and the last run ends at its end."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from music_composer.audio.memory.analysis.heard import Recording, hear
from music_composer.audio.memory.landing import Landing, Run, landed_runs, landing_of
from music_composer.audio.memory.memory import Memory, memory_of
from music_composer.audio.memory.options import MemoryOptions
from music_composer.audio.memory.playing import Layer, Voice, jumps_of
from music_composer.audio.memory.walk import start, use
from music_composer.options import FrameOptions
from music_composer.values import Played, Waveform


@dataclasses.dataclass(frozen=True)
class Between:
    """What fills a gap, and what it is made of.

    left: samples (n, channels) up to the gap. right: from its end on. gap: samples in it.
    """

    memory: Memory
    landing: Landing
    left: np.ndarray
    right: np.ndarray
    gap: int


@dataclasses.dataclass(frozen=True)
class Course:
    """The runs of a filling: of the one walk or, in two layers, of both. fit: the score of where they are left last."""

    walks: tuple[tuple[Run, ...], ...]
    fit: float


def between(
    recordings: Sequence[Recording],
    left: np.ndarray,
    right: np.ndarray,
    gap: int,
    frame: FrameOptions,
    options: MemoryOptions,
) -> Between:
    """The memory of a gap of so many samples between two pieces of sound, (samples, channels) each.

    The beginning of what follows is not played in the gap, so that it is not heard twice. Raises OptionError for a side
    of less than three steps.
    """
    step = frame.hop * options.steps.frames
    before = hear(Waveform(left, frame.rate), frame, options.steps)
    after = hear(Waveform(right[: len(right) // step * step], frame.rate), frame, options.steps)
    memory = memory_of(recordings, before, frame, options, (after,), round(options.kept_back * frame.rate / step))
    landing = landing_of(memory, len(memory.recordings) - 2, max(1, round(gap / step)), options)
    return Between(memory, landing, before.samples, right, gap)


def course_of(place: Between, options: MemoryOptions, rng: np.random.Generator) -> Course:
    """One way through the gap."""
    memory, landing = place.memory, place.landing
    first, second = start(memory), start(memory)
    runs = landed_runs(memory, first, landing, options, options.first_walk, rng)
    walks = [runs]
    if options.two_layers:
        for run in runs:
            use(memory, second.used, run[0], min(run[1], len(memory) - 1), options.walk)
        follows = memory.onsets[memory.firsts[landing.part] : memory.firsts[landing.part + 1]]
        onsets = np.concatenate([*(memory.onsets[a : b + 1] for a, b in runs), follows])
        walks.append(landed_runs(memory, second, landing, options, options.second_walk, rng, onsets))
    ends = [min(each[-1][1], int(memory.last[each[-1][0]])) for each in walks]
    return Course(tuple(map(tuple, walks)), float(landing.fits[ends].mean()))


def distance_of(place: Between, course: Course, seconds: float) -> float:
    """How far what the runs would go on with is from what follows the gap: the root mean square of levels, dB."""
    memory, landing = place.memory, place.landing
    count = max(1, round(seconds * memory.per_second))
    wanted = memory.recordings[landing.part].steps.levels[:count]
    squares = []
    for runs in course.walks:
        part = int(memory.part[runs[-1][0]])
        levels = memory.recordings[part].steps.levels
        if memory.colour and not memory.own[runs[-1][0]]:
            levels = levels + memory.colour.gains(levels)
        after = levels[min(runs[-1][1] + 1 - int(memory.firsts[part]), len(levels) - 1) :]
        both = min(len(after), len(wanted))
        squares.append(np.square(after[:both] - wanted[:both]).mean())
    return float(np.sqrt(np.mean(squares)))


def sound_of(place: Between, course: Course, options: MemoryOptions) -> Played:
    """From a fade before the gap to a fade behind it."""
    memory, fade = place.memory, options.splice.fade
    stop = place.gap + 2 * fade
    behind = fade + options.layers.delay + options.layers.fft
    right = place.right[:behind]
    right = np.pad(right, ((0, behind - len(right)), (0, 0)))
    if not options.two_layers:
        voice = Voice(memory, place.left, options.splice)
        sound = np.concatenate([*_played(voice, course.walks[0], place, right)])[:stop]
        return Played(sound, jumps_of([voice], 0, place.gap))
    layers = [Layer(memory, place.left, options, strikes) for strikes in (False, True)]
    for layer, runs in zip(layers, course.walks, strict=True):
        for samples in _played(layer.voice, runs, place, right):
            layer.add(samples)
    (rings, whole), (strikes, _) = (layer.take(stop) for layer in layers)
    ramp = np.linspace(1.0, 0.0, fade, dtype=np.float32)[:, None]
    alone = np.zeros((stop, 1), np.float32)  # share of the first walk as it is, as at both ends there is but one
    alone[:fade], alone[-fade:] = ramp, ramp[::-1]
    both = rings + strikes
    return Played(both + alone * (whole - both), jumps_of([layer.voice for layer in layers], 0, place.gap))


def _played(voice: Voice, runs: Sequence[Run], place: Between, right: np.ndarray) -> Iterator[np.ndarray]:
    for run in runs[:-1]:
        yield voice.play(*run)
    yield voice.land(*runs[-1], voice.splicer.options.fade + place.gap, right)
