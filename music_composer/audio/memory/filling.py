"""Fills a gap from memory. Both sides are part of the memory, and the last run ends at the end of the gap."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from music_composer.audio.memory.analysis.recordings import Recording, analyze_prompt
from music_composer.audio.memory.landing import Landing, Run, landed_runs, landing_of
from music_composer.audio.memory.memory import Memory, memory_of
from music_composer.audio.memory.options import MemoryOptions
from music_composer.audio.memory.playing import Layer, Voice, jumps_of
from music_composer.audio.memory.walk import start, use
from music_composer.audio.options import FrameOptions
from music_composer.values import Played, Waveform


@dataclasses.dataclass(frozen=True)
class GapMemory:
    """The memory of a gap.

    left: samples (n, channels) up to the gap. right: samples from its end on. gap: samples in it.
    """

    memory: Memory
    landing: Landing
    left: np.ndarray
    right: np.ndarray
    gap: int


@dataclasses.dataclass(frozen=True)
class Candidate:
    """The runs of a filling, of one walk or of two layers. fit: the score of the last departures."""

    walks: tuple[tuple[Run, ...], ...]
    fit: float


def gap_memory_of(
    recordings: Sequence[Recording],
    left: np.ndarray,
    right: np.ndarray,
    gap: int,
    frame: FrameOptions,
    options: MemoryOptions,
) -> GapMemory:
    """Builds the memory of a gap of `gap` samples between two pieces of sound, (samples, channels) each.

    The beginning of the right side is barred, so that it does not sound twice. Raises OptionError for a side of less
    than three steps.
    """
    step = frame.hop * options.steps.frames
    before = analyze_prompt(Waveform(left, frame.rate), frame, options.steps)
    after = analyze_prompt(Waveform(right[: len(right) // step * step], frame.rate), frame, options.steps)
    memory = memory_of(recordings, before, frame, options, (after,), round(options.kept_back * frame.rate / step))
    landing = landing_of(memory, len(memory.recordings) - 2, max(1, round(gap / step)), options)
    return GapMemory(memory, landing, before.samples, right, gap)


def candidate_of(target: GapMemory, options: MemoryOptions, rng: np.random.Generator) -> Candidate:
    """Draws one filling."""
    memory, landing = target.memory, target.landing
    first, second = start(memory), start(memory)
    runs = landed_runs(memory, first, landing, options, options.first_walk, rng)
    walks = [runs]
    if options.two_layers:
        # The second layer avoids what the first one plays, so that their sum is in neither recording.
        for run in runs:
            use(memory, second.used, run[0], min(run[1], len(memory) - 1), options.walk)
        follows = memory.onsets[memory.firsts[landing.part] : memory.firsts[landing.part + 1]]
        onsets = np.concatenate([*(memory.onsets[a : b + 1] for a, b in runs), follows])
        walks.append(landed_runs(memory, second, landing, options, options.second_walk, rng, onsets))
    ends = [min(each[-1][1], int(memory.last[each[-1][0]])) for each in walks]
    return Candidate(tuple(map(tuple, walks)), float(landing.fits[ends].mean()))


def distance_of(target: GapMemory, candidate: Candidate, seconds: float) -> float:
    """Returns the distance of what would follow the runs from the right side: root mean square of levels, dB."""
    memory, landing = target.memory, target.landing
    count = max(1, round(seconds * memory.per_second))
    wanted = memory.recordings[landing.part].steps.levels[:count]
    squares = []
    for runs in candidate.walks:
        part = int(memory.part[runs[-1][0]])
        levels = memory.recordings[part].steps.levels
        if memory.colour and not memory.own[runs[-1][0]]:
            levels = levels + memory.colour.gains(levels)
        after = levels[min(runs[-1][1] + 1 - int(memory.firsts[part]), len(levels) - 1) :]
        both = min(len(after), len(wanted))
        squares.append(np.square(after[:both] - wanted[:both]).mean())
    return float(np.sqrt(np.mean(squares)))


def sound_of(target: GapMemory, candidate: Candidate, options: MemoryOptions) -> Played:
    """Returns the sound from a fade before the gap to a fade behind it."""
    memory, fade = target.memory, options.splice.crossfade
    stop = target.gap + 2 * fade
    behind = fade + options.layers.delay + options.layers.fft
    right = target.right[:behind]
    right = np.pad(right, ((0, behind - len(right)), (0, 0)))
    if not options.two_layers:
        voice = Voice(memory, target.left, options.splice)
        sound = np.concatenate([*_played(voice, candidate.walks[0], target, right)])[:stop]
        return Played(sound, jumps_of([voice], 0, target.gap))
    layers = [Layer(memory, target.left, options, strikes) for strikes in (False, True)]
    for layer, runs in zip(layers, candidate.walks, strict=True):
        for samples in _played(layer.voice, runs, target, right):
            layer.add(samples)
    (rings, whole), (strikes, _) = (layer.take(stop) for layer in layers)
    ramp = np.linspace(1.0, 0.0, fade, dtype=np.float32)[:, None]
    alone = np.zeros((stop, 1), np.float32)  # share of the unseparated first walk: both ends join one recording
    alone[:fade], alone[-fade:] = ramp, ramp[::-1]
    both = rings + strikes
    return Played(both + alone * (whole - both), jumps_of([layer.voice for layer in layers], 0, target.gap))


def _played(voice: Voice, runs: Sequence[Run], target: GapMemory, right: np.ndarray) -> Iterator[np.ndarray]:
    for run in runs[:-1]:
        yield voice.play(*run)
    yield voice.land(*runs[-1], voice.splicer.options.crossfade + target.gap, right)
