"""A voices network of six pitches with random weights, and pieces for it."""

import numpy as np

from music_composer.symbolic.key_history import key_history_of
from music_composer.symbolic.models.voices.batches import articulations_by_rank, decisions_in
from music_composer.symbolic.models.voices.chords import lead_voices, to_chords

PITCHES, MOST, VOICES, LEVELS = 6, 6, 3, 3
HALF_LIVES = 2, 8


def small_model(loudness=0):
    """All weights are random: some start at 0 and would hide their effect."""
    import keras

    from music_composer.symbolic.models.voices.network import Voices
    from music_composer.symbolic.options import VoicesOptions

    keras.utils.set_random_seed(3)
    small = VoicesOptions(
        pitches=PITCHES, voices=VOICES, neurons=8, wide=16, narrow=12, embedding=8, attention=4, shifts=2, clock=2,
        memory=5, loudness=loudness, half_lives=HALF_LIVES,
    )  # fmt: skip
    model = Voices(small)
    model(inputs_of([np.zeros((3, PITCHES), bool)]))
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.4, np.shape(weight)) for weight in model.get_weights()])
    return model


def clock_of(steps):
    return np.stack([np.arange(steps) % 2, np.arange(steps) // 2 % 2], axis=1).astype(np.float32)


def articulation_of(active):
    """Articulations, (steps, PITCHES): held, or a level; a note that was silent before has an onset."""
    step, pitch = np.indices(active.shape)
    articulation = (7 * step + 3 * pitch) % (LEVELS + 1)
    before = np.concatenate([np.zeros_like(active[:1]), active[:-1]])
    return np.where(active & (before | (articulation > 0)), articulation, active.astype(int))


def inputs_of(pieces, steps=0):
    """Pieces bool (steps, PITCHES) as one batch, padded with silence."""
    steps = max(steps, *map(len, pieces), 3)
    chords, articulations, voice_pitches, key_history = [], [], [], []
    for piece in pieces:
        filled = np.concatenate([piece, np.zeros((steps - len(piece), PITCHES), bool)])
        chords.append(to_chords(filled, MOST))
        articulations.append(articulations_by_rank(chords[-1], articulation_of(filled)))
        voice_pitches.append(lead_voices(chords[-1], PITCHES, VOICES))
        key_history.append(key_history_of(filled, HALF_LIVES)[:-1])
    clock = np.stack([clock_of(steps)] * len(pieces))
    mask = np.stack([np.arange(steps) < len(piece) for piece in pieces]).astype(np.float32)
    shift, decisions = np.arange(len(pieces)) % 2, decisions_in(np.stack(chords), mask, PITCHES)
    music = [np.stack(each) for each in (chords, articulations, voice_pitches, key_history)]
    return [*music, clock, shift, decisions, mask]


def some_piece(seed, steps=7):
    return np.random.default_rng(seed).random((steps, PITCHES)) < 0.4
