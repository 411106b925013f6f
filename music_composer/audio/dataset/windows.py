"""Songs of frames to batches of training windows. Random only through (seed, epoch): any epoch can be replayed.

Training and validation music each become one long array of frames, read from disk where a window is cut. The end of a
song leads into the next: without that the model would learn how music ends and never what comes then, and its
continuations would stay silent after their first ending. No window reaches over a part that is held out.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from music_composer.audio.frame_arrays import FrameArray, JoinedFrames
from music_composer.audio.spectrogram import bent, to_steps
from music_composer.errors import RecordingError
from music_composer.options import TrainOptions

SHORTEST_WINDOW = 8  # steps
# What is held out comes in units of so many, however long the windows are: three of them are enough to be judged by.
HELD_OUT_STEPS = 131


@dataclasses.dataclass(frozen=True)
class Segment:
    """Frames start..stop of the song of that number."""

    song: int
    start: int
    stop: int

    @property
    def frames(self) -> int:
        return self.stop - self.start


@dataclasses.dataclass(frozen=True)
class Passage:
    """Frames of the training music that windows are cut from. ring: the end leads into the start."""

    start: int
    frames: int
    ring: bool = False


@dataclasses.dataclass(frozen=True)
class Dataset:
    """What is trained on and what is held out.

    training, validation: frames (frames, channels, bands), left on disk.
    window: frames in a window; it covers `window // stack - 1` predictions.
    unit: frames in a window of the validation music; 0 where there is too little of that.
    passages: of the training music, each at least a window long.
    joined: songs that are shorter than a window.
    """

    training: JoinedFrames
    validation: JoinedFrames
    window: int
    unit: int
    stack: int
    passages: tuple[Passage, ...]
    joined: int

    @functools.cached_property
    def windows_in_epoch(self) -> int:
        return sum(self.windows_in(passage) for passage in self.passages)

    def windows_in(self, passage: Passage) -> int:
        return -(-passage.frames // self.window)

    def batches_in_epoch(self, batch_size: int) -> int:
        """How many batches are learnt: a last one that would be filled up by more than half is left to other epochs."""
        return max(1, round(self.windows_in_epoch / batch_size))


def window_steps_for(total: int, stack: int, options: TrainOptions) -> int:
    """Steps in a window for `total` frames of music: those asked for, or fewer, so that an epoch fills a batch."""
    there = total // stack // options.batch_size
    return min(options.window_steps, max(there, options.least_window_steps))


def window_frames(total: int, window_steps: int, stack: int) -> tuple[int, int]:
    """Frames in a window of training and of validation music, where there are `total` frames.

    Raises RecordingError when that is too little for the shortest window.
    """
    steps = min(window_steps + 1, total // stack)
    if steps <= SHORTEST_WINDOW:
        raise RecordingError(
            f"there are only {total} frames of music, and at least {least_frames(stack)} are needed: "
            "add more or longer recordings"
        )
    return steps * stack, min(steps, HELD_OUT_STEPS) * stack


def least_frames(stack: int) -> int:
    """Frames of music that can just be learnt from."""
    return (SHORTEST_WINDOW + 1) * stack


def dataset_of(
    songs: Sequence[FrameArray],
    training: Sequence[Segment],
    validation: Sequence[Segment],
    window_steps: int,
    stack: int,
) -> Dataset:
    """The segments of songs, arrays (frames, channels, bands), as one array to train on and one to judge by.

    Raises RecordingError when all training music together is too short for the shortest window.
    """
    training, validation = (sorted(part, key=lambda s: (s.song, s.start)) for part in (training, validation))
    window, unit = window_frames(sum(segment.frames for segment in training), window_steps, stack)
    unit = min(unit, sum(segment.frames for segment in validation) // stack * stack)
    if unit < least_frames(stack):
        unit = 0
    return Dataset(
        _joined(songs, training),
        _joined(songs, _whole_units(validation, unit) if unit else ()),
        window,
        unit,
        stack,
        _passages(songs, training, window),
        sum(len(song) < window for song in songs),
    )


def epoch_windows(dataset: Dataset, seed: int, epoch: int) -> list[int]:
    """The first frame of every window of an epoch in the training music, in the order in which they are learnt.

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
        windows.append((passage.start + starts) % len(dataset.training))
    return rng.permutation(np.concatenate(windows)).tolist()


def held_out_windows(dataset: Dataset) -> list[int]:
    """The first frame of every window of the validation music: always the same."""
    return list(range(0, len(dataset.validation), dataset.unit)) if dataset.unit else []


def epoch_speeds(count: int, stretch: float, seed: int, epoch: int) -> np.ndarray:
    """How fast each window of an epoch is played, up to a share of `stretch` faster or slower, (count,)."""
    return np.random.default_rng([seed, 4, epoch]).uniform(1 - stretch, 1 + stretch, count)


def batches(
    music: JoinedFrames,
    stack: int,
    windows: Sequence[int],
    frames: int,
    batch_size: int,
    first: int = 0,
    speeds: Sequence[float] | np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Batches (batch, steps, stack * channels * bands), float32, from the `first`-th on; the last is filled up.

    windows: the first frame of each. frames: in each. speeds: at which they are played; None: their own.
    A batch of another size would be another graph; it is filled with windows from the front, which are thus seen
    twice in that epoch.
    """
    for start in range(first * batch_size, len(windows), batch_size):
        chosen = [i % len(windows) for i in range(start, start + batch_size)]
        speed = [1.0 if speeds is None else float(speeds[i]) for i in chosen]
        yield np.stack([cut_window(music, stack, windows[i], frames, by) for i, by in zip(chosen, speed, strict=True)])


def cut_window(music: JoinedFrames, stack: int, start: int, frames: int, speed: float = 1.0) -> np.ndarray:
    """So many frames as steps, shape (steps, stack * channels * bands), float32, of music played at some speed.

    Where it reaches over the end of the music, it goes on with the beginning.
    """
    if speed == 1:
        return to_steps(music.around(start, frames), stack)
    cut = music.around(start, math.ceil(frames * speed) + 1)
    return to_steps(bent(np.asarray(cut, np.float32), frames, speed), stack)


def _joined(songs: Sequence[FrameArray], segments: Sequence[Segment]) -> JoinedFrames:
    return JoinedFrames([(songs[each.song], each.start, each.stop) for each in segments])


def _whole_units(segments: Sequence[Segment], unit: int) -> list[Segment]:
    """Segments without what is left over beside whole units; those that are shorter than one are joined to units."""
    long = [dataclasses.replace(each, stop=each.start + each.frames // unit * unit) for each in segments]
    whole = [each for each in long if each.frames]
    short = [each for each in segments if each.frames < unit]
    spare = sum(each.frames for each in short) % unit
    while spare and short:  # the last ones make no unit
        last = short.pop()
        kept = max(0, last.frames - spare)
        spare -= last.frames - kept
        if kept:
            short.append(dataclasses.replace(last, stop=last.start + kept))
    return whole + short


def _passages(songs: Sequence[FrameArray], segments: Sequence[Segment], window: int) -> tuple[Passage, ...]:
    """The training music from one held-out part to the next, around from the last song to the first.

    What is shorter than a window between two held-out parts is joined with what follows.
    """

    def leads(one: Segment, other: Segment) -> bool:
        """Whether `other` follows in the music, or begins a song after the end of another."""
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
