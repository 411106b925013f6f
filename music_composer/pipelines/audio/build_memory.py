"""Builds the memory of a run folder from the cache and the recordings."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from music_composer import parallel
from music_composer.audio.continuation import prompt_selection, run_folder
from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.dataset import cache
from music_composer.audio.dataset.shards import Song
from music_composer.audio.memory import store
from music_composer.audio.memory.analysis.steps import StepOptions, steps_of
from music_composer.audio.memory.options import MemoryOptions, WalkOptions
from music_composer.audio.options import FrameOptions
from music_composer.audio.reading.recording import read_excerpt
from music_composer.context import Context
from music_composer.data.split import Split
from music_composer.data.split_file import write_split
from music_composer.errors import RecordingError, RunFolderError
from music_composer.evaluation.audio.similarity.within_album import described
from music_composer.files.atomic import remove_torn
from music_composer.pipelines.audio.validation import split_of, within
from music_composer.progress import duration
from music_composer.training import beginning

LONGEST_PART = 600.0  # seconds; a part is in memory as a whole while it is written
MAX_SECONDS = 5 * 3600.0  # of music in a memory

Part = tuple[Song, int, int]  # frames first..last of the recording of a song


def remember_run(run: Run, ready: cache.Cache, new: bool, seed: int | None, context: Context) -> None:
    """Makes a run folder with a memory head, or brings it up to date. Its folders must be locked."""
    split = split_of(ready, run, context.say, new=new)
    drawn = (
        prompt_selection.draw_prompts(ready, run, secrets.randbelow(2**31) if seed is None else seed, context.say)
        if new
        else []
    )
    index = remember_music(run, ready, split, context)

    def fill(folder: Path) -> None:
        place = dataclasses.replace(run, folder=folder)
        prompt_selection.keep_prompts(place, drawn)
        write_split(folder, split)
        keep_memory(place, index)

    if new:
        run_folder.begin(run, fill)
    else:
        fill(run.folder)
    beginning.settle(beginning.home_of(run.folder), ready=True)
    # After the new index is in place; until then the old memory must stay complete.
    forget_others(run_folder.read_run(beginning.home_of(run.folder)))


def keep_memory(run: Run, index: store.Index) -> None:
    """Writes the index of the memory of a run folder."""
    store.write_index(run.memory, index, StepOptions())


def forget_others(run: Run) -> None:
    """Removes the files of earlier memories of a run folder."""
    store.remove_unreferenced(run.memory_files, store.read_index(run.memory, StepOptions()))
    remove_torn(run.memory_files)


def forget_unnamed(run: Run) -> None:
    """Removes the files of a memory after a training with another head."""
    home = dataclasses.replace(run, folder=beginning.home_of(run.folder))
    if home.memory_files.exists() and not home.memory.exists():
        store.remove_unreferenced(home.memory_files, None)
        with contextlib.suppress(OSError):  # the folder contains files of somebody else
            home.memory_files.rmdir()


def remember_music(run: Run, ready: cache.Cache, split: Split, context: Context) -> store.Index:
    """Writes the training music to the memory of a run folder, except parts that are stored already.

    Of very much music, parts from everywhere are taken. Unreadable recordings are left out with a note. Raises
    RecordingError when none is left, MusicComposerError when the disk refuses.
    """
    folder, options, frame, started = run.memory_files, StepOptions(), ready.options, time.monotonic()
    parts = _chosen(list(_parts(ready, split, options)), frame.frames_per_second, context)
    jobs = [(part, folder, dataclasses.replace(ready, songs=()), options) for part in parts]
    with context.stage("remembering", "frames", "remembering the music") as advance:
        total = sum(last - first for _, first, last in parts)
        frames = 0

        def done(number: int, result: object) -> None:
            nonlocal frames
            _, first, last = parts[number]
            frames += last - first
            advance(frames, total)

        here = context.executor or parallel.Sequential()
        found = parallel.map(_remember, jobs, here, done, (RecordingError,), context.check)
    for each in found:
        if isinstance(each, parallel.Failed):
            context.say(f"note: {each}; it is not remembered")
    entries = [each for each in found if isinstance(each, store.Entry)]
    if not entries:
        raise RecordingError(f"no recording of {ready.datasets} can be read any more")
    seconds = sum(entry.steps * entry.step / entry.rate for entry in entries)
    index = _unchanged_index(run, entries) or described(folder, entries, frame)
    _remember_keys(folder, index, frame, context)
    keys = f", in {1 + len(index.semitones)} keys" if index.semitones else ""
    context.say(
        f"{duration(seconds)} of music are remembered in {folder}{keys}, {store.bytes_of(folder, index) / 1e6:.0f} MB "
        f"({duration(time.monotonic() - started)})"
    )
    return index


def _unchanged_index(run: Run, entries: Sequence[store.Entry]) -> store.Index | None:
    """Returns the index in the run folder if it is complete and has exactly these entries."""
    try:
        before = store.read_index(run.memory, StepOptions())
    except RunFolderError:  # there is none yet, or it will be replaced
        return None
    uniform = MemoryOptions(walk=WalkOptions(shared=before.shared)).uniform
    whole = before.shared and (before.returned < 1.0 or not uniform)
    return before if before.entries == tuple(entries) and whole else None


def _remember_keys(folder: Path, index: store.Index, frame: FrameOptions, context: Context) -> None:
    """Writes the steps of every part in other keys, unless they exist."""
    jobs = [(folder, entry, each, StepOptions(), frame) for entry in index.entries for each in index.semitones]
    if not jobs:
        return
    with context.stage("transposing", "parts", "remembering the music in other keys") as advance:
        finished = itertools.count(1)

        def done(number: int, result: object) -> None:
            advance(next(finished), len(jobs))

        parallel.map(store.write_transposed, jobs, context.executor or parallel.Sequential(), done, check=context.check)


def _remember(part: Part, folder: Path, ready: cache.Cache, options: StepOptions) -> store.Entry:
    """Writes a part of a song to the memory, unless it is stored already. ready: where the music is, without songs."""
    song, first, last = part
    frame = ready.options
    name = store.name_of(song.fingerprint.content, first, last, options, frame)
    count, step = (last - first) // options.frames, options.frames * frame.hop
    entry = store.Entry(song.source, name, count, step, frame.rate, song.channels)
    if store.is_stored(folder, entry):
        return entry
    path, per_second = ready.datasets / song.source, frame.frames_per_second
    sound = read_excerpt(path, frame.rate, first / per_second, (last - first) / per_second).samples
    needed = entry.steps * entry.step
    if len(sound) < needed - frame.window:  # the last frames reach over the recording's end
        raise RecordingError(f"{path}: {len(sound)} samples are left of {needed}")
    sound = np.pad(sound[:needed], ((0, max(0, needed - len(sound))), (0, 0)))
    frames = cache.load_frames(ready, song)[first - song.start : last - song.start]
    store.write_part(folder, entry, sound, steps_of(np.asarray(frames, np.float32), options))
    return entry


def _parts(ready: cache.Cache, split: Split, options: StepOptions) -> Iterator[Part]:
    """Yields the training music in equal parts of at most LONGEST_PART. Of identical recordings one is used."""
    most, seen = ready.options.frames_in(LONGEST_PART), set()
    for song in ready.songs:
        if song.fingerprint.content in seen:
            continue
        # A copy of a recording would make its music play twice as often.
        seen.add(song.fingerprint.content)
        for start, stop in within(split.by_content[song.fingerprint.content].training, song.start, song.stop):
            count = -(-(stop - start) // most)
            edges = [start + (stop - start) * i // count for i in range(count + 1)]
            for first, last in zip(edges, edges[1:], strict=False):
                if last - first >= options.frames:
                    yield song, first, last


def _chosen(parts: Sequence[Part], per_second: float, context: Context) -> list[Part]:
    """Selects as much music as a memory holds, from everywhere."""
    total = sum(last - first for _, first, last in parts) / per_second
    if total <= MAX_SECONDS:
        return list(parts)
    # In random order, so that the chosen parts come from all recordings.
    chosen, seconds = [], 0.0
    for song, first, last in sorted(parts, key=lambda part: _shuffled(part)):
        seconds += (last - first) / per_second
        if seconds > MAX_SECONDS:
            break
        chosen.append((song, first, last))
    context.say(f"note: {MAX_SECONDS / 3600:g} of {total / 3600:.1f} hours of training music are remembered")
    return sorted(chosen, key=lambda part: (part[0].source, part[1]))


def _shuffled(part: Part) -> bytes:
    """Returns a sort key that is independent of the music and always the same."""
    song, first, _ = part
    return hashlib.blake2b(f"{song.fingerprint.content} {first}".encode(), digest_size=8).digest()
