"""The likelihood as a distribution, and playing within the constraints."""

import dataclasses
import functools
import itertools

import numpy as np
import pytest

from music_composer.errors import OptionError
from music_composer.layers import lstm
from music_composer.symbolic.constraints import Constraints
from music_composer.symbolic.models.biaxial.batches import bit_inputs, to_piece
from music_composer.symbolic.models.biaxial.features import features
from music_composer.symbolic.models.biaxial.model import BiaxialModel, step_inputs
from music_composer.symbolic.models.biaxial.notes import to_bits, to_roll
from music_composer.symbolic.options import BiaxialOptions
from music_composer.symbolic.play_options import PlayOptions
from music_composer.symbolic.roll import CLOCK
from music_composer.symbolic.roll_operations import lengthened
from music_composer.values import Roll
from tests.symbolic.rolls import random_roll, without

pytestmark = pytest.mark.journey

SMALL = BiaxialOptions(neurons=6, layers=2, note_neurons=(5, 4), dropout=0.0)
TOY = BiaxialOptions(lowest=60, notes=4, neurons=6, layers=1, note_neurons=(5, 4), dropout=0.0)
MODEL = BiaxialModel()
EVERY = np.ones(128, bool)


def model_of(options):
    import keras

    keras.utils.set_random_seed(1)
    model = MODEL.build(options)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.6, np.shape(weight)) for weight in model.get_weights()])
    model.compile(jit_compile=False)
    return model


@pytest.fixture(scope="module")
def model():
    return model_of(SMALL)


@pytest.fixture(scope="module")
def toy():
    return model_of(TOY)


@functools.cache
def player_of(model):
    """One graph for all that a model plays, without XLA, which compiles one for each shape."""
    from music_composer.symbolic.models.biaxial.player import BiaxialPlayer

    return BiaxialPlayer(model, jit_compile=False)


def play(model, constraint_sets, seeds=None, **options):
    seeds = seeds or range(len(constraint_sets))
    rngs = [np.random.default_rng(seed) for seed in seeds]
    return MODEL.generate(player_of(model), constraint_sets, PlayOptions(**{"conservativity": 1.0, **options}), rngs)


def free(steps, max_polyphony=0, pitches=EVERY):
    none = np.zeros((steps, 128), np.uint8)
    return Constraints(Roll(none, none.astype(bool)), np.ones(steps, bool), pitches, max_polyphony)


def test_probabilities_of_chords_sum_to_one(toy):
    """Of four notes after a step in which two sounded: each silent, struck, or held on where it sounded."""
    first = np.array([[1, 1], [0, 0], [1, 1], [0, 0]], np.float32)
    pieces = []
    for kinds in itertools.product(((0, 0), (1, 1), (1, 0)), repeat=4):
        second = np.array(kinds, np.float32)
        if not (second[:, 0] * (1 - second[:, 1]) * (1 - first[:, 0])).any():  # else held on without having sounded
            pieces.append(np.stack([first, second]))
    count = len(pieces)
    inputs = [np.stack(pieces), np.zeros((count, 2, 3, 12)), np.zeros((count, 2, CLOCK)), np.ones((count, 2))]
    assert np.exp(np.asarray(toy(inputs))[:, 1]).sum() == pytest.approx(1, abs=1e-5)


def test_no_later_step_changes_an_earlier_term_and_no_neighbour_does(model):
    whole = random_roll(3, 24)
    cut = Roll(whole.velocity[:12], whole.onset[:12], metres=whole.metres)
    long, short, other = MODEL.likelihood(model, [whole, cut, random_roll(4, 30)])
    assert short == pytest.approx(long[:12], abs=1e-4)
    assert MODEL.likelihood(model, [whole])[0] == pytest.approx(long, abs=1e-4)
    assert len(other) == 30


def test_training_hides_some_past_notes(monkeypatch):
    monkeypatch.setattr(lstm, "bfloat16_is_fast", lambda: False)
    inputs = [each[:1] for each in bit_inputs([(to_piece(random_roll(1, 24), SMALL), 0)], 24)]
    for forget, some in ((0.0, False), (0.5, True)):
        model = model_of(dataclasses.replace(SMALL, forget=forget))
        whole, hidden = (np.asarray(model(inputs, training=training))[0] for training in (False, True))
        assert np.allclose(whole, hidden, atol=1e-4) != some
        assert whole[0] == pytest.approx(hidden[0], abs=1e-4)  # the first step has no past


@pytest.mark.parametrize("task", ["harmonise", "infill", "go on"])
def test_every_fixed_note_is_kept_in_200_random_cases(model, task):
    constraint_sets = []
    for seed in range(200):
        roll, gap = random_roll(seed), np.ones(24, bool)
        if task == "infill":
            gap = (np.arange(24) >= 8) & (np.arange(24) < 16)
            roll = without(roll, gap)
        if task == "go on":
            roll, gap = lengthened(random_roll(seed, 16), 8), np.arange(24) >= 16
        constraint_sets.append(Constraints(roll, gap, EVERY))
    for made, constraints in zip(play(model, constraint_sets, drafts=1), constraint_sets, strict=True):
        kept = to_bits(constraints.fixed, SMALL)[..., 0]
        active = to_bits(made, SMALL)[..., 0]
        assert (active | ~kept).all()
        assert np.array_equal(active[~constraints.editable], kept[~constraints.editable])


def test_allowed_pitches_and_polyphony_are_kept(model):
    pitches = np.isin(np.arange(128) % 12, (0, 4, 7))
    for made in play(model, [free(16, max_polyphony=3, pitches=pitches)] * 10):
        assert made.active.sum(axis=1).max() <= 3
        assert not made.active[:, ~pitches].any()


def test_frequencies_of_chords_match_their_probability(toy):
    count = 4000
    made = play(toy, [free(2)] * count)
    chords = np.array([roll.active[0, 60:64] for roll in made])
    for chord in np.unique(chords[:30], axis=0):
        velocity = np.zeros((1, 128), np.uint8)
        velocity[0, 60:64] = np.where(chord, 80, 0)
        log_prob = float(np.exp(MODEL.likelihood(toy, [Roll(velocity, velocity > 0)])[0][0]))
        often = float((chords == chord).all(axis=1).mean())
        assert often == pytest.approx(log_prob, abs=4 * np.sqrt(log_prob / count))


def test_playing_and_likelihood_are_the_same_model():
    """Log mass and log probability sum to the likelihood (the player does not count articulation)."""
    model = model_of(dataclasses.replace(SMALL, articulation=False))
    player, steps = MODEL.player(model), 20
    chord = free(steps, pitches=np.isin(np.arange(128) % 12, (0, 1)))  # what was heard is no longer even
    step_arrays = [each[None] for each in step_inputs(chord, SMALL)]
    uniform = np.random.default_rng(3).random((1, steps, SMALL.notes, 2)).astype(np.float32)
    sample_inputs = [np.full(1, value, np.float32) for value in (1, 1, 0, 1)]
    steps_played = player.predict_on_batch([uniform, *step_arrays, *sample_inputs, player.initial_state(1)])
    (bits,) = steps_played.outputs
    (said,) = MODEL.likelihood(model, [to_roll(bits[0] > 0, SMALL, chord.fixed)])
    assert (steps_played.log_mass + steps_played.log_prob)[0] == pytest.approx(said, rel=2e-5)
    assert bits.any()


def test_conservativity_and_the_adaptive_mode_change_the_number_of_notes(model):
    def notes(steps=20, **options):
        return sum(int(made.active.sum()) for made in play(model, [free(steps)] * 8, **options))

    assert notes(conservativity=3.0) < notes() < notes(conservativity=0.3)
    quiet = {"conservativity": 100.0}
    assert notes(60, **quiet, adaptive=True) > notes(60, **quiet)  # after 50 silent steps anything may sound


def test_a_sample_depends_on_its_seed_alone(model):
    together, alone = play(model, [free(10)] * 3, [4, 5, 6]), play(model, [free(10)], [5])
    assert np.array_equal(together[1].velocity, alone[0].velocity)
    assert not np.array_equal(together[0].velocity, together[2].velocity)


def test_dropout_has_its_rate_in_bfloat16(model):
    from keras import ops

    for dtype in ("float32", "bfloat16"):
        x = model.dropped(ops.ones((1000, 1000), dtype=dtype), True, 0.2)
        assert keras_dtype(x) == dtype
        assert np.mean(np.asarray(ops.cast(x, "float32")) > 0) == pytest.approx(0.8, abs=0.002)


def keras_dtype(x):
    import keras

    return keras.backend.standardize_dtype(x.dtype)


def test_top_p_takes_certain_choices_and_samples_the_others(toy):
    often = {}
    for top_p in (0.0, 0.8):
        made = play(toy, [free(1)] * 4000, top_p=top_p)
        often[top_p] = np.mean([roll.active[0, 60] for roll in made])  # the lowest: nothing else decides on it
    assert often[0.8] == (0 if often[0.0] < 0.2 else 1 if often[0.0] > 0.8 else pytest.approx(often[0.0], abs=0.03))
    first = play(toy, [free(8)] * 2, [1, 2], top_p=0.1)
    assert np.array_equal(first[0].active, first[1].active)  # nothing is left to chance below a half


def test_top_k_is_refused(model):
    with pytest.raises(OptionError, match="--top-k does nothing"):
        play(model, [free(4)], top_k=3)


def test_training_in_bfloat16_is_nearly_that_in_float32(monkeypatch):
    """On any machine: the sums are the same, whether or not it is fast."""
    import keras

    if keras.backend.backend() != "tensorflow":
        pytest.skip("on TensorFlow only")
    model = model_of(dataclasses.replace(SMALL, forget=0.0))
    inputs = bit_inputs([(to_piece(random_roll(i, 24), SMALL), 0) for i in range(3)], 24)
    found = []
    for fast in (True, False):
        monkeypatch.setattr(lstm, "bfloat16_is_fast", lambda fast=fast: fast)
        found.append(np.asarray(model(inputs, training=True)))
    played = np.asarray(model(inputs))
    assert found[0] == pytest.approx(found[1], rel=0.01)
    assert found[1] == pytest.approx(played, rel=1e-6)
    assert not np.array_equal(found[0], found[1])


def test_activations_are_those_of_the_likelihood(model):
    """The last layer gives the same step by step as for the whole piece at once."""
    from music_composer.symbolic.models.biaxial.activations import observe

    roll = random_roll(2, 12)
    active, layers = observe(model, roll)
    piece = to_piece(lengthened(roll, 1), SMALL)
    assert np.array_equal(active, piece.bits[:-1, :, 0])
    last = np.concatenate([0 * piece.bits[:1], piece.bits[:-1]]).astype(np.float32)
    inputs = features(last[None], piece.key_history[None], piece.clock[None], SMALL.lowest)[0, 1:]
    whole = np.asarray(model._along(inputs, model.time, model.starts[: len(model.time)], False))
    assert layers[-1].hidden == pytest.approx(whole, abs=1e-5)
    assert [layer.cells.shape for layer in layers] == [(12, 78, 6)] * 2
    hidden, _ = layers[0].mean_over(active)
    step = int(np.flatnonzero(active.any(axis=1))[0])
    assert hidden[step] == pytest.approx(layers[0].hidden[step, active[step]].mean(axis=0), abs=1e-6)
