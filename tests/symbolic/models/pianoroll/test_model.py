"""Words round-trip, the likelihood is a distribution, and playing keeps the constraints."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings

from music_composer.symbolic.constraints import Constraints
from music_composer.symbolic.models.pianoroll.batches import to_piece, word_indices, word_inputs
from music_composer.symbolic.models.pianoroll.model import (
    CHANGE,
    PianorollModel,
    step_inputs,
    to_roll,
    unknown_log_probs,
)
from music_composer.symbolic.models.pianoroll.vocabulary import KEYS, keys_of, table_of, vocabulary_of, words_of
from music_composer.symbolic.options import PianorollOptions
from music_composer.symbolic.play_options import PlayOptions
from music_composer.symbolic.roll_operations import lengthened
from music_composer.values import Roll
from tests.symbolic.rolls import random_roll, rolls

pytestmark = pytest.mark.journey

MODEL = PianorollModel()
EVERY = np.ones(128, bool)
MUSIC = [random_roll(seed, 40) for seed in range(4)]
SMALL = MODEL.fitted(PianorollOptions(neurons=8, layers=2, dropout=0.0), MUSIC)


@pytest.fixture(scope="module")
def model():
    import keras

    keras.utils.set_random_seed(1)
    model = MODEL.build(SMALL)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.5, np.shape(weight)) for weight in model.get_weights()])
    return model


player_of = functools.cache(MODEL.player)  # one graph for all that a model plays


def play(model, constraint_sets, seeds=None, **options):
    seeds = seeds or range(len(constraint_sets))
    rngs = [np.random.default_rng(seed) for seed in seeds]
    return MODEL.generate(player_of(model), constraint_sets, PlayOptions(**options), rngs)


def free(steps, max_polyphony=0, pitches=EVERY):
    none = np.zeros((steps, 128), np.uint8)
    return Constraints(Roll(none, none.astype(bool)), np.ones(steps, bool), pitches, max_polyphony)


@settings(max_examples=50, deadline=None)
@given(roll=rolls())
def test_words_round_trip(roll):
    keys = keys_of(roll)
    assert np.array_equal(table_of(words_of(keys)).reshape(-1, KEYS), keys)
    assert np.array_equal(keys[:, :128] | keys[:, 128:], roll.active)
    assert not (keys[:, :128] & keys[:, 128:]).any()


def test_the_vocabulary_holds_the_most_frequent_words():
    words = vocabulary_of(MUSIC, 1000)
    assert words[0] == () and len(set(words)) == len(words)
    counts = [sum(words_of(keys_of(roll)).count(word) for roll in MUSIC) for word in words[1:]]
    assert counts == sorted(counts, reverse=True) and min(counts) >= 1
    assert vocabulary_of(MUSIC, 5) == words[:5]


def test_probabilities_of_words_sum_to_one(model):
    piece = to_piece(MUSIC[0], word_indices(SMALL), SMALL.half_lives)
    last, _, *others = (each[None] for each in word_inputs(piece, 0, 40))
    total, holds = 0.0, table_of([*SMALL.words, ()])[:, 128:]
    for word in range(len(SMALL.words) + 1):
        share = np.exp(np.asarray(model([last, np.full((1, 40), word, np.int32), *others])))
        sounded = last[0, :, :128] + last[0, :, 128:] > 0
        assert ((share[0] > 0) == ~(holds[word] & ~sounded).any(axis=1)).all()  # only what sounded can be held on
        total = total + share
    assert total == pytest.approx(np.ones((1, 40)), abs=1e-4)


def test_unknown_words_have_a_likelihood(model):
    odd = random_roll(77, 40)
    assert (to_piece(odd, word_indices(SMALL), SMALL.half_lives).words == len(SMALL.words)).any()
    (steps,) = MODEL.likelihood(model, [odd])
    assert len(steps) == 40 and np.isfinite(steps).all()
    known, unknown = MODEL.likelihood(model, [MUSIC[0], odd])
    assert known.sum() > unknown.sum()


def test_probabilities_of_unknown_words_sum_to_one():
    """Of one pitch: silent or struck after silence; silent, held or struck after sound."""
    from music_composer.symbolic.models.pianoroll.batches import WordPiece

    def log_prob(before, after):
        keys = np.zeros((2, KEYS), bool)
        for row, what in zip(keys, (before, after), strict=True):
            row[60], row[128 + 60] = what == "struck", what == "held"
        piece = WordPiece(keys, np.zeros(2, int), np.zeros((2, 3, 12)), np.zeros((2, 8)))
        return np.exp(unknown_log_probs(piece)[1] - 127 * np.log(1 - CHANGE))

    assert log_prob("silent", "silent") + log_prob("silent", "struck") == pytest.approx(1)
    assert sum(log_prob("struck", what) for what in ("silent", "held", "struck")) == pytest.approx(1)


def test_no_later_step_changes_an_earlier_term(model):
    whole = MUSIC[1]
    cut = Roll(whole.velocity[:20], whole.onset[:20], metres=whole.metres)
    long, short = MODEL.likelihood(model, [whole, cut])
    assert short == pytest.approx(long[:20], abs=1e-4)


def test_played_words_are_in_the_vocabulary(model):
    for made in play(model, [free(20)] * 10):
        assert set(words_of(keys_of(made))) <= set(SMALL.words)
    assert made.active.any()


def test_playing_and_likelihood_are_the_same_model(model):
    """Without constraints, played music is as likely as its words."""
    player, steps = player_of(model), 30
    step_arrays = [each[None] for each in step_inputs(free(steps))]
    uniform = np.random.default_rng(3).random((1, steps, 1)).astype(np.float32)
    sample_inputs = [np.array([[1, 0, 0]], np.float32), np.ones(1, np.float32)]
    steps_played = player.predict_on_batch([uniform, *step_arrays, *sample_inputs, player.initial_state(1)])
    (keys,) = steps_played.outputs
    (said,) = MODEL.likelihood(model, [to_roll(keys[0] > 0, free(steps).fixed)])
    assert (steps_played.log_mass + steps_played.log_prob)[0] == pytest.approx(said, rel=1e-4, abs=1e-3)
    assert keys.any()


def test_frequencies_of_words_match_their_probability(model):
    from music_composer.layers.lstm import silent_state
    from music_composer.symbolic.roll import bar_clock

    made = [words_of(keys_of(roll))[0] for roll in play(model, [free(1)] * 3000)]
    clock = bar_clock(free(1).fixed)
    last, key_history = np.zeros((1, KEYS), np.float32), np.zeros((1, len(SMALL.half_lives), 12), np.float32)
    log_probs, _ = model.step(last, key_history, clock, tuple(silent_state(model.lstms, 1)))
    shares = np.exp(np.asarray(log_probs)[0, :-1])
    possible = ~table_of(SMALL.words)[:, 128:].any(axis=1)  # nothing sounds yet that could be held on
    shares = np.where(possible, shares, 0) / shares[possible].sum()
    for number in np.argsort(-shares)[:5]:
        often = made.count(SMALL.words[number]) / 3000
        assert often == pytest.approx(shares[number], abs=float(4 * np.sqrt(shares[number] / 3000)))


def test_stability_is_the_shortest_length_of_a_chord(model):
    def lengths(made):
        changed = np.flatnonzero((made.active[1:] != made.active[:-1]).any(axis=1) | made.onset[1:].any(axis=1))
        return np.diff([-1, *changed])

    loose, steady = (
        np.concatenate([lengths(made) for made in play(model, [free(60)] * 5, note_stability=stability)])
        for stability in (1, 4)
    )
    assert loose.min() == 1
    assert steady.min() == 4
    assert 4 in steady and len(set(steady)) > 1 and (steady % 4 > 0).any()


@pytest.mark.parametrize("task", ["harmonise", "go on"])
def test_every_fixed_note_is_active_in_200_random_cases(model, task):
    constraint_sets = []
    for seed in range(200):
        roll, gap = random_roll(seed), np.ones(24, bool)
        if task == "go on":
            roll, gap = lengthened(random_roll(seed, 16), 8), np.arange(24) >= 16
        constraint_sets.append(Constraints(roll, gap, EVERY))
    for made, constraints in zip(
        play(model, constraint_sets, drafts=1, note_stability=2), constraint_sets, strict=True
    ):
        assert (made.active | ~constraints.fixed.active).all()
        closed = ~constraints.editable
        assert np.array_equal(made.active[closed], constraints.fixed.active[closed])


def test_allowed_pitches_and_polyphony_are_kept(model):
    pitches = np.arange(128) < 60
    for made in play(model, [free(30, max_polyphony=1, pitches=pitches)] * 10, note_stability=2):
        assert made.active.sum(axis=1).max() <= 1
        assert not made.active[:, ~pitches].any()


def test_a_sample_depends_on_its_seed_alone(model):
    together, alone = play(model, [free(10)] * 3, [4, 5, 6]), play(model, [free(10)], [5])
    assert np.array_equal(together[1].velocity, alone[0].velocity)
    assert not np.array_equal(together[0].velocity, together[2].velocity)
