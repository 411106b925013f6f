"""A memory in its folder: what can be played again, and the steps that it is compared by. No Keras, no pickle.

    index.json                   magic, version, options, one entry for each part of a recording
    steps-0123456789abcdef.npy   float16 (steps, bands + 1): levels, and onsets in the last column
    sound-0123456789abcdef.flac  16 bits, the sound of these steps

The folder is of use without the recordings that it was made from. An hour is 20 MB of steps and 250 to 350 MB of sound.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import soundfile

from music_composer.audio.memory.steps import StepOptions, Steps
from music_composer.audio.wav import write_flac
from music_composer.errors import OptionError, RecordError, RunFolderError
from music_composer.files import read_json, reason, whole_file, write_json
from music_composer.options import require_within
from music_composer.records import from_plain
from music_composer.values import Waveform

INDEX = "index.json"
MAGIC, VERSION = "music-composer memory", 1
NAME = re.compile("[0-9a-f]{16}")
MOST_STEPS = 2**40


@dataclasses.dataclass(frozen=True)
class Entry:
    """One part of a recording.

    source: path of the recording, as seen from the dataset folder. name: of its files here. step: samples of a step.
    """

    source: str
    name: str
    steps: int
    step: int
    rate: int
    channels: int

    def __post_init__(self) -> None:
        """Raises OptionError for an entry that leads elsewhere or cannot be."""
        if not NAME.fullmatch(self.name):
            raise OptionError(f"{self.name!r} is no name of a memory's file")
        require_within(self, 1, MOST_STEPS, "steps", "step", "rate")
        require_within(self, 1, 2, "channels")


@dataclasses.dataclass(frozen=True)
class Remembered:
    """A part of a recording: its steps, and where its sound lies."""

    entry: Entry
    steps: Steps
    path: Path

    def sound(self, first: int, last: int) -> np.ndarray:
        """Samples first..last, float32 (samples, channels), silent before the part's beginning and behind its end.

        Raises RunFolderError when the file is gone or damaged.
        """
        sound = np.zeros((last - first, self.entry.channels), np.float32)
        start, stop = max(first, 0), min(last, self.entry.steps * self.entry.step)
        if start >= stop:
            return sound
        try:
            with soundfile.SoundFile(self.path) as file:
                file.seek(start)
                found = file.read(stop - start, "float32", always_2d=True)
        except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
            raise _damaged(self.path, error) from error
        if found.shape != (stop - start, self.entry.channels):
            raise _damaged(self.path, f"holds {found.shape} samples, not {(stop - start, self.entry.channels)}")
        sound[start - first : stop - first] = found
        return sound


def remember(folder: Path, source: str, sound: Waveform, steps: Steps, options: StepOptions, step: int) -> Entry:
    """Writes one part's files. What is behind the last step is left out; the index is written by `write_index`.

    sound: of the part, at least as many samples as its steps have. step: samples of a step.
    Raises OptionError for too little sound, MusicComposerError when the disk refuses.
    """
    needed = len(steps) * step
    if len(sound.samples) < needed or not len(steps):
        raise OptionError(f"{source}: {len(sound.samples)} samples for {len(steps)} steps of {step}")
    samples = np.ascontiguousarray(sound.samples[:needed], np.float32)
    rows = np.concatenate([steps.levels, steps.onsets[:, None]], axis=1).astype(np.float16)
    digest = hashlib.blake2b(samples.tobytes(), digest_size=8)
    digest.update(repr((options, step, sound.rate)).encode())
    entry = Entry(source, digest.hexdigest(), len(steps), step, sound.rate, samples.shape[1])
    with whole_file(_steps_path(folder, entry)) as part:
        np.save(part, rows)
    write_flac(_sound_path(folder, entry), Waveform(samples, sound.rate))
    return entry


def write_index(folder: Path, entries: Sequence[Entry], options: StepOptions) -> None:
    """Makes the entries the memory of the folder; files of other entries are removed."""
    label = {"magic": MAGIC, "version": VERSION, "options": dataclasses.asdict(options)}
    write_json(folder / INDEX, {**label, "entries": [dataclasses.asdict(entry) for entry in entries]})
    kept = {path.name for entry in entries for path in (_steps_path(folder, entry), _sound_path(folder, entry))}
    for path in [*folder.glob("steps-*.npy"), *folder.glob("sound-*.flac")]:
        if path.name not in kept:
            path.unlink(missing_ok=True)


def recall(folder: Path, options: StepOptions) -> list[Remembered]:
    """The memory of a folder. Raises RunFolderError when there is none, it is damaged, or has other options."""
    return [
        Remembered(entry, _read_steps(folder, entry), _sound_path(folder, entry)) for entry in _read(folder, options)
    ]


def bytes_of(folder: Path, entries: Iterable[Entry]) -> int:
    """What the files of the entries take."""
    paths = [path(folder, entry) for entry in entries for path in (_steps_path, _sound_path)]
    return sum(path.stat().st_size for path in paths)


def _read(folder: Path, options: StepOptions) -> list[Entry]:
    path = folder / INDEX
    try:
        plain = read_json(path)
    except OSError as error:
        raise RunFolderError(f"{path} cannot be read: {reason(error)}: train again, or give another -m") from error
    except ValueError as error:
        raise _damaged(path, error) from error
    if not isinstance(plain, dict) or (plain.get("magic"), plain.get("version")) != (MAGIC, VERSION):
        raise _damaged(path, "not a memory, or one of another version")
    try:
        made = from_plain(StepOptions, plain.get("options"))
        entries = [from_plain(Entry, each) for each in plain.get("entries", [])]
    except (RecordError, TypeError) as error:
        raise _damaged(path, error) from error
    if made != options:
        raise RunFolderError(f"{path} was made with {made}, and not with {options}: train again, or give another -m")
    return entries


def _read_steps(folder: Path, entry: Entry) -> Steps:
    path = _steps_path(folder, entry)
    try:
        rows = np.load(path, allow_pickle=False).astype(np.float32)
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(path, error) from error
    if rows.ndim != 2 or len(rows) != entry.steps or rows.shape[1] < 2 or not np.isfinite(rows).all():
        raise _damaged(path, f"{rows.shape} numbers are not {entry.steps} steps")
    return Steps(rows[:, :-1], rows[:, -1])


def _steps_path(folder: Path, entry: Entry) -> Path:
    return folder / f"steps-{entry.name}.npy"


def _sound_path(folder: Path, entry: Entry) -> Path:
    return folder / f"sound-{entry.name}.flac"


def _damaged(path: Path, why: object) -> RunFolderError:
    return RunFolderError(f"{path} is gone or damaged ({why}): train again, or give another -m")
