"""Writes the demonstration's recordings: composed and rendered pieces as WAV files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from music_composer.audio.wav import write_wav
from music_composer.demo.composer import compose
from music_composer.demo.synth import render

RATE = 44100  # Hz


def write_dataset(folder: Path, seed: int, minutes: float = 3.5, place: Callable[[Path], Path] = Path) -> list[Path]:
    """Writes pieces of about half a minute into a folder until they last `minutes` together.

    The files are `piece-01.wav` and on, 16 bits, stereo, 44.1 kHz; they are returned in that order. The same seed
    writes the same bytes, and more minutes add pieces without changing earlier ones.
    place: maps a path to the file that is written first, for atomic writes. Raises ValueError for no time.
    """
    if not minutes > 0:
        raise ValueError(f"minutes is {minutes}: give a number above zero")
    paths: list[Path] = []
    seconds = 0.0
    while seconds < 60 * minutes:
        # Each piece has a generator of its own: more pieces do not change earlier ones.
        sound = render(compose(np.random.default_rng([seed, len(paths)])), RATE)
        paths.append(folder / f"piece-{len(paths) + 1:02d}.wav")
        with write_wav(place(paths[-1]), RATE, sound.shape[1], "PCM_16") as writer:
            writer.write(sound)
        seconds += len(sound) / RATE
    return paths
