"""Playing follows the likelihood and keeps the constraints."""

import numpy as np
import pytest

from music_composer.symbolic.models.voices.chords import to_active
from tests.symbolic.models.voices.small_voices import (
    LEVELS,
    MOST,
    PITCHES,
    articulation_of,
    clock_of,
    inputs_of,
    small_model,
    some_piece,
)

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module", params=[0, LEVELS], ids=["active", "articulation"])
def model(request):
    return small_model(request.param)


@pytest.fixture(scope="module")
def player(model):
    from music_composer.symbolic.models.voices.player import VoicesPlayer

    return VoicesPlayer(model, MOST)


def play(player, batch=1, steps=7, seed=0, state=None, first=0, **given):
    rng = np.random.default_rng(seed)
    shape = (batch, steps)
    wanted = {
        "uniform": rng.random((*shape, MOST, 2)).astype(np.float32),
        "clock": np.stack([clock_of(first + steps)[first:]] * batch),
        "allowed": np.ones((*shape, PITCHES), np.float32),
        "fixed": np.zeros((*shape, PITCHES), np.int32),
        "max_new_notes": np.full(shape, MOST, np.int32),
        "shift": np.arange(batch, dtype=np.int32) % 2,
        "sampling": np.array([(1, 0, 0)] * batch, np.float32),
        **given,
    }
    inputs = [*wanted.values(), state or player.initial_state(batch)]
    steps = player.predict_on_batch(inputs)
    return *steps.outputs, steps.log_mass, steps.state


def test_log_mass_of_fixed_notes_alone_is_their_likelihood(model, player):
    """With nothing else allowed, the mass that the constraints leave is the likelihood of the piece."""
    pieces = [some_piece(1, 9), some_piece(2, 9)]
    fixed = np.stack([np.where(piece, 1 + articulation_of(piece), 0) for piece in pieces]).astype(np.int32)
    chords, _, shares, _ = play(player, 2, 9, fixed=fixed, allowed=np.zeros(fixed.shape, np.float32))
    assert np.array_equal([to_active(chord, PITCHES) for chord in chords], pieces)
    assert shares == pytest.approx(np.asarray(model(inputs_of(pieces))), rel=1e-5, abs=1e-4)


def test_two_chunks_equal_one(player):
    draws = np.random.default_rng(3).random((1, 8, MOST, 2)).astype(np.float32)
    *whole, _, _ = play(player, steps=8, uniform=draws)
    *first, _, state = play(player, steps=3, uniform=draws[:, :3])
    *second, _, _ = play(player, steps=5, uniform=draws[:, 3:], state=state, first=3)
    for one, other, both in zip(first, second, whole, strict=True):
        assert np.array_equal(np.concatenate([one, other], axis=1), both)


def test_frequencies_of_chords_match_their_likelihood(model, player):
    if model.options.loudness:
        pytest.skip("the likelihood of a chord is a sum over all articulations of its notes")
    count = 4000
    chords, _, _, _ = play(player, count, 2, seed=1, shift=np.zeros(count, np.int32))
    active = np.stack([to_active(chord, PITCHES) for chord in chords])
    inputs = inputs_of(list(active[:200]))
    inputs[5] = np.zeros(200, int)
    log_prob = np.exp(np.asarray(model(inputs))[:, 0])
    for i in range(20):
        often = (active[:, 0] == active[i, 0]).all(axis=1).mean()
        assert often == pytest.approx(log_prob[i], abs=float(4 * np.sqrt(log_prob[i] / count)))


def test_samples_are_independent_of_their_batch(player):
    draws = np.random.default_rng(5).random((3, 6, MOST, 2)).astype(np.float32)
    together, articulations, _, _ = play(player, 3, 6, uniform=draws)
    alone, articulation, _, _ = play(player, 1, 6, uniform=draws[2:])
    assert np.array_equal(alone[0], together[2])
    assert np.array_equal(articulation[0], articulations[2])


def test_fixed_notes_are_active_and_disallowed_ones_never(player):
    rng = np.random.default_rng(7)
    cases, steps = 200, 6
    allowed = rng.random((cases, steps, PITCHES)) < 0.5
    fixed = rng.random((cases, steps, PITCHES)) < 0.2
    wanted = np.where(fixed, 2, 0).astype(np.int32)  # soft onsets
    max_new_notes = rng.integers(0, 3, (cases, steps)).astype(np.int32)
    chords, articulations, _, _ = play(
        player, cases, steps, seed=2, max_new_notes=max_new_notes, allowed=allowed.astype(np.float32), fixed=wanted
    )
    if player.network.options.loudness:
        case, step, rank = np.nonzero(chords < PITCHES)
        bound = fixed[case, step, chords[case, step, rank]]
        assert (articulations[case, step, rank] == 1)[bound].all()
        assert not (articulations[case, step, rank] == 1)[~bound].all()
    active = np.stack([to_active(chord, PITCHES) for chord in chords])
    assert active[fixed].all()
    assert not active[~allowed & ~fixed].any()
    assert ((active & ~fixed).sum(axis=2) <= max_new_notes).all()
    assert (active & ~fixed).any()


def test_a_low_temperature_takes_the_likeliest_chord(model, player):
    batch = 8
    chords, _, _, _ = play(player, batch, 1, seed=4, sampling=np.array([(0.01, 0, 0)] * batch, np.float32),
                           shift=np.zeros(batch, np.int32))  # fmt: skip
    assert (chords == chords[0]).all()


def test_only_active_notes_are_held(model, player):
    if not model.options.loudness:
        pytest.skip("without articulation")
    chords, articulations, _, _ = play(player, 50, 6, seed=6)
    active = np.stack([to_active(chord, PITCHES) for chord in chords])
    case, step, rank = np.nonzero((chords < PITCHES) & (articulations == 0))
    assert len(case) > 20
    assert (step > 0).all()
    assert active[case, step - 1, chords[case, step, rank]].all()
    assert (articulations[chords < PITCHES] > 0).any()
