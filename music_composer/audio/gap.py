"""A gap in a recording: the music on both sides, and how well a candidate's end meets the right one. No Keras."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from music_composer.audio.prompts import CONTEXT_FRAMES, Prompt, with_channels
from music_composer.audio.reading.recording import read_blocks
from music_composer.audio.spectrogram import sounding, spectrum, spectrum_to_bands, to_mid_side
from music_composer.errors import OptionError, RecordingError
from music_composer.options import FrameOptions, InfillOptions

DECIBELS = 20 / np.log(10)  # in a unit of a natural log-magnitude


@dataclasses.dataclass(frozen=True)
class Gap:
    """Samples start..stop of a recording of `total` samples, all at the frames' rate.

    left, right: float32 (samples, channels), the music that ends at `start` and that begins at `stop`.
    remarks: what was odd about the recording. gain: that it was brought up by.
    """

    path: Path
    start: int
    stop: int
    total: int
    left: np.ndarray
    right: np.ndarray
    remarks: tuple[str, ...] = ()
    gain: float = 1.0


@dataclasses.dataclass(frozen=True)
class Join:
    """The candidate that was taken. frame: of it, that falls on the gap's end; distances: the best of each, in dB."""

    candidate: int
    frame: int
    distances: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class Filling:
    """What goes over the gap and a fade on either side of it.

    samples: (samples, channels of the recording). first: sample of the recording that they begin at.
    speed: the candidate's, so that its best moment falls on the gap's end; 1 is as it was played.
    jumps: samples of the filling at which it goes on elsewhere in what is remembered.
    """

    samples: np.ndarray
    first: int
    join: Join
    speed: float
    jumps: tuple[int, ...] = ()


def read_gap(
    path: Path,
    start: float,
    stop: float,
    heard_seconds: float,
    frame: FrameOptions,
    infill: InfillOptions,
    after_seconds: float = 0.0,
) -> Gap:
    """Reads what lies around the gap from `start` to `stop` (seconds), in memory for that alone.

    heard_seconds: of the music left of it, at most. after_seconds: of that right of it, and as much as is compared with
    at least. Raises OptionError for a gap that makes no sense, RecordingError
    where there is too little music beside it.
    """
    if not 0 <= start < start + 1 / frame.rate <= stop < float("inf"):
        raise OptionError(f"--from {start:g} --to {stop:g}: a gap begins at 0 s or later and ends after its beginning")
    if stop - start > infill.longest_seconds:
        raise OptionError(
            f"--from {start:g} --to {stop:g}: a gap of more than {infill.longest_seconds:g} s cannot be led to what "
            "follows it: continue the left side with --prompt instead"
        )
    first, last = round(start * frame.rate), round(stop * frame.rate)
    nearby = CONTEXT_FRAMES * frame.hop + frame.window  # samples that are needed on either side
    compared = frame.frames_in(infill.match_seconds) * frame.hop + frame.window
    reach = max(nearby, compared, round(after_seconds * frame.rate))
    left, right = max(0, first - round(heard_seconds * frame.rate)), last + reach
    reading, blocks = read_blocks(path, frame.rate)
    total, kept = 0, []
    for block in blocks:
        kept.append((block[max(0, left - total) :] if total < left else block)[: max(0, right - max(left, total))])
        total += len(block)
    if last > total:
        raise OptionError(f"--from {start:g} --to {stop:g}: {path} ends at {total / frame.rate:.3f} s")
    around = np.concatenate(kept)
    sides = around[: first - left], around[last - left :]
    gap = Gap(path, first, last, total, *sides, tuple(reading.remarks), max(1.0, reading.gain))
    for side, sound, place in (("before", gap.left, start), ("after", gap.right, stop)):
        if len(sound) < nearby:
            raise RecordingError(
                f"{path}: only {len(sound) / frame.rate:.2f} s of music {side} {place:g} s, and "
                f"{nearby / frame.rate:.2f} s are needed for the gap's edge to fit"
            )
    return gap


def prompt_before(gap: Gap, channels: int, stack: int, frame: FrameOptions) -> Prompt:
    """The music left of the gap as a prompt: its last frame ends where the gap begins, so that none has seen the gap.

    Raises RecordingError where it is silent.
    """
    samples = with_channels(gap.left[len(gap.left) % frame.hop :], channels)
    bands = bands_of(samples, frame)
    if not sounding(bands.max(axis=(1, 2)), frame)[1]:
        raise RecordingError(f"{gap.path}: silent before {gap.start / frame.rate:g} s: there is nothing to go on from")
    cut = len(bands) * frame.hop
    heard = len(bands) // stack * stack
    return Prompt(gap.path, samples[:cut], bands[-heard:], first_new_sample(gap, frame) / frame.rate, False)


def first_new_sample(gap: Gap, frame: FrameOptions) -> int:
    """Where the window of the first generated frame begins: it reaches over the gap's beginning by one hop."""
    return gap.start - (frame.window - frame.hop)


def frames_to_end(gap: Gap, frame: FrameOptions) -> float:
    """How many hops there are from the first generated frame to the gap's end."""
    return (gap.stop - first_new_sample(gap, frame)) / frame.hop


def places_to_join(gap: Gap, frame: FrameOptions, infill: InfillOptions) -> range:
    """Frames of a candidate that may fall on the gap's end."""
    end = frames_to_end(gap, frame)
    span = min(infill.search_seconds * frame.frames_per_second, infill.most_bend * end)
    first, last = int(np.ceil(end - span)), int(np.floor(end + span))
    return range(first, last + 1) if first <= last else range(round(end), round(end) + 1)


def best_join(candidates: np.ndarray, right: np.ndarray, places: range) -> Join:
    """Where which candidate goes over best into the music after the gap.

    candidates: bands (candidates, frames, channels, bands). right: (frames, channels, bands), those of the music after
    the gap. Distance: the root of the mean squared difference of the bands, in decibels.
    """
    count = len(right)
    distances = np.stack(
        [np.sqrt(np.mean((candidates[:, p : p + count] - right) ** 2, axis=(1, 2, 3))) for p in places], axis=1
    )
    candidate, place = np.unravel_index(np.argmin(distances), distances.shape)
    each = tuple(round(float(distance) * DECIBELS, 2) for distance in distances.min(axis=1))
    return Join(int(candidate), places[int(place)], each)


def bands_of(samples: np.ndarray, frame: FrameOptions) -> np.ndarray:
    """Bands (frames, channels, bands) of every whole window in (samples, channels), the first at its beginning."""
    mid_side = np.ascontiguousarray(to_mid_side(samples), np.float32)
    return spectrum_to_bands(spectrum(mid_side, frame), frame).transpose(1, 0, 2)
