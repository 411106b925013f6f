"""The demonstration's own music as an album: what it learns from, and longer songs by the same rules, held out."""

from pathlib import Path

import numpy as np
import soundfile

from memory.cuts import RATE
from music_composer.demo.composer import compose
from music_composer.demo.dataset import write_dataset
from music_composer.demo.synth import render
from music_composer.pipelines.audio.demo import MINUTES

SEED, HELD_OUT, BARS = 1, 12, 32  # songs of the demonstration have half as many bars: too short for what follows twice


def demo_album(folder: Path) -> Path:
    """Written once: folder/train and folder/test."""
    test = folder / "test"
    if not test.exists():
        write_dataset(folder / "train", SEED, MINUTES)
        test.mkdir()
        for i in range(HELD_OUT):
            sound = render(compose(np.random.default_rng([SEED + 1_000_000, i]), BARS), RATE)
            soundfile.write(test / f"song-{i + 1:02d}.wav", sound, RATE)
    return folder
