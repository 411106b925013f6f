"""Albums divided: whole tracks held out, a prompt of each, the part that truly follows and the part after it.

The division depends on the files' bytes alone, so that every program can be judged on the same one.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from music_composer.evaluation.audio.cuts import CutOptions, lengths_for, place_of

RATE = 44100
SUFFIXES = {".ogg", ".wav", ".flac", ".mp3"}
SILENT = 10.0 ** (-60.0 / 20.0)  # a track begins and ends where it is louder


@dataclass(frozen=True)
class Track:
    path: Path
    digest: str  # of the file's bytes
    samples: Path  # decoded at RATE, int16, (n, 2), without silence at its ends; an .npy file

    @property
    def name(self) -> str:
        return self.path.stem

    def load(self, start: float = 0.0, stop: float = float("inf")) -> np.ndarray:
        """Samples (n, 2), full scale 1, from second to second."""
        stored = np.load(self.samples, mmap_mode="r")
        last = len(stored) if stop == float("inf") else round(stop * RATE)
        return stored[round(start * RATE) : last].astype(np.float32) / 32767.0

    @property
    def seconds(self) -> float:
        return len(np.load(self.samples, mmap_mode="r")) / RATE


@dataclass(frozen=True)
class Cut:
    """A held-out track: the prompt ends at `at`, the truth is as long as `part`, the ruler follows it."""

    track: Track
    at: float
    part: float

    def prompt(self) -> np.ndarray:
        return self.track.load(0.0, self.at)

    def truth(self) -> np.ndarray:
        return self.track.load(self.at, self.at + self.part)

    def later(self) -> np.ndarray:
        return self.track.load(self.at + self.part, self.at + 2 * self.part)


@dataclass(frozen=True)
class Album:
    name: str
    training: tuple[Track, ...]
    cuts: tuple[Cut, ...]

    @property
    def minutes(self) -> float:
        return sum(track.seconds for track in self.training) / 60.0


def divide(folder: Path, work: Path, most_minutes: float = 6.0, share: float = 1 / 3) -> Album:
    """Holds out a share of the tracks that are long enough, those whose digests come first.

    A folder with train/ and test/ is divided already. Tracks are cut as `evaluate` cuts them. most_minutes: of a
    training track, to keep trials short.
    """
    options = CutOptions()
    if (folder / "train").is_dir() and (folder / "test").is_dir():
        learnt, tracks = (_tracks(folder / part, work) for part in ("train", "test"))
        most = len(tracks)
    else:
        learnt = tracks = _tracks(folder, work)
        most = max(2, round(share * len(tracks)))
    least, part = lengths_for([track.seconds for track in tracks], options)
    able = sorted((track for track in tracks if track.seconds >= least + 2 * part), key=lambda track: track.digest)
    held = able[:most]
    ordered = sorted(held, key=lambda track: track.name)
    cuts = [Cut(track, place_of(track.seconds, least, part, options), part) for track in ordered]
    training = tuple(_clipped(track, most_minutes) for track in learnt if track not in held)
    return Album(folder.name, training, tuple(cuts))


def _tracks(folder: Path, work: Path) -> list[Track]:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return [_decoded(path, work / "decoded") for path in files]


def _decoded(path: Path, folder: Path) -> Track:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    target = folder / f"{digest[:16]}.npy"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        if rate != RATE:
            samples = soxr.resample(samples, rate, RATE)
        samples = samples[:, :2] if samples.shape[1] > 1 else np.repeat(samples, 2, axis=1)
        loud = np.flatnonzero(np.abs(samples).max(axis=1) > SILENT)
        samples = samples[loud[0] : loud[-1] + 1]
        np.save(target, np.round(samples.clip(-1, 1) * 32767).astype(np.int16))
    return Track(path, digest, target)


def _clipped(track: Track, minutes: float) -> Track:
    """The track's first minutes."""
    stored = np.load(track.samples, mmap_mode="r")
    if len(stored) <= minutes * 60 * RATE:
        return track
    most = round(minutes * 60 * RATE)
    target = track.samples.with_name(f"{track.digest[:16]}-{minutes:g}.npy")
    if not target.exists():
        np.save(target, stored[:most])
    return Track(track.path, track.digest, target)


def mono(samples: np.ndarray) -> np.ndarray:
    return samples.mean(axis=1)
