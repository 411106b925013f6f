"""What is locked is kept, and with more particles what is drawn around it fits it better."""

import numpy as np
import pytest

from music_composer.symbolic.models.voices.chords import to_active
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


def bounds_of(fixed=None, steps=STEPS, max_new_notes=MOST):
    from music_composer.symbolic.models.voices.bounds import Bounds

    free = np.zeros((steps, PITCHES), int)
    return Bounds(
        clock_of(steps),
        np.ones((steps, PITCHES), bool),
        free if fixed is None else fixed,
        np.full(steps, max_new_notes),
    )


def play(player, bounds, seeds, sampling=PLAIN, **search):
    from music_composer.symbolic.models.particles import Search, play_particles
    from music_composer.symbolic.models.voices.bounds import stacked

    step_inputs, shift = stacked(bounds)
    rngs = [np.random.default_rng(seed) for seed in seeds]
    return play_particles(
        player, step_inputs, [*shift, np.array([sampling] * len(bounds), np.float32)], rngs, Search(**search)
    )


def likelihood(model, chords):
    inputs = inputs_of([to_active(chord, PITCHES) for chord in chords])
    inputs[5] = np.zeros(len(chords), int)
    return np.asarray(model(inputs))[:, : chords.shape[1]].sum(axis=1)


def test_a_fixed_beginning_and_end_are_kept(player):
    piece = some_piece(3, STEPS)
    fixed = np.where(piece, 1, 0)
    fixed[7:13] = 0
    bounds = bounds_of(fixed)
    bounds.max_new_notes[:7] = bounds.max_new_notes[13:] = 0
    chords, _ = play(player, [bounds] * 3, [1, 2, 3], particles=4)
    active = np.stack([to_active(chord, PITCHES) for chord in chords])
    assert (active[:, :7] == piece[:7]).all()
    assert (active[:, 13:] == piece[13:]).all()
    assert len(np.unique(active[:, 7:13], axis=0)) == 3


def test_fixed_notes_are_kept_in_200_random_cases(player):
    rng = np.random.default_rng(1)
    fixed = (rng.random((200, STEPS, PITCHES)) < 0.15).astype(int)
    chords, _ = play(player, [bounds_of(each, max_new_notes=2) for each in fixed], range(200))
    active = np.stack([to_active(chord, PITCHES) for chord in chords])
    assert active[fixed > 0].all()
    assert ((active & (fixed == 0)).sum(axis=2) <= 2).all()


def test_a_sample_depends_on_its_seed_alone(player):
    together = play(player, [bounds_of()] * 3, [1, 2, 3], particles=3)
    alone = play(player, [bounds_of()], [2], particles=3)
    for several, one in zip(together, alone, strict=True):
        assert np.array_equal(several[1], one[0])
    assert not np.array_equal(together[0][0], together[0][1])


def test_particles_fit_the_other_voices_to_fixed_notes(model, player):
    """The highest pitch is fixed at every other step: only particles take later steps into account."""
    fixed = np.zeros((STEPS, PITCHES), int)
    fixed[::2, PITCHES - 1] = 1
    mean = {}
    for particles in (1, 32):
        chords, _ = play(player, [bounds_of(fixed)] * 60, range(60), particles=particles)
        mean[particles] = likelihood(model, chords)
    error = np.sqrt(mean[1].var() / 60 + mean[32].var() / 60)
    assert mean[32].mean() - mean[1].mean() > 3 * error


def test_without_fixed_notes_particles_change_no_distribution(model, player):
    mean = [
        likelihood(model, play(player, [bounds_of()] * 60, range(60), particles=particles)[0]) for particles in (1, 4)
    ]
    error = np.sqrt(mean[0].var() / 60 + mean[1].var() / 60)
    assert abs(mean[0].mean() - mean[1].mean()) < 4 * error


def test_a_beam_finds_likelier_pieces(model, player):
    mean = [
        likelihood(model, play(player, [bounds_of()] * 120, range(120), **search)[0])
        for search in ({}, {"particles": 32, "beam": 8, "chunk": 4})
    ]
    error = np.sqrt(mean[0].var() / 120 + mean[1].var() / 120)
    assert mean[1].mean() - mean[0].mean() > 5 * error


def test_top_k_of_one_leaves_one_piece(player):
    chords, _ = play(player, [bounds_of()] * 3, [1, 2, 3], sampling=(1, 1, 0))
    assert (chords == chords[0]).all()
