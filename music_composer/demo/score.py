"""The demonstration's songs as scores: the same notes that `synth` renders, written as MIDI."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from music_composer.demo.composer import Piece, compose
from music_composer.symbolic.midi.midi_file import write_midi
from music_composer.values import NOTE, Part, Score

RESOLUTION = 480  # ticks in a beat, which is a quarter note
PROGRAMS = {"flute": 73, "bell": 14, "pluck": 24, "bass": 32, "organ": 19}  # of General MIDI
LOUDEST = 127


def to_score(piece: Piece) -> Score:
    """A part for each voice, in the tempo and metre of the piece."""
    parts = []
    for voice in piece.voices:
        notes = [
            (
                round(note.start * RESOLUTION),
                round((note.start + note.duration) * RESOLUTION),
                note.pitch,
                max(1, min(LOUDEST, round(note.velocity * LOUDEST))),
            )
            for note in piece.notes
            if note.voice == voice.name
        ]
        parts.append(
            Part(np.sort(np.array(notes, NOTE), order=["start", "pitch"]), PROGRAMS[voice.timbre], False, voice.name)
        )
    # A beat of the piece is a quarter note.
    tempo, metre = ((0, piece.tempo),), ((0, piece.metre, 4),)
    return Score(tuple(part for part in parts if len(part.notes)), RESOLUTION, tempo, metre)


def write_scores(folder: Path, seed: int, count: int, place: Callable[[Path], Path] = Path) -> list[Path]:
    """Writes scores `piece-01.mid` and on, and returns their paths.

    The same seed writes the same bytes, and more pieces do not change earlier ones. place: maps a path to the file that
    is written first, for atomic writes.
    """
    paths = [folder / f"piece-{number:02d}.mid" for number in range(1, count + 1)]
    for number, path in enumerate(paths):
        write_midi(to_score(compose(np.random.default_rng([seed, number]))), place(path))
    return paths
