"""Measures what the recordings of an album share, and how much returns within each. A memory plays accordingly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import scipy.signal

from music_composer.audio.memory import store
from music_composer.audio.memory.analysis.steps import StepOptions
from music_composer.audio.memory.analysis.transposed import semitones_for
from music_composer.audio.memory.guard import GuardOptions
from music_composer.audio.memory.options import MemoryOptions, WalkOptions
from music_composer.audio.memory.shared_runs import shared_run
from music_composer.audio.options import FrameOptions
from music_composer.evaluation.audio.signal.semitones import semitone_levels
from music_composer.evaluation.audio.similarity.copying import CopyOptions, find_copies, library_of

T = TypeVar("T")

COMPARED_SECONDS = 2400.0  # of music that is compared with itself
SOUGHT = 24  # recordings at most, at equal distances, whose end is searched for
END, END_SECONDS, MIN_SECONDS = 1 / 3, 30.0, 5.0  # of a recording: its last third, at most, at least
RUN_SECONDS = 1.0  # shortest run that counts


def described(folder: Path, entries: Sequence[store.Entry], frame: FrameOptions) -> store.Index:
    """Returns the index of a memory whose parts are in a folder. It names transpositions but does not make them."""
    shared, returned = shared_by(folder, entries, frame), 1.0
    memory = MemoryOptions(walk=WalkOptions(shared=shared))
    if not memory.uniform:
        return store.Index(tuple(entries), shared)
    returned = returned_by(folder, entries, frame)
    seconds = sum(entry.steps * entry.step / entry.rate for entry in entries)
    return store.Index(tuple(entries), shared, returned, semitones_for(seconds, memory.keys))


def shared_by(folder: Path, entries: Sequence[store.Entry], frame: FrameOptions) -> float:
    """Returns the median run in seconds that recordings share. Of much music, a subset of recordings is compared."""
    options, recordings = StepOptions(), _by_source(entries)
    seconds = sum(entry.steps * entry.step / entry.rate for entry in entries)
    # Every recording is compared with every other, so the cost grows with the square of the music.
    chosen = _evenly(list(recordings), max(1, round(len(recordings) * min(1.0, COMPARED_SECONDS / seconds))))
    parts = [[store.load_part(folder, entry, options, frame).steps for entry in recordings[each]] for each in chosen]
    per_second = frame.rate / (frame.hop * options.frames)
    return round(shared_run(parts, per_second, GuardOptions()), 2)


def returned_by(folder: Path, entries: Sequence[store.Entry], frame: FrameOptions) -> float:
    """Returns the median share of a recording's end that occurs earlier in it, in runs of a second or more.

    The longest part stands for each recording. Returns 1 where none is long enough.
    """
    longest = [max(parts, key=lambda entry: entry.steps) for parts in _by_source(entries).values()]
    shares = []
    for entry in _evenly(longest, min(SOUGHT, len(longest))):
        part = store.load_part(folder, entry, StepOptions(), frame)
        share = _returned(part.sound(0, entry.steps * entry.step).mean(axis=1), entry.rate, CopyOptions())
        shares += [] if share is None else [share]
    return round(float(np.median(shares)), 2) if shares else 1.0


def _returned(mono: np.ndarray, rate: int, options: CopyOptions) -> float | None:
    """Returns the share for samples (n,), or None for too short a recording."""
    wanted = options.spectrum.rate
    levels = semitone_levels(scipy.signal.resample_poly(mono, wanted, rate).astype(np.float32), options.spectrum)
    per_second = options.spectrum.frames_per_second
    cut = round(len(levels) * (1 - END))
    end = levels[cut : cut + round(END_SECONDS * per_second)]
    if len(end) < MIN_SECONDS * per_second:
        return None
    found = find_copies(end, library_of([levels[:cut]]), options, RUN_SECONDS)
    return min(1.0, sum(copy.seconds for copy in found) * per_second / len(end))


def _by_source(entries: Sequence[store.Entry]) -> dict[str, list[store.Entry]]:
    recordings = dict[str, list[store.Entry]]()
    for entry in entries:
        recordings.setdefault(entry.source, []).append(entry)
    return recordings


def _evenly(items: Sequence[T], count: int) -> list[T]:
    return [items[i * len(items) // count] for i in range(count)]
