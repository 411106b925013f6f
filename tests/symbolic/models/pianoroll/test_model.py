"""Steps are words and back; the likelihood is one; what is played keeps to what is asked."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings

from music_composer.symbolic.constraints import Request
from music_composer.symbolic.models.pianoroll import model as composer
from music_composer.symbolic.models.pianoroll.batches import numbers_of, to_lesson, word_inputs
from music_composer.symbolic.models.pianoroll.vocabulary import KEYS, keys_of, table_of, vocabulary_of, words_of
from music_composer.symbolic.options import PianorollOptions, PlayOptions
from music_composer.symbolic.roll_operations import lengthened
from music_composer.values import Roll
from tests.symbolic.models.voices.test_bounds import random_roll
from tests.symbolic.rolls import rolls

pytestmark = pytest.mark.journey

EVERY = np.ones(128, bool)
MUSIC = [random_roll(seed, 40) for seed in range(4)]
SMALL = composer.fitted(PianorollOptions(neurons=8, layers=2, dropout=0.0), MUSIC)


@pytest.fixture(scope="module")
def model():
    import keras

    keras.utils.set_random_seed(1)
    model = composer.build(SMALL)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.5, np.shape(weight)) for weight in model.get_weights()])
    return model


player_of = functools.cache(composer.player)  # one graph for all that a model plays


def play(model, requests, seeds=None, **options):
    seeds = seeds or range(len(requests))
    rngs = [np.random.default_rng(seed) for seed in seeds]
    return composer.play(player_of(model), requests, PlayOptions(**options), rngs)


def free(steps, fullest=0, pitches=EVERY):
    none = np.zeros((steps, 128), np.uint8)
    return Request(Roll(none, none.astype(bool)), np.ones(steps, bool), pitches, fullest)


@settings(max_examples=50, deadline=None)
@given(roll=rolls())
def test_words_are_the_inverse_of_their_table(roll):
    keys = keys_of(roll)
    assert np.array_equal(table_of(words_of(keys)).reshape(-1, KEYS), keys)
    assert np.array_equal(keys[:, :128] | keys[:, 128:], roll.sounding)
    assert not (keys[:, :128] & keys[:, 128:]).any()


def test_the_vocabulary_is_what_is_most_frequent():
    words = vocabulary_of(MUSIC, 1000)
    assert words[0] == () and len(set(words)) == len(words)
    counts = [sum(words_of(keys_of(roll)).count(word) for roll in MUSIC) for word in words[1:]]
    assert counts == sorted(counts, reverse=True) and min(counts) >= 1
    assert vocabulary_of(MUSIC, 5) == words[:5]


def test_all_words_together_are_certain(model):
    piece = to_lesson(MUSIC[0], numbers_of(SMALL), SMALL.fades)
    last, _, *others = (each[None] for each in word_inputs(piece, 0, 40))
    total, holds = 0.0, table_of([*SMALL.words, ()])[:, 128:]
    for word in range(len(SMALL.words) + 1):
        share = np.exp(np.asarray(model([last, np.full((1, 40), word, np.int32), *others])))
        sounded = last[0, :, :128] + last[0, :, 128:] > 0
        assert ((share[0] > 0) == ~(holds[word] & ~sounded).any(axis=1)).all()  # only what sounded can be held on
        total = total + share
    assert total == pytest.approx(np.ones((1, 40)), abs=1e-4)


def test_what_is_in_no_vocabulary_has_a_likelihood_too(model):
    odd = random_roll(77, 40)
    assert (to_lesson(odd, numbers_of(SMALL), SMALL.fades).words == len(SMALL.words)).any()
    (steps,) = composer.likelihood(model, [odd])
    assert len(steps) == 40 and np.isfinite(steps).all()
    known, unknown = composer.likelihood(model, [MUSIC[0], odd])
    assert known.sum() > unknown.sum()


def test_of_an_unknown_word_every_set_of_keys_adds_up_to_one():
    """Of one pitch: silent or struck after silence; silent, held or struck after sound."""
    from music_composer.symbolic.models.pianoroll.batches import WordPiece

    def likely(before, after):
        keys = np.zeros((2, KEYS), bool)
        for row, what in zip(keys, (before, after), strict=True):
            row[60], row[128 + 60] = what == "struck", what == "held"
        piece = WordPiece(keys, np.zeros(2, int), np.zeros((2, 3, 12)), np.zeros((2, 8)))
        return np.exp(composer._of_unknown(piece)[1] - 127 * np.log(1 - composer.CHANGE))

    assert likely("silent", "silent") + likely("silent", "struck") == pytest.approx(1)
    assert sum(likely("struck", what) for what in ("silent", "held", "struck")) == pytest.approx(1)


def test_no_later_step_changes_an_earlier_term(model):
    whole = MUSIC[1]
    cut = Roll(whole.velocity[:20], whole.struck[:20], metres=whole.metres)
    long, short = composer.likelihood(model, [whole, cut])
    assert short == pytest.approx(long[:20], abs=1e-4)


def test_what_is_played_is_in_the_vocabulary(model):
    for made in play(model, [free(20)] * 10):
        assert set(words_of(keys_of(made))) <= set(SMALL.words)
    assert made.sounding.any()


def test_step_by_step_and_whole_pieces_are_the_same_model(model):
    """What is played with nothing asked is as likely as its words are."""
    player, steps = player_of(model), 30
    by_step = [each[None] for each in composer._by_step(free(steps))]
    draws = np.random.default_rng(3).random((1, steps, 1)).astype(np.float32)
    for_good = [np.array([[1, 0, 0]], np.float32), np.ones(1, np.float32)]
    keys, share, likely, *_ = player.predict_on_batch([draws, *by_step, *for_good, *player.initial_state(1)])
    (said,) = composer.likelihood(model, [composer._to_roll(keys[0] > 0, free(steps).kept)])
    assert (share + likely)[0] == pytest.approx(said, rel=1e-4, abs=1e-3)
    assert keys.any()


def test_words_come_as_often_as_they_are_likely(model):
    from music_composer.layers.lstm import silent_state
    from music_composer.symbolic.roll import bar_clock

    made = [words_of(keys_of(roll))[0] for roll in play(model, [free(1)] * 3000)]
    clock = bar_clock(free(1).kept)
    last, heard = np.zeros((1, KEYS), np.float32), np.zeros((1, len(SMALL.fades), 12), np.float32)
    weighed, _ = model.listen_step(last, heard, clock, silent_state(model.lstms, 1))
    shares = np.exp(np.asarray(weighed)[0, :-1])
    possible = ~table_of(SMALL.words)[:, 128:].any(axis=1)  # nothing sounds yet that could be held on
    shares = np.where(possible, shares, 0) / shares[possible].sum()
    for number in np.argsort(-shares)[:5]:
        often = made.count(SMALL.words[number]) / 3000
        assert often == pytest.approx(shares[number], abs=float(4 * np.sqrt(shares[number] / 3000)))


def test_a_chord_lasts_as_long_as_it_must_and_no_longer_for_that(model):
    def lengths(made):
        changed = np.flatnonzero((made.sounding[1:] != made.sounding[:-1]).any(axis=1) | made.struck[1:].any(axis=1))
        return np.diff([-1, *changed])

    loose, steady = (
        np.concatenate([lengths(made) for made in play(model, [free(60)] * 5, note_stability=stability)])
        for stability in (1, 4)
    )
    assert loose.min() == 1
    assert steady.min() == 4
    assert 4 in steady and len(set(steady)) > 1 and (steady % 4 > 0).any()


@pytest.mark.parametrize("task", ["harmonise", "go on"])
def test_every_note_that_is_locked_sounds_in_200_random_cases(model, task):
    requests = []
    for seed in range(200):
        roll, gap = random_roll(seed), np.ones(24, bool)
        if task == "go on":
            roll, gap = lengthened(random_roll(seed, 16), 8), np.arange(24) >= 16
        requests.append(Request(roll, gap, EVERY))
    for made, request in zip(play(model, requests, drafts=1, note_stability=2), requests, strict=True):
        assert (made.sounding | ~request.kept.sounding).all()
        closed = ~request.open_steps
        assert np.array_equal(made.sounding[closed], request.kept.sounding[closed])


def test_pitches_and_polyphony_are_kept_to(model):
    pitches = np.arange(128) < 60
    for made in play(model, [free(30, fullest=1, pitches=pitches)] * 10, note_stability=2):
        assert made.sounding.sum(axis=1).max() <= 1
        assert not made.sounding[:, ~pitches].any()


def test_a_sample_depends_on_its_seed_alone(model):
    together, alone = play(model, [free(10)] * 3, [4, 5, 6]), play(model, [free(10)], [5])
    assert np.array_equal(together[1].velocity, alone[0].velocity)
    assert not np.array_equal(together[0].velocity, together[2].velocity)
