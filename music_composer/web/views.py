"""What the page draws: waveform and spectrogram of a recording, and the notes of a score. Browsers decode nothing."""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.audio.options import FrameOptions
from music_composer.audio.plots import LOUD_NEPERS, QUIET_NEPERS, columns_of
from music_composer.audio.prompts import CUT
from music_composer.audio.reading.recording import read_blocks
from music_composer.errors import MusicComposerError
from music_composer.files.outputs import said_by
from music_composer.symbolic.midi.instruments import in_words
from music_composer.symbolic.midi.tempo import seconds_at
from music_composer.symbolic.notation.score_file import read_score

COLUMNS = 1200  # of a waveform, however long the recording
RATE = 11025  # Hz, at which peaks are sought
LISTING_SECONDS = 0.2  # for the lengths of one list
BLOCK = 64  # samples of which the least and the most are kept while the length is unknown


def waveform(path: Path) -> dict[str, Any]:
    """Returns the seconds of a recording, and its least and its most in each of at most COLUMNS columns, -1 to 1.

    made: what its JSON says, if it is ours: its seed and number, and the seconds between which its music is new.
    Raises RecordingError.
    """
    status = path.stat()
    seconds, least, most = _peaks(path, status.st_mtime_ns, status.st_size)
    return {"seconds": seconds, "least": least, "most": most, "made": _made(path, seconds)}


def spectrogram(path: Path) -> tuple[int, int, bytes]:
    """Returns the bands of a recording over time: columns, bands, and a byte for each of them, column by column.

    0 is the quietest that is drawn, 255 the loudest. Raises RecordingError.
    """
    status = path.stat()
    return _pixels(path, status.st_mtime_ns, status.st_size)


class Lengths:
    """The lengths of recordings that are listed again and again. Those of a large folder become known bit by bit."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, float, int], float | None] = {}
        self._until = 0.0

    def begin(self) -> None:
        """Begins a list, for which a short time may be spent on lengths that are not known yet."""
        self._until = time.monotonic() + LISTING_SECONDS

    def of(self, path: Path, changed: float, size: int) -> float | None:
        """Returns the length of a recording in seconds; None where it is not known, or cannot be read."""
        key = (str(path), changed, size)
        if key not in self._known and time.monotonic() < self._until:
            try:
                self._known[key] = length_of(path)
            except MusicComposerError:
                self._known[key] = None
        return self._known.get(key)


def length_of(path: Path) -> float:
    """Returns the length that a recording declares, in seconds. Raises RecordingError where it is none."""
    return read_blocks(path, RATE)[0].seconds


def notes(path: Path) -> dict[str, Any]:
    """Returns the seconds of a score, and its notes by parts: (from, to, pitch, velocity). Raises ScoreError."""
    score = read_score(path).score
    parts = []
    for part in score.parts:
        begin, end = (seconds_at(score, part.notes[field]) for field in ("start", "stop"))
        rows = np.stack([begin, end, part.notes["pitch"], part.notes["velocity"]], axis=1).round(4)
        parts.append({"name": in_words(part), "drums": part.drums, "notes": rows.tolist()})
    return {"seconds": float(seconds_at(score, score.ticks)), "parts": parts}


def _made(path: Path, seconds: float) -> dict[str, Any]:
    """What the page shows of the JSON beside a recording; empty where it is not ours."""
    said = said_by(path.with_suffix(".json"))
    made = {name: said[name] for name in ("seed", "number") if isinstance(said.get(name), int)}
    gap = said.get("infill")
    if isinstance(gap, dict) and all(isinstance(gap.get(end), int | float) for end in ("from_second", "to_second")):
        made["new"] = [gap["from_second"], gap["to_second"]]
    elif isinstance(said.get(CUT), int | float):
        made["new"] = [said[CUT], seconds]
    return made


@functools.lru_cache(maxsize=16)
def _pixels(path: Path, changed: int, size: int) -> tuple[int, int, bytes]:
    bands = columns_of(path, FrameOptions())
    scaled = (bands - QUIET_NEPERS) / (LOUD_NEPERS - QUIET_NEPERS)
    return *bands.shape, (255 * scaled.clip(0, 1)).astype(np.uint8).tobytes()


@functools.lru_cache(maxsize=64)
def _peaks(path: Path, changed: int, size: int) -> tuple[float, list[float], list[float]]:
    """changed, size: of the file, so that one that is written anew is read anew."""
    least, most = [np.zeros(0, np.float32)], [np.zeros(0, np.float32)]
    kept, total = np.zeros(0, np.float32), 0
    for block in read_blocks(path, RATE)[1]:
        total += len(block)
        kept = np.concatenate([kept, block.mean(axis=1)])
        whole = kept[: len(kept) // BLOCK * BLOCK].reshape(-1, BLOCK)
        least.append(whole.min(axis=1))
        most.append(whole.max(axis=1))
        kept = kept[whole.size :]
    low, high = np.concatenate(least), np.concatenate(most)
    edges = np.linspace(0, len(low), min(COLUMNS, len(low)) + 1).astype(int)[:-1]
    if not len(edges):
        return total / RATE, [], []
    return (
        total / RATE,
        np.minimum.reduceat(low, edges).round(4).tolist(),
        np.maximum.reduceat(high, edges).round(4).tolist(),
    )
