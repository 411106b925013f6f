"""What a memory is made of: steps of 23 ms, described by levels, harmony and onsets."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import scipy.fft
import soxr

from memory.cuts import RATE, Track, mono
from music_composer.evaluation.audio.similarity.frechet_distance import DistanceOptions, log_mel
from music_composer.evaluation.audio.structure.pulse import PulseOptions, onset_strength

HOP = 1024  # samples to a step
PER_SECOND = RATE / HOP
SPECTRUM = DistanceOptions(floor_db=-100.0)
CHROMA_FFT, CHROMA_RANGE = 8192, (60.0, 4000.0)
RANGE_DB = 60.0


@dataclass(frozen=True)
class Steps:
    """One recording at one speed, (steps, ...) each."""

    mel: np.ndarray  # (steps, 64), dB, floored RANGE_DB below the loudest
    chroma: np.ndarray  # (steps, 12), shares
    onset: np.ndarray  # (steps,): strength, over its 95th percentile
    level: np.ndarray  # (steps,): RMS, dB

    def __len__(self) -> int:
        return len(self.mel)


def steps_of(samples: np.ndarray) -> Steps:
    """Of samples (n, 2) at RATE. What a step holds is centred on it: nothing later than 23 ms after it is in `mel`."""
    sound = mono(samples)
    count = len(sound) // HOP
    padded = np.pad(sound, (SPECTRUM.fft // 2, SPECTRUM.fft))
    levels = log_mel(padded, SPECTRUM)[: 2 * count]
    levels = np.maximum(levels, levels.max() - RANGE_DB)
    strength = onset_strength(levels, PulseOptions()).reshape(count, 2).max(axis=1)
    strength = np.minimum(strength / max(np.percentile(strength, 95), 1e-3), 2.0)
    power = np.square(sound[: count * HOP], dtype=np.float64).reshape(count, HOP).mean(axis=1)
    return Steps(
        levels.reshape(count, 2, -1).mean(axis=1).astype(np.float32),
        _chroma(sound, count),
        strength.astype(np.float32),
        (10 * np.log10(np.maximum(power, 1e-10))).astype(np.float32),
    )


def _chroma(sound: np.ndarray, count: int) -> np.ndarray:
    frequency = np.maximum(np.arange(CHROMA_FFT // 2 + 1) * RATE / CHROMA_FFT, 1.0)
    pitch = np.round(69 + 12 * np.log2(frequency / 440.0)).astype(int) % 12
    inside = (frequency > CHROMA_RANGE[0]) & (frequency < CHROMA_RANGE[1])
    classes = ((pitch[:, None] == np.arange(12)) & inside[:, None]).astype(np.float32)
    padded = np.pad(sound, (CHROMA_FFT - HOP, HOP)).astype(np.float32)  # what is heard up to the step's end
    frames = np.lib.stride_tricks.sliding_window_view(padded, CHROMA_FFT)[::HOP][:count]
    window = np.hanning(CHROMA_FFT).astype(np.float32)
    parts = []
    for at in range(0, count, 512):
        magnitude = np.abs(scipy.fft.rfft(frames[at : at + 512] * window, axis=1))
        parts.append(magnitude @ classes)
    chroma = np.concatenate(parts)
    return (chroma / (chroma.sum(axis=1, keepdims=True) + 1e-6)).astype(np.float32)


def at_speed(samples: np.ndarray, semitones: float) -> np.ndarray:
    """Resampled so that it sounds so many semitones higher, and is that much shorter."""
    if semitones == 0:
        return samples
    factor = 2.0 ** (semitones / 12)
    return soxr.resample(samples, round(RATE * factor), RATE).astype(np.float32)


def track_steps(track: Track, semitones: int, folder: Path) -> Steps:
    """The same of a track, kept in a folder."""
    kept = folder / f"{track.samples.stem}{semitones:+d}.npz"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        steps = steps_of(at_speed(track.load(), semitones))
        np.savez(
            kept, **{name: getattr(steps, name).astype(np.float16) for name in ("mel", "chroma", "onset", "level")}
        )
    stored = np.load(kept)
    return Steps(**{name: stored[name].astype(np.float32) for name in stored.files})


def joined(parts: list[Steps]) -> Steps:
    return Steps(*(np.concatenate([getattr(p, n) for p in parts]) for n in ("mel", "chroma", "onset", "level")))


def clipped(steps: Steps, first: int, last: int) -> Steps:
    return replace(
        steps,
        mel=steps.mel[first:last],
        chroma=steps.chroma[first:last],
        onset=steps.onset[first:last],
        level=steps.level[first:last],
    )
