"""What a run folder remembers of the training music, to play it again. Needs the cache and the recordings once."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from music_composer.audio.continuation import prompt_selection
from music_composer.audio.dataset import cache
from music_composer.audio.dataset.shards import Song
from music_composer.audio.memory import store
from music_composer.audio.memory.analysis.steps import StepOptions, steps_of
from music_composer.audio.memory.options import MemoryOptions, WalkOptions
from music_composer.audio.reading.recording import read_excerpt
from music_composer.context import Context
from music_composer.data.split import Split
from music_composer.data.split_file import write_split
from music_composer.errors import RecordingError, RunFolderError
from music_composer.evaluation.audio.similarity.within_album import described
from music_composer.files.atomic import remove_torn
from music_composer.options import FrameOptions
from music_composer.pipelines.audio.validation import split_of, within
from music_composer.progress import duration
from music_composer.training import beginning, run_folder
from music_composer.training.run_folder import Run

LONGEST_PART = 600.0  # seconds; a part is in memory as a whole while it is written
MOST_SECONDS = 5 * 3600.0  # of music that is remembered

Part = tuple[Song, int, int]  # frames first..last of a song's recording


def remember_run(here: Run, ready: cache.Cache, new: bool, seed: int | None, context: Context) -> None:
    """Makes a run folder one that plays the training music again, or brings it up to date. Its folders are locked."""
    split = split_of(ready, here, context.say, new=new)
    drawn = (
        prompt_selection.draw_prompts(ready, here, secrets.randbelow(2**31) if seed is None else seed, context.say)
        if new
        else []
    )
    index = remember_music(here, ready, split, context)

    def fill(folder: Path) -> None:
        place = dataclasses.replace(here, folder=folder)
        prompt_selection.keep_prompts(place, drawn)
        write_split(folder, split)
        keep_memory(place, index)

    if new:
        run_folder.begin(here, fill)
    else:
        fill(here.folder)
    beginning.settle(beginning.home_of(here.folder), ready=True)
    forget_others(run_folder.read_run(beginning.home_of(here.folder)))


def keep_memory(here: Run, index: store.Index) -> None:
    """Makes what an index names the memory of a run folder, beside its network."""
    store.write_index(here.memory, index, StepOptions())


def forget_others(here: Run) -> None:
    """Removes what is left of memories that the one of a run folder has taken the place of."""
    store.forget(here.memory_files, store.read_index(here.memory, StepOptions()))
    remove_torn(here.memory_files)


def forget_unnamed(here: Run) -> None:
    """Removes the files of a memory that a training with another head has taken the place of."""
    home = dataclasses.replace(here, folder=beginning.home_of(here.folder))
    if home.memory_files.exists() and not home.memory.exists():
        store.forget(home.memory_files, None)
        with contextlib.suppress(OSError):  # something of somebody else's is in it
            home.memory_files.rmdir()


def remember_music(here: Run, ready: cache.Cache, split: Split, context: Context) -> store.Index:
    """The parts of a memory of all that was trained on, each written into the run folder unless it is there already.

    Of very much music parts from everywhere are taken. Recordings that cannot be read any more are left out, with a
    note. Raises RecordingError when none is left, MusicComposerError when the disk refuses.
    """
    folder, options, frame, started = here.memory_files, StepOptions(), ready.options, time.monotonic()
    parts = _chosen(list(_parts(ready, split, options)), frame.frames_per_second, context)
    entries: list[store.Entry] = []
    with context.stage("remembering", "frames", "remembering the music") as advance:
        total = sum(last - first for _, first, last in parts)
        done = 0
        for song, first, last in parts:
            name = store.name_of(song.fingerprint.content, first, last, options, frame)
            steps, step = (last - first) // options.frames, options.frames * frame.hop
            entry = store.Entry(song.source, name, steps, step, frame.rate, song.channels)
            try:
                if not store.is_remembered(folder, entry):
                    _remember(folder, entry, ready, (song, first, last), options)
                entries.append(entry)
            except RecordingError as error:
                context.say(f"note: {error}; it is not remembered")
            done += last - first
            advance(done, total)
    if not entries:
        raise RecordingError(f"no recording of {ready.datasets} can be read any more")
    seconds = sum(entry.steps * entry.step / entry.rate for entry in entries)
    index = _known(here, entries) or described(folder, entries, frame)
    _remember_keys(folder, index, frame, context)
    keys = f", in {1 + len(index.semitones)} keys" if index.semitones else ""
    context.say(
        f"{duration(seconds)} of music are remembered in {folder}{keys}, {store.bytes_of(folder, index) / 1e6:.0f} MB "
        f"({duration(time.monotonic() - started)})"
    )
    return index


def _known(here: Run, entries: Sequence[store.Entry]) -> store.Index | None:
    """What the run folder says of these very entries, where it says all of it."""
    try:
        before = store.read_index(here.memory, StepOptions())
    except RunFolderError:  # there is none yet, or it is to be replaced
        return None
    uniform = MemoryOptions(walk=WalkOptions(shared=before.shared)).uniform
    whole = before.shared and (before.returned < 1.0 or not uniform)
    return before if before.entries == tuple(entries) and whole else None


def _remember_keys(folder: Path, index: store.Index, frame: FrameOptions, context: Context) -> None:
    """Adds the steps of every part in other keys, unless they are there already."""
    wanted = [(entry, each) for entry in index.entries for each in index.semitones]
    if not wanted:
        return
    with context.stage("transposing", "parts", "remembering the music in other keys") as advance:
        for done, (entry, each) in enumerate(wanted):
            store.remember_key(folder, entry, each, StepOptions(), frame)
            advance(done + 1, len(wanted))


def _remember(folder: Path, entry: store.Entry, ready: cache.Cache, part: Part, options: StepOptions) -> None:
    song, first, last = part
    frame = ready.options
    path, per_second = ready.datasets / song.source, frame.frames_per_second
    sound = read_excerpt(path, frame.rate, first / per_second, (last - first) / per_second).samples
    needed = entry.steps * entry.step
    if len(sound) < needed - frame.window:  # the last frames reach over the recording's end
        raise RecordingError(f"{path}: {len(sound)} samples are left of {needed}")
    sound = np.pad(sound[:needed], ((0, max(0, needed - len(sound))), (0, 0)))
    frames = cache.load_frames(ready, song)[first - song.start : last - song.start]
    store.remember(folder, entry, sound, steps_of(np.asarray(frames, np.float32), options))


def _parts(ready: cache.Cache, split: Split, options: StepOptions) -> Iterator[Part]:
    """All that was trained on, in equal parts of at most LONGEST_PART; each once, however many copies there are."""
    most, seen = ready.options.frames_in(LONGEST_PART), set()
    for song in ready.songs:
        if song.fingerprint.content in seen:
            continue
        seen.add(song.fingerprint.content)
        for start, stop in within(split.by_content[song.fingerprint.content].training, song.start, song.stop):
            count = -(-(stop - start) // most)
            edges = [start + (stop - start) * i // count for i in range(count + 1)]
            for first, last in zip(edges, edges[1:], strict=False):
                if last - first >= options.frames:
                    yield song, first, last


def _chosen(parts: Sequence[Part], per_second: float, context: Context) -> list[Part]:
    """Of very much music as much as is remembered, evenly from all of it."""
    total = sum(last - first for _, first, last in parts) / per_second
    if total <= MOST_SECONDS:
        return list(parts)
    chosen, seconds = [], 0.0
    for song, first, last in sorted(parts, key=lambda part: _shuffled(part)):
        seconds += (last - first) / per_second
        if seconds > MOST_SECONDS:
            break
        chosen.append((song, first, last))
    context.say(f"note: {MOST_SECONDS / 3600:g} of {total / 3600:.1f} hours of training music are remembered")
    return sorted(chosen, key=lambda part: (part[0].source, part[1]))


def _shuffled(part: Part) -> bytes:
    """An order that has nothing to do with the music, and is always the same."""
    song, first, _ = part
    return hashlib.blake2b(f"{song.fingerprint.content} {first}".encode(), digest_size=8).digest()
