"""Writes the demonstration's recordings: composed and rendered pieces as WAV files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from music_composer.demo.composer import compose
from music_composer.demo.synth import render
from music_composer.files import whole_file

RATE = 44100  # Hz


def write_dataset(folder: Path, seed: int, minutes: float = 3.5, place: Callable[[Path], Path] = Path) -> list[Path]:
    """Write pieces of about half a minute into `folder` until they last `minutes` together.

    Files are `piece-01.wav` and on, 16 bits, stereo, 44.1 kHz; returned in that order.  The same seed
    writes the same bytes, and more minutes add pieces without changing the earlier ones.
    place: where the file of each path is written to at first.
    """
    if not minutes > 0:
        raise ValueError(f"minutes must be above zero, not {minutes}")
    paths: list[Path] = []
    seconds = 0.0
    while seconds < 60 * minutes:
        sound = render(compose(np.random.default_rng([seed, len(paths)])), RATE)
        paths.append(folder / f"piece-{len(paths) + 1:02d}.wav")
        _write_whole(place(paths[-1]), sound)
        seconds += len(sound) / RATE
    return paths


def _write_whole(path: Path, sound: NDArray[np.float32]) -> None:
    with whole_file(path) as part:
        soundfile.write(part, sound, RATE, subtype="PCM_16", format="WAV")
