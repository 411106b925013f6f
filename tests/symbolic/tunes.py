"""Small MIDI files to learn from."""

from pathlib import Path

import numpy as np

from music_composer.symbolic.midi.midi_file import read_midi, write_midi
from music_composer.symbolic.roll import to_roll
from music_composer.values import NOTE, Part, Roll, Score

TINY = ("-n", "8", "-e", "2", "-b", "3", "--seed", "1")  # three songs are learnt: one batch, one graph


def write_tune(path: Path, seed: int, quarters: int = 24) -> Path:
    """A tune of quarters over held bass notes."""
    rng = np.random.default_rng(seed)
    notes = [(480 * i, 480 * (i + 1), int(rng.choice([60, 62, 64, 67, 69])), 80) for i in range(quarters)]
    notes += [(1920 * i, 1920 * (i + 1), int(rng.choice([36, 41, 43])), 60) for i in range(quarters // 4)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_midi(Score((Part(np.sort(np.array(notes, NOTE), order=["start", "pitch"])),), tempos=((0, 100.0),)), path)
    return path


def roll_of(path: Path) -> Roll:
    """What is in a MIDI file."""
    return to_roll(read_midi(path).score)
