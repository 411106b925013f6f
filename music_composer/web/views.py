"""What the page draws: the waveform of a recording with its cut, and the notes of a score. Browsers decode nothing."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.audio.reading.recording import read_blocks
from music_composer.files.outputs import said_by
from music_composer.symbolic.midi.instruments import in_words
from music_composer.symbolic.midi.tempo import seconds_at
from music_composer.symbolic.notation.score_file import read_score

COLUMNS = 1200  # of a waveform, however long the recording
RATE = 11025  # Hz, at which peaks are sought
BLOCK = 64  # samples of which the least and the most are kept while the length is unknown


def waveform(path: Path) -> dict[str, Any]:
    """Returns the seconds of a recording, its least and its most in each of at most COLUMNS columns, -1 to 1, and the
    second at which new music begins, if its JSON says one. Raises RecordingError.
    """
    status = path.stat()
    seconds, least, most = _peaks(path, status.st_mtime_ns, status.st_size)
    cut = said_by(path.with_suffix(".json")).get("new_music_from_second")
    return {"seconds": seconds, "least": least, "most": most, "cut": cut if isinstance(cut, int | float) else None}


def notes(path: Path) -> dict[str, Any]:
    """Returns the seconds of a score, and its notes by parts: (from, to, pitch, velocity). Raises ScoreError."""
    score = read_score(path).score
    parts = []
    for part in score.parts:
        begin, end = (seconds_at(score, part.notes[field]) for field in ("start", "stop"))
        rows = np.stack([begin, end, part.notes["pitch"], part.notes["velocity"]], axis=1).round(4)
        parts.append({"name": in_words(part), "drums": part.drums, "notes": rows.tolist()})
    return {"seconds": float(seconds_at(score, score.ticks)), "parts": parts}


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
