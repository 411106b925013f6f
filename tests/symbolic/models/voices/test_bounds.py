"""Fixed notes stay exactly as they are, whatever is composed around them."""

import numpy as np
import pytest

from music_composer.symbolic.constraints import Constraints, gap_of
from music_composer.symbolic.models.voices.bounds import bounds_of, stacked
from music_composer.symbolic.models.voices.encoding import to_roll
from music_composer.symbolic.options import VoicesOptions
from music_composer.symbolic.roll import CLOCK
from music_composer.symbolic.roll_operations import laid_over, lengthened
from music_composer.values import Roll
from tests.symbolic.rolls import random_roll, without

pytestmark = pytest.mark.journey

SMALL = VoicesOptions(neurons=8, wide=16, narrow=12, embedding=8, attention=4, clock=CLOCK, memory=8)
STEPS = 24
EVERY = np.ones(128, bool)


def kept_in(made: Roll, kept: Roll) -> bool:
    sounds = kept.active
    same = np.array_equal(made.velocity[sounds], kept.velocity[sounds])
    return same and np.array_equal(made.onset[sounds], kept.onset[sounds])


@pytest.fixture(scope="module")
def play():
    """Bounds -> chords and articulations, by a network with random weights."""
    import keras

    from music_composer.symbolic.models.particles import play_particles
    from music_composer.symbolic.models.voices.batches import Piece, voices_inputs
    from music_composer.symbolic.models.voices.network import Voices
    from music_composer.symbolic.models.voices.player import VoicesPlayer

    keras.utils.set_random_seed(1)
    model = Voices(SMALL)
    model(voices_inputs([Piece(np.zeros((1, 88), bool), np.zeros((1, CLOCK), np.float32))], [0], SMALL, 2))
    player = VoicesPlayer(model, SMALL.most + 1)

    def play(samples):
        by_step, shift = stacked(samples)
        plain = np.array([(1, 0, 0)] * len(samples), np.float32)
        return play_particles(player, by_step, [*shift, plain], [np.random.default_rng(i) for i in range(len(samples))])

    return play


@pytest.mark.parametrize("task", ["harmonise", "infill", "go on"])
def test_every_fixed_note_is_kept_in_200_random_cases(play, task):
    kept, editable = [], []
    for seed in range(200):
        roll, gap = random_roll(seed), np.ones(STEPS, bool)
        if task == "infill":
            gap = gap_of(roll, 2, 2)
            roll = without(roll, gap)
        if task == "go on":
            roll = lengthened(random_roll(seed, STEPS - 8), 8)
            gap = np.arange(STEPS) >= STEPS - 8
        kept.append(roll)
        editable.append(gap)
    chords, articulations = play(
        [bounds_of(Constraints(roll, gap, EVERY), SMALL) for roll, gap in zip(kept, editable, strict=True)]
    )
    more = 0
    for chord, articulation, roll, gap in zip(chords, articulations, kept, editable, strict=True):
        played = to_roll(chord, articulation, SMALL, roll)
        assert (played.active | ~roll.active).all()
        assert np.array_equal(played.active[~gap], roll.active[~gap])
        assert np.array_equal(played.onset & roll.active, roll.onset)
        assert kept_in(laid_over(played, roll), roll)
        more += int((played.active & ~roll.active).sum())
    assert more > 200


def test_max_polyphony_includes_fixed_notes():
    roll = random_roll(3)
    bounds = bounds_of(Constraints(roll, np.ones(STEPS, bool), EVERY, 2), SMALL)
    assert np.array_equal(bounds.max_new_notes, np.maximum(2 - roll.active.sum(axis=1), 0))
    closed = bounds_of(Constraints(roll, np.zeros(STEPS, bool), EVERY), SMALL)
    assert not closed.max_new_notes.any()
