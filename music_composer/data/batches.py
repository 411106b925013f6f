"""Songs of frames to batches of training windows. Random only through (seed, epoch): any epoch can be replayed.

Positions are in frames. A stretch is music that windows may be cut from: one song, or all songs that are too short for
a window, joined. Part of each stretch is held out; a window never crosses from one part into the other.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from music_composer.audio.frames import bent
from music_composer.errors import RecordingError
from music_composer.options import TrainOptions

SHORTEST_WINDOW = 8  # steps
HELD_OUT_STEPS = 129  # what is held out comes in units of so many, however long the windows are


@dataclasses.dataclass(frozen=True)
class Region:
    """Frames start..stop of one stretch."""

    stretch: int
    start: int
    stop: int

    @property
    def frames(self) -> int:
        return self.stop - self.start


@dataclasses.dataclass(frozen=True)
class Passage:
    """So many frames from the `start`-th of a stretch on, over its end into the next. ring: the end meets the start."""

    stretch: int
    start: int
    frames: int
    ring: bool = False


@dataclasses.dataclass(frozen=True)
class Dataset:
    """What is trained on and what is held out.

    stretches: arrays (frames, channels, bands), usually left on disk.
    window: frames in a window; it covers `window // stack - 1` predictions.
    unit: frames in a window of what is held out; no longer than a window.
    """

    stretches: Sequence[np.ndarray]
    window: int
    unit: int
    stack: int
    training: tuple[Region, ...]
    held_out: tuple[Region, ...]
    joined: int  # songs that were too short and were joined

    @property
    def windows_in_epoch(self) -> int:
        return sum(self.windows_in(passage) for passage in self.passages)

    def windows_in(self, passage: Passage) -> int:
        return -(-passage.frames // self.window)

    @property
    def passages(self) -> list[Passage]:
        """The training music from one held-out part to the next: the end of a song leads into the next, the last into
        the first.

        Without that the model would learn how music ends and never what comes then, and its continuations would stay
        silent after their first ending.
        """
        regions = sorted(self.training, key=lambda region: (region.stretch, region.start))
        firsts = [i for i, region in enumerate(regions) if not self._leads(regions[i - 1], region)]
        if not firsts:
            return [Passage(regions[0].stretch, 0, sum(region.frames for region in regions), ring=True)]
        around = [*regions[firsts[0] :], *regions[: firsts[0]]]
        edges = [i - firsts[0] for i in firsts] + [len(regions)]
        return [
            Passage(around[i].stretch, around[i].start, sum(region.frames for region in around[i:j]))
            for i, j in itertools.pairwise(edges)
        ]

    def _leads(self, one: Region, other: Region) -> bool:
        following = (one.stretch + 1) % len(self.stretches)
        return one.stop == len(self.stretches[one.stretch]) and (other.stretch, other.start) == (following, 0)

    def batches_in_epoch(self, batch_size: int) -> int:
        """How many batches are learnt: a last one that would be filled up by more than half is left to other epochs."""
        return max(1, round(self.windows_in_epoch / batch_size))


def window_steps_for(songs: Sequence[np.ndarray], stack: int, options: TrainOptions) -> int:
    """Steps in a window: as many as were asked for, or fewer, so that an epoch of little music fills a batch."""
    there = sum(map(len, songs)) // stack // options.batch_size
    return min(options.window_steps, max(there, options.least_window_steps))


def dataset_of(songs: Sequence[np.ndarray], window_steps: int, stack: int, held_out: float, seed: int) -> Dataset:
    """Divides songs, arrays (frames, channels, bands), into what is trained on and what is held out.

    Raises RecordingError when all songs together are too short for the shortest window.
    """
    total = sum(len(song) for song in songs)
    steps = min(window_steps + 1, total // stack)
    if steps <= SHORTEST_WINDOW:
        raise RecordingError(
            f"there are only {total} frames of music, and at least {(SHORTEST_WINDOW + 1) * stack} are needed: "
            "add more or longer recordings"
        )
    window, unit = steps * stack, min(steps, HELD_OUT_STEPS) * stack
    long = [song for song in songs if len(song) >= window]
    short = [song for song in songs if len(song) < window]
    stretches = list(long)
    if sum(map(len, short)) >= window:
        stretches.append(np.concatenate(short))
    elif short:  # too little for a stretch of their own
        stretches[-1] = np.concatenate([stretches[-1], *short])
    rng = np.random.default_rng([seed, 0])
    training: list[Region] = []
    held: list[Region] = []
    for index, stretch in enumerate(stretches):
        train, judge = _divide(index, len(stretch), window, unit, held_out, rng)
        training += train
        held += judge
    if not held and held_out:
        training, held = _divide_longest(training, window, unit)
    return Dataset(stretches, window, unit, stack, tuple(training), tuple(held), len(short))


def epoch_windows(dataset: Dataset, seed: int, epoch: int) -> list[tuple[int, int]]:
    """(stretch, first frame) of every window of an epoch, in the order in which they are learnt.

    The windows of a passage cover all of it. A passage is seldom a whole number of windows: where they overlap is
    random, and a ring is entered anywhere, so that epochs see the music at other offsets.
    """
    rng = np.random.default_rng([seed, 1, epoch])
    windows = []
    for passage in dataset.passages:
        count = dataset.windows_in(passage)
        if passage.ring:
            starts = (rng.integers(passage.frames) + np.arange(count) * passage.frames // count) % passage.frames
        else:
            spare = count * dataset.window - passage.frames
            early = np.sort(rng.integers(0, spare + 1, count))  # by how much each window begins before its turn
            early[[0, -1]] = 0, spare
            starts = np.arange(count) * dataset.window - early
        windows += [_place(dataset, passage.stretch, passage.start + int(start)) for start in starts]
    return [windows[i] for i in rng.permutation(len(windows))]


def held_out_windows(dataset: Dataset) -> list[tuple[int, int]]:
    """(stretch, first frame) of the windows that the model is judged by: always the same."""
    return [
        (region.stretch, region.start + i * dataset.unit)
        for region in dataset.held_out
        for i in range(region.frames // dataset.unit)
    ]


def epoch_speeds(count: int, stretch: float, seed: int, epoch: int) -> np.ndarray:
    """How fast each window of an epoch is played, up to a share of `stretch` faster or slower, (count,)."""
    return np.random.default_rng([seed, 4, epoch]).uniform(1 - stretch, 1 + stretch, count)


def batches(
    dataset: Dataset,
    windows: Sequence[tuple[int, int]],
    frames: int,
    batch_size: int,
    first: int = 0,
    speeds: Sequence[float] | np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Batches (batch, steps, stack * channels * bands), float32, from the `first`-th on; the last is filled up.

    frames: in each window; `dataset.window` or `dataset.unit`. speeds: at which they are played; None: their own.
    A batch of another size would be another graph; it is filled with windows from the front, which are thus seen
    twice in that epoch.
    """
    for start in range(first * batch_size, len(windows), batch_size):
        chosen = [i % len(windows) for i in range(start, start + batch_size)]
        speed = [1.0 if speeds is None else float(speeds[i]) for i in chosen]
        yield np.stack([cut_window(dataset, *windows[i], frames, by) for i, by in zip(chosen, speed, strict=True)])


def cut_window(dataset: Dataset, stretch: int, start: int, frames: int, speed: float = 1.0) -> np.ndarray:
    """So many frames as steps, shape (steps, stack * channels * bands), float32, of music played at some speed.

    Where it reaches over the end of its stretch, it goes on with the beginning of the next (of the first, at the last).
    """
    wanted = frames if speed == 1 else math.ceil(frames * speed) + 1
    music = dataset.stretches[stretch][start : start + wanted]
    missing = wanted - len(music)
    if missing:
        following = dataset.stretches[(stretch + 1) % len(dataset.stretches)]
        music = np.concatenate([music, following[:missing]])
    return to_steps(music if speed == 1 else bent(np.asarray(music, np.float32), frames, speed), dataset.stack)


def _place(dataset: Dataset, stretch: int, frame: int) -> tuple[int, int]:
    """Stretch and frame of what lies `frame` frames after the beginning of a stretch."""
    while frame >= len(dataset.stretches[stretch]):
        frame -= len(dataset.stretches[stretch])
        stretch = (stretch + 1) % len(dataset.stretches)
    return stretch, frame


def to_steps(frames: np.ndarray, stack: int) -> np.ndarray:
    """(frames, channels, bands) -> (frames // stack, stack * channels * bands), float32; a remainder is left out."""
    steps = len(frames) // stack
    size = stack * int(np.prod(frames.shape[1:]))
    return np.asarray(frames[: steps * stack], np.float32).reshape(steps, size)


def to_frames(steps: np.ndarray, stack: int, channels: int) -> np.ndarray:
    """The inverse: (..., steps, stack * channels * bands) -> (..., steps * stack, channels, bands)."""
    *lead, count, size = steps.shape
    return steps.reshape(*lead, count * stack, channels, size // (stack * channels))


def _divide(
    stretch: int, frames: int, window: int, unit: int, held_out: float, rng: np.random.Generator
) -> tuple[list[Region], list[Region]]:
    """Holds out one run of units at a random place, where the stretch is long enough to spare one.

    It moves to an end of the stretch where what is left on that side would be too short to learn from.
    """
    units = frames // unit
    spared = round(units * held_out)
    start = unit * int(rng.integers(units - spared + 1))  # drawn in any case, so that one song does not move the others
    length = spared * unit
    if start < window:
        start = 0
    if frames - start - length < window:
        start = frames - length
    if not spared or 0 < start < window:
        return [Region(stretch, 0, frames)], []
    stop = start + length
    rest = [Region(stretch, 0, start), Region(stretch, stop, frames)]
    return [region for region in rest if region.frames], [Region(stretch, start, stop)]


def _divide_longest(training: list[Region], window: int, unit: int) -> tuple[list[Region], list[Region]]:
    """When no stretch could spare a unit: the last of the longest, if two windows stay before it."""
    longest = max(training, key=lambda region: region.frames)
    if longest.frames < 2 * window + unit:
        return training, []
    cut = longest.stop - unit
    rest = [region for region in training if region is not longest]
    return [*rest, Region(longest.stretch, longest.start, cut)], [Region(longest.stretch, cut, longest.stop)]
