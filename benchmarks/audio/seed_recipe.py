"""The recipe of the seed (peternagy1332/music-composer), for comparison: raw samples, mean squared error, no state.

Blocks of 11025 samples, four to a clip of a second; a dense layer and stacked LSTMs learn the clip that comes a second
later, and play by hearing their own clip. One channel, as there; the first layer is as wide as the others instead of
11025, so that an epoch takes seconds. What is beyond full scale is clipped, where the seed's integers wrap around.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import soundfile

BLOCK, BLOCKS, RATE = 11025, 4, 44100
CLIP = BLOCK * BLOCKS


def train_seed(
    recordings: Sequence[Path], neurons: int, layers: int, epochs: int, seed: int
) -> tuple[keras.Model, float]:
    """The trained model and the deviation of the samples that it was trained on."""
    keras.utils.set_random_seed(seed)
    clips = [_clips(soundfile.read(path, dtype="float32", always_2d=True)[0][:, 0]) for path in recordings]
    deviation = float(np.std(np.concatenate(clips)))
    x, y = (np.concatenate([song[part] for song in clips]) / deviation for part in (slice(-1), slice(1, None)))
    time = keras.layers.TimeDistributed
    stack = [keras.layers.LSTM(neurons, return_sequences=True) for _ in range(layers)]
    model = keras.Sequential([keras.Input((BLOCKS, BLOCK)), time(keras.layers.Dense(neurons)), *stack])
    model.add(time(keras.layers.Dense(BLOCK)))
    model.compile("adadelta", "mse")
    model.optimizer.learning_rate = 1.0  # what adadelta meant when the seed was written
    model.fit(x, y, 10, epochs, verbose=2)
    return model, deviation


def play_seed(model: keras.Model, deviation: float, prompt: Path, seconds: int, path: Path) -> None:
    """Writes what follows the prompt's last second: every second heard anew, as the seed does."""
    clip = _clips(soundfile.read(prompt, dtype="float32", always_2d=True)[0][:, 0][-CLIP:]) / deviation
    played = []
    for _ in range(seconds):
        clip = model.predict_on_batch(clip)
        played.append(np.asarray(clip).reshape(-1) * deviation)
    soundfile.write(path, np.clip(np.concatenate(played), -1, 1), RATE)


def _clips(samples: np.ndarray) -> np.ndarray:
    """(samples,) -> (clips, BLOCKS, BLOCK); a remainder is left out."""
    return samples[: len(samples) // CLIP * CLIP].reshape(-1, BLOCKS, BLOCK)
