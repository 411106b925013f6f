"""Songs of frames to batches of training windows. Randomness follows from (seed, epoch), so any epoch can be replayed.

Training and validation music each become one long array of frames, read from disk where a window is cut. The end of a
song leads into the next. Otherwise the model would learn endings but not what comes after them, and its continuations
would stay silent after the first ending. No training window contains held-out music.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from music_composer.audio.frame_arrays import FrameArray, JoinedFrames
from music_composer.audio.spectrogram import time_stretched, to_steps
from music_composer.errors import RecordingError
from music_composer.training.options import TrainOptions
from music_composer.values import Rows

SHORTEST_WINDOW = 8  # steps
# Held-out music comes in units of this length, however long the windows are: three units are enough to judge by.
HELD_OUT_STEPS = 131
MOST_HELD_OUT = 310_000  # frames that are judged after each epoch, about an hour, taken from everywhere


@dataclasses.dataclass(frozen=True, slots=True)  # there may be very many
class Segment:
    """Frames start..stop of song number `song`."""

    song: int
    start: int
    stop: int

    @property
    def frames(self) -> int:
        return self.stop - self.start


@dataclasses.dataclass(frozen=True, slots=True)  # there may be very many
class Passage:
    """A contiguous part of the training music. ring: its end leads into its start."""

    start: int
    frames: int
    ring: bool = False


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Training and validation music as windows.

    training, validation: frames (frames, channels, bands), left on disk.
    window: frames in a window; it covers `window // frames_per_step - 1` predictions.
    unit: frames in a window of the validation music; 0 where there is too little of it.
    passages: parts of the training music, each at least a window long.
    joined: number of songs shorter than a window.
    """

    training: JoinedFrames
    validation: JoinedFrames
    window: int
    unit: int
    frames_per_step: int
    passages: tuple[Passage, ...]
    joined: int

    @functools.cached_property
    def windows_in_epoch(self) -> int:
        return sum(self.windows_in(passage) for passage in self.passages)

    def windows_in(self, passage: Passage) -> int:
        """Returns how many windows cover a passage."""
        return -(-passage.frames // self.window)

    def batches_in_epoch(self, batch_size: int) -> int:
        """Returns the number of batches. A last batch with fewer than half of its windows is left out of this epoch."""
        return max(1, round(self.windows_in_epoch / batch_size))


def window_steps_for(total: int, frames_per_step: int, options: TrainOptions) -> int:
    """Returns the steps in a window for `total` frames of music: fewer than requested where a batch needs more."""
    available = total // frames_per_step // options.batch_size
    return min(options.window_steps, max(available, options.least_window_steps))


def window_frames(total: int, window_steps: int, frames_per_step: int) -> tuple[int, int]:
    """Returns the frames in a window of training and of validation music, for `total` frames of music.

    Raises RecordingError when that is too little for the shortest window.
    """
    steps = min(window_steps + 1, total // frames_per_step)
    if steps <= SHORTEST_WINDOW:
        raise RecordingError(
            f"there are only {total} frames of music, and at least {min_frames(frames_per_step)} are needed: "
            "add more or longer recordings"
        )
    return steps * frames_per_step, min(steps, HELD_OUT_STEPS) * frames_per_step


def min_frames(frames_per_step: int) -> int:
    """Returns the fewest frames of music that can be trained on."""
    return (SHORTEST_WINDOW + 1) * frames_per_step


def dataset_of(
    songs: Sequence[FrameArray],
    training: Sequence[Segment],
    validation: Sequence[Segment],
    window_steps: int,
    frames_per_step: int,
) -> Dataset:
    """Joins segments of songs, arrays (frames, channels, bands), to training and validation music.

    Raises RecordingError when all training music together is shorter than the shortest window.
    """
    training, validation = (sorted(part, key=lambda s: (s.song, s.start)) for part in (training, validation))
    window, unit = window_frames(sum(segment.frames for segment in training), window_steps, frames_per_step)
    unit = min(unit, sum(segment.frames for segment in validation) // frames_per_step * frames_per_step)
    if unit < min_frames(frames_per_step):
        unit = 0
    return Dataset(
        _joined(songs, training),
        _joined(songs, _whole_units(validation, unit) if unit else ()),
        window,
        unit,
        frames_per_step,
        _passages(songs, training, window),
        sum(len(song) < window for song in songs),
    )


def epoch_windows(dataset: Dataset, seed: int, epoch: int) -> list[int]:
    """Returns the first frame of every window of an epoch, in training order.

    The windows of a passage cover all of it. A passage is seldom a whole number of windows: overlaps are random, and a
    ring is entered anywhere, so epochs see the music at different offsets.
    """
    rng = np.random.default_rng([seed, 1, epoch])
    windows = []
    for passage in dataset.passages:
        count = dataset.windows_in(passage)
        if passage.ring:
            starts = (rng.integers(passage.frames) + np.arange(count) * passage.frames // count) % passage.frames
        else:
            spare = count * dataset.window - passage.frames
            early = np.sort(rng.integers(0, spare + 1, count))  # frames by which each window begins earlier
            # The first and the last window reach the ends of the passage.
            early[[0, -1]] = 0, spare
            starts = np.arange(count) * dataset.window - early
        windows.append((passage.start + starts) % len(dataset.training))
    return rng.permutation(np.concatenate(windows)).tolist()


def held_out_windows(dataset: Dataset) -> list[int]:
    """Returns the first frame of each window of validation music that is judged by. They never change.

    They cover all of it up to MOST_HELD_OUT frames, and are evenly spaced where there is more.
    """
    if not dataset.unit:
        return []
    windows = range(0, len(dataset.validation), dataset.unit)
    count = min(len(windows), max(1, MOST_HELD_OUT // dataset.unit))
    return [windows[i * len(windows) // count] for i in range(count)]


def epoch_speeds(count: int, time_stretch: float, seed: int, epoch: int) -> np.ndarray:
    """Returns the speed of each window of an epoch, between 1 - time_stretch and 1 + time_stretch, (count,)."""
    return np.random.default_rng([seed, 4, epoch]).uniform(1 - time_stretch, 1 + time_stretch, count)


def batches(
    music: JoinedFrames,
    frames_per_step: int,
    windows: Sequence[int],
    frames: int,
    batch_size: int,
    first: int = 0,
    speeds: Sequence[float] | np.ndarray | None = None,
    rows: Rows | None = None,
) -> Iterator[np.ndarray]:
    """Yields batches (batch, steps, frames_per_step * channels * bands), float32, from batch number `first` on.

    windows: the first frame of each. frames: in each window. speeds: of each; None: 1. A batch of another size would
    need another graph. So the last batch is filled with windows from the front, which occur twice in that epoch.
    rows: those of each batch that are cut; None: all of them.
    """
    for start in range(first * batch_size, len(windows), batch_size):
        chosen = [i % len(windows) for i in range(start, start + batch_size)]
        if rows:
            chosen = chosen[rows.start : rows.stop]
        speed = [1.0 if speeds is None else float(speeds[i]) for i in chosen]
        yield np.stack(
            [cut_window(music, frames_per_step, windows[i], frames, by) for i, by in zip(chosen, speed, strict=True)]
        )


def cut_window(music: JoinedFrames, frames_per_step: int, start: int, frames: int, speed: float = 1.0) -> np.ndarray:
    """Cuts `frames` frames as steps, float32 (steps, frames_per_step * channels * bands), played at `speed`.

    At the end of the music it continues with the beginning.
    """
    if speed == 1:
        return to_steps(music.around(start, frames), frames_per_step)
    cut = music.around(start, math.ceil(frames * speed) + 1)
    return to_steps(time_stretched(np.asarray(cut, np.float32), frames, speed), frames_per_step)


def _joined(songs: Sequence[FrameArray], segments: Sequence[Segment]) -> JoinedFrames:
    return JoinedFrames([(songs[segment.song], segment.start, segment.stop) for segment in segments])


def _whole_units(segments: Sequence[Segment], unit: int) -> list[Segment]:
    """Cuts segments to whole units. Segments shorter than a unit are joined to units."""
    long = [dataclasses.replace(segment, stop=segment.start + segment.frames // unit * unit) for segment in segments]
    whole = [segment for segment in long if segment.frames]
    short = [segment for segment in segments if segment.frames < unit]
    spare = sum(segment.frames for segment in short) % unit
    while spare and short:  # the rest is too short for a unit
        last = short.pop()
        kept = max(0, last.frames - spare)
        spare -= last.frames - kept
        if kept:
            short.append(dataclasses.replace(last, stop=last.start + kept))
    return whole + short


def _passages(songs: Sequence[FrameArray], segments: Sequence[Segment], window: int) -> tuple[Passage, ...]:
    """Returns the training music between held-out parts, around from the last song to the first.

    A part between two held-out parts that is shorter than a window is joined with the next.
    """

    def leads(one: Segment, other: Segment) -> bool:
        """Returns whether `other` follows in the music, or begins a song after the end of another."""
        if one.song == other.song and one.stop == other.start:
            return True
        return one.stop == len(songs[one.song]) and other.start == 0

    starts = np.concatenate([[0], np.cumsum([segment.frames for segment in segments])]).astype(int)
    total = int(starts[-1])
    breaks = [int(starts[i]) for i in range(len(segments)) if not leads(segments[i - 1], segments[i])]
    if not breaks:
        return (Passage(0, total, ring=True),)
    passages: list[Passage] = []
    for start, stop in itertools.pairwise([*breaks, breaks[0] + total]):
        if passages and passages[-1].frames < window:
            passages[-1] = Passage(passages[-1].start, passages[-1].frames + stop - start)
        else:
            passages.append(Passage(start, stop - start))
    if passages[-1].frames < window and len(passages) > 1:
        last = passages.pop()
        passages[-1] = Passage(passages[-1].start, passages[-1].frames + last.frames)
    return tuple(passages)
