"""The memory of an album: what it leaves out, its keys, and an older index."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import scipy.signal

from music_composer import parallel
from music_composer.audio.memory.analysis.steps import StepOptions
from music_composer.audio.memory.options import MemoryOptions
from music_composer.audio.memory.store import Index, load_recordings
from music_composer.audio.reading.recording import mono_samples
from music_composer.context import Context
from music_composer.evaluation.audio.similarity import within_album
from music_composer.pipelines.audio import build_memory
from music_composer.pipelines.audio.head_selection import ChoosingOptions, places_in
from music_composer.pipelines.audio.validation import divided
from tests.command import RATE

pytestmark = pytest.mark.journey


def test_the_memory_holds_nothing_of_what_it_is_judged_by(album, tmp_path: Path) -> None:
    """Held-out music occurs nowhere else, so any second of it would be found."""
    ready, run, split = album
    build_memory.remember_music(dataclasses.replace(run, folder=tmp_path), ready, split, Context())
    remembered = [mono_samples(path, RATE) for path in sorted((tmp_path / "memory").glob("*.flac"))]
    assert remembered

    def likeness(piece: np.ndarray) -> float:
        return max(
            float(np.abs(scipy.signal.correlate(each, piece, "valid")).max() / np.sum(piece**2)) for each in remembered
        )

    training, held_out = divided(ready, split)
    trained = mono_samples(training[0].path, RATE, training[0].start + 1, training[0].start + 1.5)
    assert likeness(trained) > 0.9, "what was trained on is found"
    for place in places_in(held_out, ChoosingOptions()):
        for start in np.arange(place.at, place.truth.stop - 0.5, 1.0):
            assert likeness(mono_samples(place.path, RATE, start, start + 0.5)) < 0.5


def test_music_of_one_kind_is_remembered_in_other_keys(album, tmp_path: Path, monkeypatch) -> None:
    ready, run, split = album
    run = dataclasses.replace(run, folder=tmp_path)
    for shared, semitones in ((0.5, ()), (MemoryOptions.uniform_from, (-2, -1, 1, 2))):
        monkeypatch.setattr(within_album, "shared_by", lambda *_, shared=shared: shared)
        messages = list[str]()
        index = build_memory.remember_music(run, ready, split, Context(messages.append))
        assert index.semitones == semitones
        assert ("in 5 keys" in messages[-1]) == bool(semitones)
        keys = [
            getattr(each, "semitones", 0) for each in load_recordings(index, run.memory_files, StepOptions(), run.frame)
        ]
        assert keys == [key for key in (0, *semitones) for _ in index.entries]


def test_other_processes_remember_the_same(album, tmp_path: Path, monkeypatch) -> None:
    """In all keys; and a recording that is gone is left out by name."""
    ready, run, split = album
    monkeypatch.setattr(within_album, "shared_by", lambda *_: MemoryOptions.uniform_from)
    gone = dataclasses.replace(ready.songs[0], source="gone.wav")
    ready = dataclasses.replace(ready, songs=(gone, *ready.songs[1:]))
    found = []
    for name, executor in (("here", None), ("there", parallel.Processes(2))):
        place, said = dataclasses.replace(run, folder=tmp_path / name), list[str]()
        index = build_memory.remember_music(place, ready, split, Context(said.append, executor=executor))
        assert {"gone.wav" in line for line in said if "not remembered" in line} == {True}
        found.append((index, {path.name: path.read_bytes() for path in place.memory_files.iterdir()}))
    assert found[0] == found[1]
    assert len(found[0][1]) > len(found[0][0].entries) * 2


def test_what_recordings_have_in_common_is_measured_once_and_an_older_index_is_completed(
    album, tmp_path: Path, monkeypatch
) -> None:
    ready, run, split = album
    run, measured = dataclasses.replace(run, folder=tmp_path), list[int]()
    monkeypatch.setattr(within_album, "shared_by", lambda *_: measured.append(1) or MemoryOptions.uniform_from)
    monkeypatch.setattr(within_album, "returned_by", lambda *_: 0.4)

    def remembered() -> Index:
        return build_memory.remember_music(run, ready, split, Context())

    index = remembered()
    older = Index(index.entries, index.shared)
    for before, times in ((index, 0), (older, 1)):
        measured.clear()
        build_memory.keep_memory(run, before)
        assert remembered() == index
        assert len(measured) == times
