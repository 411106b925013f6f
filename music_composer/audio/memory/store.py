"""A memory on disk: sound, and the steps by which it is compared. No Keras, no pickle.

    memory.json                         magic, version, options, what recordings share, an entry for each part
    memory/steps-0123456789abcdef.npy   float16 (steps, bands + 1): levels, and onsets in the last column
    memory/steps-0123456789abcdef+1.npy the same of a copy that is a semitone higher
    memory/sound-0123456789abcdef.flac  16 bits, the sound of these steps

Files are named after what they are made of. So a new memory writes only what is new, and the old memory stays valid
until its files are removed. An hour is 20 MB of steps in each key and 150 to 350 MB of sound.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from music_composer.audio.memory.analysis.recordings import Recording
from music_composer.audio.memory.analysis.steps import StepOptions, Steps
from music_composer.audio.memory.analysis.transposed import RATIOS, Transposed, transposed_length, transposed_steps
from music_composer.audio.options import FrameOptions
from music_composer.audio.wav import write_flac
from music_composer.errors import OptionError, RecordError, RunFolderError
from music_composer.files.atomic import read_json, reason, whole_file, write_json
from music_composer.options import require_between, require_within
from music_composer.records import from_plain
from music_composer.values import Waveform

INDEX, FOLDER = "memory.json", "memory"
MAGIC, VERSION = "music-composer memory", 1
NAME = re.compile("[0-9a-f]{16}")
FILE = re.compile(r"(steps|sound)-[0-9a-f]{16}([+-]\d+)?")
MAX_STEPS = 2**40
MAX_SHARED = 3600.0


@dataclasses.dataclass(frozen=True)
class Entry:
    """One part of a recording.

    source: path relative to the dataset folder. name: of its files. step: samples of a step.
    """

    source: str
    name: str
    steps: int
    step: int
    rate: int
    channels: int

    def __post_init__(self) -> None:
        """Raises OptionError for an entry with impossible values."""
        if not NAME.fullmatch(self.name):
            raise OptionError(f"{self.name!r} is no name of a memory's file")
        require_within(self, 1, MAX_STEPS, "steps", "step", "rate")
        require_within(self, 1, 2, "channels")


@dataclasses.dataclass(frozen=True)
class Index:
    """The content of a memory.

    shared: median run in seconds that recordings share with each other, 0 where it is unknown. returned: share of a
    recording's end that occurs earlier in it, 1 where it is unknown. semitones: transpositions that are stored for
    every entry.
    """

    entries: tuple[Entry, ...]
    shared: float = 0.0
    returned: float = 1.0
    semitones: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Raises OptionError for impossible values."""
        require_between("shared", self.shared, 0.0, MAX_SHARED)
        require_between("returned", self.returned, 0.0, 1.0)
        if not set(self.semitones) <= set(RATIOS) or len(set(self.semitones)) < len(self.semitones):
            raise OptionError(f"semitones are {self.semitones}: each must be one of {sorted(RATIOS)}, and there once")


@dataclasses.dataclass(frozen=True)
class StoredPart:
    """A part of a recording: its steps in memory and its sound on disk."""

    entry: Entry
    steps: Steps
    path: Path

    def sound(self, first: int, last: int) -> np.ndarray:
        """Returns samples first..last, float32 (samples, channels), silent outside of the part.

        Raises RunFolderError when the file is missing or damaged.
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


def name_of(content: str, first: int, last: int, options: StepOptions, frame: FrameOptions) -> str:
    """Returns the name of the files of frames first..last of a recording. content: the hash of the recording."""
    made_of = repr((VERSION, content, first, last, options, frame))
    return hashlib.blake2b(made_of.encode(), digest_size=8).hexdigest()


def is_stored(folder: Path, entry: Entry) -> bool:
    """Returns whether the files of an entry exist. They are written atomically, so existing files are complete."""
    return _steps_path(folder, entry).exists() and _sound_path(folder, entry).exists()


def write_part(folder: Path, entry: Entry, sound: np.ndarray, steps: Steps) -> None:
    """Writes the files of one part, without the index.

    sound: float32 (samples, channels), at least as long as the steps; surplus samples are dropped. Raises OptionError
    for too little sound, MusicComposerError when the disk refuses.
    """
    needed = entry.steps * entry.step
    if len(sound) < needed or len(steps) != entry.steps:
        raise OptionError(f"{entry.source}: {len(sound)} samples for {entry.steps} steps of {entry.step}")
    _write_steps(_steps_path(folder, entry), steps)
    write_flac(_sound_path(folder, entry), Waveform(sound[:needed], entry.rate))


def write_transposed(folder: Path, entry: Entry, semitones: int, options: StepOptions, frame: FrameOptions) -> None:
    """Writes the steps of a stored part in another key, unless they exist."""
    path = _steps_path(folder, entry, semitones)
    if not path.exists():
        part = load_part(folder, entry, options, frame)
        _write_steps(path, transposed_steps(part.sound, entry.steps * entry.step, semitones, frame, options))


def write_index(path: Path, index: Index, options: StepOptions) -> None:
    """Writes the index of a memory, whose files are written already."""
    label = {"magic": MAGIC, "version": VERSION, "options": dataclasses.asdict(options)}
    write_json(path, {**label, **dataclasses.asdict(index)})


def remove_unreferenced(folder: Path, kept: Index | None) -> None:
    """Removes memory files that the index does not name. Other files in the folder stay."""
    names = {path.name for path in _paths(folder, kept)} if kept else set()
    for path in [*folder.glob("steps-*.npy"), *folder.glob("sound-*.flac")]:
        if path.name not in names and FILE.fullmatch(path.stem):
            path.unlink(missing_ok=True)


def load_recordings(index: Index, folder: Path, options: StepOptions, frame: FrameOptions) -> list[Recording]:
    """Loads the parts that an index names, then their transposed copies.

    Raises RunFolderError when something is missing, damaged, or made with other options.
    """
    for entry in index.entries:
        if (entry.rate, entry.step) != (frame.rate, frame.hop * options.frames):
            raise _damaged(folder, f"{entry.source} has steps of {entry.step} samples at {entry.rate} Hz")
    parts = [load_part(folder, entry, options, frame) for entry in index.entries]
    return [
        *parts,
        *(_load_transposed(folder, part, at, options, frame) for at in index.semitones for part in parts),
    ]


def load_part(folder: Path, entry: Entry, options: StepOptions, frame: FrameOptions) -> StoredPart:
    """Loads one part. Raises RunFolderError when its files are missing or damaged."""
    steps = _read_steps(_steps_path(folder, entry), entry.steps, frame.bands // options.pooled)
    return StoredPart(entry, steps, _sound_path(folder, entry))


def _load_transposed(
    folder: Path, part: StoredPart, semitones: int, options: StepOptions, frame: FrameOptions
) -> Transposed:
    entry = part.entry
    count = transposed_length(entry.steps * entry.step, semitones) // entry.step
    steps = _read_steps(_steps_path(folder, entry, semitones), count, frame.bands // options.pooled)
    return Transposed(part, semitones, steps)


def bytes_of(folder: Path, index: Index) -> int:
    """Returns the size of all files of a memory."""
    return sum(path.stat().st_size for path in _paths(folder, index))


def _paths(folder: Path, index: Index) -> Iterator[Path]:
    for entry in index.entries:
        yield _sound_path(folder, entry)
        yield from (_steps_path(folder, entry, semitones) for semitones in (0, *index.semitones))


def read_index(path: Path, options: StepOptions) -> Index:
    """Reads the index of a memory. Raises RunFolderError."""
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
        entries = tuple(from_plain(Entry, entry) for entry in plain.get("entries", []))
        # Memories of earlier versions lack these fields.
        shared, returned = float(plain.get("shared", 0.0)), float(plain.get("returned", 1.0))
        index = Index(entries, shared, returned, tuple(int(semitones) for semitones in plain.get("semitones", [])))
    except (RecordError, OptionError, TypeError, ValueError, OverflowError) as error:
        raise _damaged(path, error) from error
    if made != options:
        raise RunFolderError(f"{path} was made with {made}, and not with {options}: train again, or give another -m")
    return index


def _read_steps(path: Path, count: int, bands: int) -> Steps:
    try:
        # Mapping a file that is shorter than its header says fails before any memory is allocated.
        rows = np.load(path, mmap_mode="r", allow_pickle=False).astype(np.float32)
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(path, error) from error
    if rows.shape != (count, bands + 1) or not np.isfinite(rows).all():
        raise _damaged(path, f"{rows.shape} numbers are not {count} steps")
    return Steps(rows[:, :-1], rows[:, -1])


def _write_steps(path: Path, steps: Steps) -> None:
    rows = np.concatenate([steps.levels, steps.onsets[:, None]], axis=1).astype(np.float16)
    with whole_file(path) as part:
        np.save(part, rows)


def _steps_path(folder: Path, entry: Entry, semitones: int = 0) -> Path:
    return folder / (f"steps-{entry.name}{semitones:+d}.npy" if semitones else f"steps-{entry.name}.npy")


def _sound_path(folder: Path, entry: Entry) -> Path:
    return folder / f"sound-{entry.name}.flac"


def _damaged(path: Path, why: object) -> RunFolderError:
    return RunFolderError(f"{path} is gone or damaged ({why}): train again, or give another -m")
