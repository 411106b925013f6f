"""Recordings to shards in units of work: for processes that share nothing but the file system."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from music_composer import parallel
from music_composer.audio.dataset.shards import Meter, Song, cut_recording
from music_composer.audio.options import FrameOptions
from music_composer.errors import RecordingError

UNIT_BYTES = 2**30  # of recordings: about 30 s of one core
UNIT_FILES = 500  # at most, so that little is done again where a worker dies

Outcome = tuple[Song, bool] | RecordingError
Finished = Callable[[str, Outcome], None]
Unit = list[tuple[str, Path, Mapping[str, Song]]]  # source, path, entries that it may have: by content


def cut_in_units(
    stale: Mapping[str, Path],
    cached: Mapping[str, Song],
    folder: Path,
    options: FrameOptions,
    meter: Meter,
    finished: Finished,
    executor: parallel.Executor,
) -> None:
    """Prepares songs by an executor of processes. See `cache.prepare`; shards are the same, whatever made them.

    Each process gets only the entries that its recordings may have. A unit whose workers died is cut once more file by
    file, so the recording that ended them is left out alone.
    """
    units = _units(stale, cached)
    lost: list[Unit] = []

    def done(number: int, result: Any) -> None:
        _tell(units[number], result, meter, finished, lost)

    _run(units, folder, options, executor, done)
    if lost:
        units = [[each] for unit in lost for each in unit]
        lost = []
        _run(units, folder, options, executor, done)
    for unit in lost:
        for source, path, _ in unit:
            finished(source, RecordingError(f"{path}: cannot be used: its worker processes ended while they read it"))


def cut_unit(unit: Unit, folder: Path, options: FrameOptions) -> list[Outcome]:
    """Prepares the recordings of a unit, one after the other. An error of one does not stop the others."""
    meter = Meter(0, lambda read, total: None)
    outcomes: list[Outcome] = []
    for source, path, cached in unit:
        try:
            outcomes.append(cut_recording(source, path, cached, folder, options, meter))
        except RecordingError as error:
            outcomes.append(RecordingError(str(error)))
    return outcomes


def _run(
    units: Sequence[Unit], folder: Path, options: FrameOptions, executor: parallel.Executor, done: parallel.Done
) -> None:
    jobs = [(unit, folder, options) for unit in units]
    parallel.map(cut_unit, jobs, executor, done, (Exception,))


def _tell(unit: Unit, result: Any, meter: Meter, finished: Finished, lost: list[Unit]) -> None:
    if isinstance(result, parallel.Failed):
        if isinstance(result.error, parallel.Died):
            lost.append(unit)
            return
        raise result.error
    for (source, _, _), outcome in zip(unit, result, strict=True):
        if not isinstance(outcome, RecordingError):
            meter.add(outcome[0].fingerprint.size)
        finished(source, outcome)


def _units(stale: Mapping[str, Path], cached: Mapping[str, Song]) -> list[Unit]:
    """Divides recordings, in order, into units of about UNIT_BYTES."""
    by_size: dict[int, dict[str, Song]] = {}
    for content, song in cached.items():
        by_size.setdefault(song.fingerprint.size, {})[content] = song
    units: list[Unit] = []
    room = 0
    for source, path in stale.items():
        try:
            size = path.stat().st_size
        except OSError:  # it went; its worker says so
            size = 0
        if not units or size > room or len(units[-1]) == UNIT_FILES:
            units.append([])
            room = UNIT_BYTES
        units[-1].append((source, path, by_size.get(size, {})))
        room -= size
    return units
