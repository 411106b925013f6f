"""An audio network of a few neurons, and music of a few bands."""

import dataclasses

import keras
import numpy as np

from music_composer.audio.linear_decoder import fit_decoder
from music_composer.audio.models.network import Continuation
from music_composer.audio.options import ModelOptions
from music_composer.audio.pca import fit_encoding
from music_composer.audio.prompts import Prompt

OPTIONS = ModelOptions(neurons=16, layers=2, frames_per_step=2, components=6, head_width=16, head_blocks=2)
CHANNELS, BANDS = 2, 5
SIZE = OPTIONS.frames_per_step * CHANNELS * BANDS


def music(frames=400, seed=0):
    """Returns bands (frames, channels, bands) that fade together, each with a little variation of its own."""
    rng = np.random.default_rng(seed)
    swell = np.sin(np.arange(frames) / 5)[:, None, None]
    return (swell * rng.normal(1, 0.3, (CHANNELS, BANDS)) + 0.1 * rng.normal(size=(frames, CHANNELS, BANDS))) - 5


def model_of(**changes):
    keras.utils.set_random_seed(1)
    options = dataclasses.replace(OPTIONS, **changes)
    model = Continuation(options, SIZE)
    model.build()
    encoding = fit_encoding([music()], options.frames_per_step, options.components)
    decoder = fit_decoder([music()], options.frames_per_step, encoding, options.reach) if options.reach else None
    model.set_encoding(encoding, decoder)
    return model


def windows(count=8, steps=21):
    frames = music(count * steps * OPTIONS.frames_per_step)
    return frames.reshape(count, steps, SIZE).astype(np.float32)


def prompt_of(frames=40, seed=3):
    return Prompt(None, np.zeros((0, CHANNELS), np.float32), music(frames, seed).astype(np.float32), 0.0, False)
