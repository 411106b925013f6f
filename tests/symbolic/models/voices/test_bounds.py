"""What is kept of a piece is kept exactly, whatever is composed around it."""

import numpy as np
import pytest

from music_composer.symbolic.constraints import Request, gap_of
from music_composer.symbolic.models.voices.bounds import bounds_of, stacked
from music_composer.symbolic.models.voices.encoding import LOWEST, to_roll
from music_composer.symbolic.options import VoicesOptions
from music_composer.symbolic.roll import CLOCK
from music_composer.symbolic.roll_operations import laid_over, lengthened
from music_composer.values import Roll
from tests.symbolic.rolls import without

pytestmark = pytest.mark.journey

SMALL = VoicesOptions(neurons=8, wide=16, narrow=12, embedding=8, attention=4, clock=CLOCK, memory=8)
STEPS = 24
EVERY = np.ones(128, bool)


def random_roll(seed: int, steps: int = STEPS) -> Roll:
    """A few notes of random lengths and velocities, some of them struck again while they sound."""
    rng = np.random.default_rng(seed)
    velocity, struck = np.zeros((steps, 128), np.uint8), np.zeros((steps, 128), bool)
    for pitch in rng.choice(np.arange(LOWEST, LOWEST + 88), 4, replace=False):
        start = int(rng.integers(steps - 1))
        for begin in (start, start + int(rng.integers(1, 6))):
            velocity[begin : begin + int(rng.integers(1, 9)), pitch] = rng.integers(1, 128)
            struck[begin : begin + 1, pitch] = True
    struck |= (velocity > 0) & ~np.concatenate([np.zeros((1, 128), bool), velocity[:-1] > 0])
    return Roll(velocity, struck & (velocity > 0), metres=((0, 2, 4),))


def kept_in(made: Roll, kept: Roll) -> bool:
    sounds = kept.sounding
    same = np.array_equal(made.velocity[sounds], kept.velocity[sounds])
    return same and np.array_equal(made.struck[sounds], kept.struck[sounds])


@pytest.fixture(scope="module")
def play():
    """Bounds -> chords and manners, by a model of random weights."""
    import keras

    from music_composer.symbolic.models.particles import play_drafts
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
        return play_drafts(player, by_step, [*shift, plain], [np.random.default_rng(i) for i in range(len(samples))])

    return play


@pytest.mark.parametrize("task", ["harmonise", "infill", "go on"])
def test_every_note_that_is_locked_is_kept_in_200_random_cases(play, task):
    kept, open_steps = [], []
    for seed in range(200):
        roll, gap = random_roll(seed), np.ones(STEPS, bool)
        if task == "infill":
            gap = gap_of(roll, 2, 2)
            roll = without(roll, gap)
        if task == "go on":
            roll = lengthened(random_roll(seed, STEPS - 8), 8)
            gap = np.arange(STEPS) >= STEPS - 8
        kept.append(roll)
        open_steps.append(gap)
    chords, manners = play(
        [bounds_of(Request(roll, gap, EVERY), SMALL) for roll, gap in zip(kept, open_steps, strict=True)]
    )
    more = 0
    for chord, manner, roll, gap in zip(chords, manners, kept, open_steps, strict=True):
        played = to_roll(chord, manner, SMALL, roll)
        assert (played.sounding | ~roll.sounding).all()
        assert np.array_equal(played.sounding[~gap], roll.sounding[~gap])
        assert np.array_equal(played.struck & roll.sounding, roll.struck)
        assert kept_in(laid_over(played, roll), roll)
        more += int((played.sounding & ~roll.sounding).sum())
    assert more > 200


def test_polyphony_counts_what_is_locked_too():
    roll = random_roll(3)
    bounds = bounds_of(Request(roll, np.ones(STEPS, bool), EVERY, 2), SMALL)
    assert np.array_equal(bounds.fullest, np.maximum(2 - roll.sounding.sum(axis=1), 0))
    closed = bounds_of(Request(roll, np.zeros(STEPS, bool), EVERY), SMALL)
    assert not closed.fullest.any()
