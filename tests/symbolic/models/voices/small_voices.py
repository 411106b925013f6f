"""A voices model of six pitches with random weights, and pieces for it."""

import numpy as np

from music_composer.symbolic.key_history import heard_before
from music_composer.symbolic.models.voices.batches import decisions_in, manners_by_rank
from music_composer.symbolic.models.voices.chords import lead_voices, to_chords

PITCHES, MOST, VOICES, LEVELS = 6, 6, 3, 3
FADES = 2, 8


def small_model(loudness=0):
    """Its weights are random, since some begin at nought and would hide what they do."""
    import keras

    from music_composer.symbolic.models.voices.network import Voices
    from music_composer.symbolic.options import VoicesOptions

    keras.utils.set_random_seed(3)
    small = VoicesOptions(
        pitches=PITCHES, voices=VOICES, neurons=8, wide=16, narrow=12, embedding=8, attention=4, shifts=2, clock=2,
        memory=5, loudness=loudness, fades=FADES,
    )  # fmt: skip
    model = Voices(small)
    model(inputs_of([np.zeros((3, PITCHES), bool)]))
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.4, np.shape(weight)) for weight in model.get_weights()])
    return model


def clock_of(steps):
    return np.stack([np.arange(steps) % 2, np.arange(steps) // 2 % 2], axis=1).astype(np.float32)


def manner_of(sounding):
    """Held on or struck at some level, (steps, PITCHES); what did not sound before is struck."""
    step, pitch = np.indices(sounding.shape)
    manner = (7 * step + 3 * pitch) % (LEVELS + 1)
    before = np.concatenate([np.zeros_like(sounding[:1]), sounding[:-1]])
    return np.where(sounding & (before | (manner > 0)), manner, sounding.astype(int))


def inputs_of(pieces, steps=0):
    """Pieces bool (steps, PITCHES) as one batch, filled up with silence."""
    steps = max(steps, *map(len, pieces), 3)
    chords, manners, led, heard = [], [], [], []
    for piece in pieces:
        filled = np.concatenate([piece, np.zeros((steps - len(piece), PITCHES), bool)])
        chords.append(to_chords(filled, MOST))
        manners.append(manners_by_rank(chords[-1], manner_of(filled)))
        led.append(lead_voices(chords[-1], PITCHES, VOICES))
        heard.append(heard_before(filled, FADES)[:-1])
    clock = np.stack([clock_of(steps)] * len(pieces))
    weight = np.stack([np.arange(steps) < len(piece) for piece in pieces]).astype(np.float32)
    shift, decisions = np.arange(len(pieces)) % 2, decisions_in(np.stack(chords), weight, PITCHES)
    music = [np.stack(each) for each in (chords, manners, led, heard)]
    return [*music, clock, shift, decisions, weight]


def some_piece(seed, steps=7):
    return np.random.default_rng(seed).random((steps, PITCHES)) < 0.4
