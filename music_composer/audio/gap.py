"""A gap in a recording: the music on both sides, and how well a candidate meets the right side. No Keras."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from music_composer.audio.options import FrameOptions
from music_composer.audio.play_options import InfillOptions
from music_composer.audio.prompts import CONTEXT_FRAMES, Prompt, with_channels
from music_composer.audio.reading.recording import read_blocks
from music_composer.audio.spectrogram import sounding, spectrum, spectrum_to_bands, to_mid_side
from music_composer.errors import OptionError, RecordingError

DECIBELS = 20 / np.log(10)  # in a unit of a natural log-magnitude


@dataclasses.dataclass(frozen=True)
class Gap:
    """Samples start..stop of a recording of `total` samples, all at the rate of the frames.

    left, right: float32 (samples, channels), the music that ends at `start` and that begins at `stop`. remarks:
    oddities of the recording. gain: factor by which its samples were multiplied.
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
    """The chosen candidate.

    frame: its frame that falls on the end of the gap. distances: the best distance of each candidate, in dB.
    """

    candidate: int
    frame: int
    distances: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class Filling:
    """Sound that covers the gap and a crossfade on either side of it.

    samples: (samples, channels of the recording). first: the sample of the recording at which they begin. speed: of the
    candidate, chosen so that its best frame falls on the end of the gap; 1 is its own speed. jumps: samples of the
    filling at which the player jumped.
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
    before_seconds: float,
    frame: FrameOptions,
    infill: InfillOptions,
    after_seconds: float = 0.0,
) -> Gap:
    """Reads the music around the gap from `start` to `stop`, in seconds. Only that part is kept in memory.

    before_seconds: music to keep left of the gap, at most. after_seconds: music to keep right of it; at least as much
    is read as candidates are compared with. Raises OptionError for an impossible gap and RecordingError when there is
    too little music beside it.
    """
    if not 0 <= start < start + 1 / frame.rate <= stop < float("inf"):
        raise OptionError(f"--from {start:g} --to {stop:g}: a gap begins at 0 s or later and ends after its beginning")
    if stop - start > infill.longest_seconds:
        raise OptionError(
            f"--from {start:g} --to {stop:g}: a gap of more than {infill.longest_seconds:g} s cannot be led to what "
            "follows it: continue the left side with --prompt instead"
        )
    first, last = round(start * frame.rate), round(stop * frame.rate)
    nearby = CONTEXT_FRAMES * frame.hop + frame.window  # samples needed on either side
    compared = frame.frames_in(infill.match_seconds) * frame.hop + frame.window
    reach = max(nearby, compared, round(after_seconds * frame.rate))
    left, right = max(0, first - round(before_seconds * frame.rate)), last + reach
    reading, blocks = read_blocks(path, frame.rate)
    total, kept = 0, []
    # All of the file is read, because only its end shows whether the gap lies within it.
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


def prompt_before(gap: Gap, channels: int, frames_per_step: int, frame: FrameOptions) -> Prompt:
    """Returns the music left of the gap as a prompt.

    Its last frame ends where the gap begins, so no frame contains any of the gap. Raises RecordingError when it is
    silent.
    """
    # Whole hops, so that the last window ends exactly at the gap.
    samples = with_channels(gap.left[len(gap.left) % frame.hop :], channels)
    bands = bands_of(samples, frame)
    if not sounding(bands.max(axis=(1, 2)), frame)[1]:
        raise RecordingError(f"{gap.path}: silent before {gap.start / frame.rate:g} s: there is nothing to continue")
    cut = len(bands) * frame.hop
    count = len(bands) // frames_per_step * frames_per_step
    return Prompt(gap.path, samples[:cut], bands[-count:], first_new_sample(gap, frame) / frame.rate, False)


def first_new_sample(gap: Gap, frame: FrameOptions) -> int:
    """Returns where the window of the first generated frame begins. It reaches one hop into the gap."""
    return gap.start - (frame.window - frame.hop)


def frames_to_end(gap: Gap, frame: FrameOptions) -> float:
    """Returns the number of hops from the first generated frame to the end of the gap."""
    return (gap.stop - first_new_sample(gap, frame)) / frame.hop


def places_to_join(gap: Gap, frame: FrameOptions, infill: InfillOptions) -> range:
    """Returns the frames of a candidate that may fall on the end of the gap."""
    end = frames_to_end(gap, frame)
    span = min(infill.search_seconds * frame.frames_per_second, infill.max_time_stretch * end)
    first, last = int(np.ceil(end - span)), int(np.floor(end + span))
    return range(first, last + 1) if first <= last else range(round(end), round(end) + 1)


def best_join(candidates: np.ndarray, right: np.ndarray, places: range) -> Join:
    """Finds the candidate, and its frame, that leads best into the music after the gap.

    candidates: bands (candidates, frames, channels, bands). right: bands (frames, channels, bands) of the music after
    the gap. The distance is the root mean square difference of the bands, in dB.
    """
    count = len(right)
    distances = np.stack(
        [np.sqrt(np.mean((candidates[:, p : p + count] - right) ** 2, axis=(1, 2, 3))) for p in places], axis=1
    )
    candidate, place = np.unravel_index(np.argmin(distances), distances.shape)
    each = tuple(round(float(distance) * DECIBELS, 2) for distance in distances.min(axis=1))
    return Join(int(candidate), places[int(place)], each)


def bands_of(samples: np.ndarray, frame: FrameOptions) -> np.ndarray:
    """Returns the bands (frames, channels, bands) of all whole windows of samples (samples, channels).

    Unlike `waveform_to_frames` it adds no padding: the first window begins at the first sample.
    """
    mid_side = np.ascontiguousarray(to_mid_side(samples), np.float32)
    return spectrum_to_bands(spectrum(mid_side, frame), frame).transpose(1, 0, 2)
