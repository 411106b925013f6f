"""Decoders learned from the same music as the model, for comparison with the components and the phase search.

`trained_magnitudes` adds to the components' frames what a small convolutional network makes of the latents around them.
`trained_waveforms` goes on to sound: it predicts magnitude and phase of every bin and transforms back, as Vocos does
(Siuzdak 2023), but without adversaries: it learns by the magnitudes of the sound's spectra alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import layers, ops

from music_composer.audio.options import FrameOptions
from music_composer.audio.pca import Encoding, decode, encode
from music_composer.audio.spectrogram import to_left_right, to_mid_side
from music_composer.values import Waveform

WIDTH, BLOCKS, KERNEL = 256, 3, 5
BATCH, STEPS, RATE = 8, 48, 1e-3  # STEPS: of the model, in one example
RESOLUTIONS = (512, 1024, 2048)  # windows that sound is compared by


def trained_magnitudes(
    songs: Sequence[np.ndarray], encoding: Encoding, minutes: float
) -> Callable[[np.ndarray], np.ndarray]:
    """songs: steps (steps, size) -> what turns latents (steps, components) into steps (steps, size)."""
    keras.utils.set_random_seed(0)
    inlet = keras.Input((None, encoding.forward.shape[1]))
    outlet = layers.Dense(len(encoding.mean), kernel_initializer="zeros")(_trunk(inlet))
    model = keras.Model(inlet, outlet)
    model.compile(keras.optimizers.Adam(RATE), "mse")
    pairs = [(encode(song, encoding), song) for song in songs if len(song) >= STEPS]
    rng, started = np.random.default_rng(0), time.monotonic()
    while time.monotonic() - started < 60 * minutes:
        drawn = [_cut(*pairs[rng.integers(len(pairs))], 1, rng) for _ in range(BATCH)]
        latents, steps = (np.stack(part) for part in zip(*drawn, strict=True))
        model.train_on_batch(latents, steps - decode(latents, encoding))
    return lambda latents: decode(latents, encoding) + np.asarray(model.predict(latents[None], verbose=0)[0])


def trained_waveforms(
    pairs: Sequence[tuple[np.ndarray, Waveform]],
    encoding: Encoding,
    frames_per_step: int,
    frame: FrameOptions,
    minutes: float,
) -> Callable[[np.ndarray], Waveform]:
    """pairs: latents (steps, components) and their sound -> what turns latents into sound."""
    keras.utils.set_random_seed(0)
    inlet = keras.Input((None, encoding.forward.shape[1]))
    frames = layers.Reshape((-1, WIDTH))(layers.Dense(frames_per_step * WIDTH)(_trunk(inlet)))
    made = layers.Dense(2 * 3 * frame.bins)(_trunk(frames))
    model = keras.Model(inlet, layers.Reshape((-1, 2, 3, frame.bins))(made))
    optimizer = keras.optimizers.Adam(RATE, global_clipnorm=1.0)
    model.compile(optimizer, lambda truth, made: _spectral_loss(truth, _to_samples(made, frame)))
    songs = [(latents, to_mid_side(sound.samples).T) for latents, sound in pairs if len(latents) >= STEPS]
    rng, started = np.random.default_rng(0), time.monotonic()
    while time.monotonic() - started < 60 * minutes:
        drawn = [_cut(*songs[rng.integers(len(songs))], frames_per_step * frame.hop, rng) for _ in range(BATCH)]
        latents, samples = (np.stack(part) for part in zip(*drawn, strict=True))
        model.train_on_batch(latents, samples.transpose(0, 2, 1)[..., : (STEPS * frames_per_step - 1) * frame.hop])

    def play(latents: np.ndarray) -> Waveform:
        samples = ops.convert_to_numpy(_to_samples(model(latents[None]), frame))[0]
        return Waveform(to_left_right(samples), frame.rate)

    return play


def _trunk(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.Dense(WIDTH)(x)
    for _ in range(BLOCKS):
        y = layers.LayerNormalization()(layers.Conv1D(WIDTH, KERNEL, padding="same")(x))
        x = x + layers.Dense(WIDTH)(layers.Dense(3 * WIDTH, activation="gelu")(y))
    return layers.LayerNormalization()(x)


def _cut(latents: np.ndarray, truth: np.ndarray, rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """STEPS latents from a random place, and the `rows` of truth that go with each."""
    start = int(rng.integers(min(len(latents), len(truth) // rows) - STEPS + 1))
    return latents[start : start + STEPS], truth[start * rows : (start + STEPS) * rows]


def _to_samples(made: keras.KerasTensor, frame: FrameOptions) -> keras.KerasTensor:
    """Log-magnitude and an unnormalised phase vector of each bin -> samples (batch, channels, (frames - 1) * hop)."""
    level, real, imaginary = (ops.transpose(made[:, :, :, i], (0, 2, 1, 3)) for i in range(3))
    scale = ops.exp(ops.clip(level, -12.0, 6.0)) / ops.sqrt(ops.square(real) + ops.square(imaginary) + 1e-6)
    shape = (-1, ops.shape(level)[2], frame.bins)
    spectra = tuple(ops.reshape(part * scale, shape) for part in (real, imaginary))
    samples = ops.istft(spectra, frame.window, frame.hop, frame.window)
    return ops.reshape(samples, (-1, 2, ops.shape(samples)[-1]))


def _spectral_loss(truth: keras.KerasTensor, made: keras.KerasTensor) -> keras.KerasTensor:
    """Mean difference of magnitudes and of their logarithms at several resolutions (Yamamoto et al. 2020)."""
    total = 0.0
    for window in RESOLUTIONS:
        one, other = (_magnitudes(samples, window) for samples in (truth, made))
        total += ops.mean(ops.abs(ops.log(one) - ops.log(other)))
        total += ops.sqrt(ops.sum(ops.square(one - other)) / ops.sum(ops.square(one)))
    return total / len(RESOLUTIONS)


def _magnitudes(samples: keras.KerasTensor, window: int) -> keras.KerasTensor:
    flat = ops.reshape(samples, (-1, ops.shape(samples)[-1]))
    real, imaginary = ops.stft(flat, window, window // 4, window)
    return ops.sqrt(ops.square(real) + ops.square(imaginary) + 1e-6)
