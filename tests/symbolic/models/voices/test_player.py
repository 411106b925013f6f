"""What is played is what the likelihood says, and keeps to what is locked and allowed."""

import numpy as np
import pytest

from music_composer.symbolic.models.voices.chords import to_sounding
from tests.symbolic.models.voices.small_voices import (
    LEVELS,
    MOST,
    PITCHES,
    clock_of,
    inputs_of,
    manner_of,
    small_model,
    some_piece,
)

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module", params=[0, LEVELS], ids=["sounding", "struck"])
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
        "draws": rng.random((*shape, MOST, 2)).astype(np.float32),
        "clock": np.stack([clock_of(first + steps)[first:]] * batch),
        "allowed": np.ones((*shape, PITCHES), np.float32),
        "locked": np.zeros((*shape, PITCHES), np.int32),
        "fullest": np.full(shape, MOST, np.int32),
        "shift": np.arange(batch, dtype=np.int32) % 2,
        "taste": np.array([(1, 0, 0)] * batch, np.float32),
        **given,
    }
    inputs = [*wanted.values(), *(state or player.initial_state(batch))]
    chords, manners, shares, _, *state = player.predict_on_batch(inputs)
    return chords, manners, shares, state


def test_the_share_of_what_is_locked_alone_is_its_likelihood(model, player):
    """Step by step and whole pieces are the same model: with all else forbidden, a piece is as likely as its share."""
    pieces = [some_piece(1, 9), some_piece(2, 9)]
    locked = np.stack([np.where(piece, 1 + manner_of(piece), 0) for piece in pieces]).astype(np.int32)
    chords, _, shares, _ = play(player, 2, 9, locked=locked, allowed=np.zeros(locked.shape, np.float32))
    assert np.array_equal([to_sounding(chord, PITCHES) for chord in chords], pieces)
    assert shares == pytest.approx(np.asarray(model(inputs_of(pieces))), rel=1e-5, abs=1e-4)


def test_two_halves_are_the_whole(player):
    draws = np.random.default_rng(3).random((1, 8, MOST, 2)).astype(np.float32)
    *whole, _, _ = play(player, steps=8, draws=draws)
    *first, _, state = play(player, steps=3, draws=draws[:, :3])
    *second, _, _ = play(player, steps=5, draws=draws[:, 3:], state=state, first=3)
    for one, other, both in zip(first, second, whole, strict=True):
        assert np.array_equal(np.concatenate([one, other], axis=1), both)


def test_chords_come_as_often_as_their_likelihood_says(model, player):
    if model.options.loudness:
        pytest.skip("the likelihood of a chord is a sum over all manners of its notes")
    count = 4000
    chords, _, _, _ = play(player, count, 2, seed=1, shift=np.zeros(count, np.int32))
    sounding = np.stack([to_sounding(chord, PITCHES) for chord in chords])
    inputs = inputs_of(list(sounding[:200]))
    inputs[5] = np.zeros(200, int)
    likely = np.exp(np.asarray(model(inputs))[:, 0])
    for i in range(20):
        often = (sounding[:, 0] == sounding[i, 0]).all(axis=1).mean()
        assert often == pytest.approx(likely[i], abs=float(4 * np.sqrt(likely[i] / count)))


def test_samples_do_not_depend_on_their_neighbours(player):
    draws = np.random.default_rng(5).random((3, 6, MOST, 2)).astype(np.float32)
    together, manners, _, _ = play(player, 3, 6, draws=draws)
    alone, manner, _, _ = play(player, 1, 6, draws=draws[2:])
    assert np.array_equal(alone[0], together[2])
    assert np.array_equal(manner[0], manners[2])


def test_what_is_locked_sounds_and_what_is_not_allowed_does_not(player):
    rng = np.random.default_rng(7)
    cases, steps = 200, 6
    allowed = rng.random((cases, steps, PITCHES)) < 0.5
    locked = rng.random((cases, steps, PITCHES)) < 0.2
    wanted = np.where(locked, 2, 0).astype(np.int32)  # struck, and softly
    fullest = rng.integers(0, 3, (cases, steps)).astype(np.int32)
    chords, manners, _, _ = play(
        player, cases, steps, seed=2, fullest=fullest, allowed=allowed.astype(np.float32), locked=wanted
    )
    if player.model.options.loudness:
        case, step, rank = np.nonzero(chords < PITCHES)
        bound = locked[case, step, chords[case, step, rank]]
        assert (manners[case, step, rank] == 1)[bound].all()
        assert not (manners[case, step, rank] == 1)[~bound].all()
    sounding = np.stack([to_sounding(chord, PITCHES) for chord in chords])
    assert sounding[locked].all()
    assert not sounding[~allowed & ~locked].any()
    assert ((sounding & ~locked).sum(axis=2) <= fullest).all()
    assert (sounding & ~locked).any()


def test_cold_playing_takes_what_is_likeliest(model, player):
    batch = 8
    chords, _, _, _ = play(player, batch, 1, seed=4, taste=np.array([(0.01, 0, 0)] * batch, np.float32),
                           shift=np.zeros(batch, np.int32))  # fmt: skip
    assert (chords == chords[0]).all()


def test_only_what_sounded_is_held_on(model, player):
    if not model.options.loudness:
        pytest.skip("nothing is held on or struck")
    chords, manners, _, _ = play(player, 50, 6, seed=6)
    sounding = np.stack([to_sounding(chord, PITCHES) for chord in chords])
    case, step, rank = np.nonzero((chords < PITCHES) & (manners == 0))
    assert len(case) > 20
    assert (step > 0).all()
    assert sounding[case, step - 1, chords[case, step, rank]].all()
    assert (manners[chords < PITCHES] > 0).any()
