"""What is locked is kept, and with more drafts what is drawn around it fits it better."""

import numpy as np
import pytest

from music_composer.symbolic.models.voices.chords import to_sounding
from tests.symbolic.models.voices.small_voices import MOST, PITCHES, clock_of, inputs_of, small_model, some_piece

pytestmark = pytest.mark.journey

STEPS = 20


@pytest.fixture(scope="module")
def model():
    return small_model()


@pytest.fixture(scope="module")
def player(model):
    from music_composer.symbolic.models.voices.player import VoicesPlayer

    return VoicesPlayer(model, MOST)


PLAIN = (1, 0, 0)


def bounds_of(locked=None, steps=STEPS, fullest=MOST):
    from music_composer.symbolic.models.voices.bounds import Bounds

    free = np.zeros((steps, PITCHES), int)
    return Bounds(
        clock_of(steps), np.ones((steps, PITCHES), bool), free if locked is None else locked, np.full(steps, fullest)
    )


def play(player, bounds, seeds, taste=PLAIN, **how):
    from music_composer.symbolic.models.particles import Search, play_drafts
    from music_composer.symbolic.models.voices.bounds import stacked

    by_step, shift = stacked(bounds)
    rngs = [np.random.default_rng(seed) for seed in seeds]
    return play_drafts(player, by_step, [*shift, np.array([taste] * len(bounds), np.float32)], rngs, Search(**how))


def likelihood(model, chords):
    inputs = inputs_of([to_sounding(chord, PITCHES) for chord in chords])
    inputs[5] = np.zeros(len(chords), int)
    return np.asarray(model(inputs))[:, : chords.shape[1]].sum(axis=1)


def test_a_beginning_and_an_end_are_kept(player):
    piece = some_piece(3, STEPS)
    locked = np.where(piece, 1, 0)
    locked[7:13] = 0
    bounds = bounds_of(locked)
    bounds.fullest[:7] = bounds.fullest[13:] = 0
    chords, _ = play(player, [bounds] * 3, [1, 2, 3], drafts=4)
    sounding = np.stack([to_sounding(chord, PITCHES) for chord in chords])
    assert (sounding[:, :7] == piece[:7]).all()
    assert (sounding[:, 13:] == piece[13:]).all()
    assert len(np.unique(sounding[:, 7:13], axis=0)) == 3


def test_a_voice_is_kept_in_200_random_cases(player):
    rng = np.random.default_rng(1)
    locked = (rng.random((200, STEPS, PITCHES)) < 0.15).astype(int)
    chords, _ = play(player, [bounds_of(each, fullest=2) for each in locked], range(200))
    sounding = np.stack([to_sounding(chord, PITCHES) for chord in chords])
    assert sounding[locked > 0].all()
    assert ((sounding & (locked == 0)).sum(axis=2) <= 2).all()


def test_a_sample_depends_on_its_seed_alone(player):
    together = play(player, [bounds_of()] * 3, [1, 2, 3], drafts=3)
    alone = play(player, [bounds_of()], [2], drafts=3)
    for several, one in zip(together, alone, strict=True):
        assert np.array_equal(several[1], one[0])
    assert not np.array_equal(together[0][0], together[0][1])


def test_with_drafts_the_other_voices_are_drawn_to_fit_what_is_locked(model, player):
    """The highest pitch is locked at every other step: only drafts know that before they come to it."""
    locked = np.zeros((STEPS, PITCHES), int)
    locked[::2, PITCHES - 1] = 1
    mean = {}
    for drafts in (1, 32):
        chords, _ = play(player, [bounds_of(locked)] * 60, range(60), drafts=drafts)
        mean[drafts] = likelihood(model, chords)
    error = np.sqrt(mean[1].var() / 60 + mean[32].var() / 60)
    assert mean[32].mean() - mean[1].mean() > 3 * error


def test_nothing_locked_is_drawn_alike_with_drafts_or_without(model, player):
    mean = [likelihood(model, play(player, [bounds_of()] * 60, range(60), drafts=drafts)[0]) for drafts in (1, 4)]
    error = np.sqrt(mean[0].var() / 60 + mean[1].var() / 60)
    assert abs(mean[0].mean() - mean[1].mean()) < 4 * error


def test_a_beam_finds_what_is_likelier(model, player):
    mean = [
        likelihood(model, play(player, [bounds_of()] * 120, range(120), **how)[0])
        for how in ({}, {"drafts": 32, "beam": 8, "chunk": 4})
    ]
    error = np.sqrt(mean[0].var() / 120 + mean[1].var() / 120)
    assert mean[1].mean() - mean[0].mean() > 5 * error


def test_top_k_of_one_leaves_one_piece(player):
    chords, _ = play(player, [bounds_of()] * 3, [1, 2, 3], taste=(1, 1, 0))
    assert (chords == chords[0]).all()
