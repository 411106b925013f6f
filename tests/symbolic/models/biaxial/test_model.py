"""Features, the likelihood as a distribution, and playing within the constraints."""

import dataclasses
import functools
import itertools

import numpy as np
import pytest

from music_composer.errors import OptionError
from music_composer.layers import lstm
from music_composer.symbolic.constraints import Constraints
from music_composer.symbolic.models.biaxial.batches import POOL, BitLoader, bit_inputs, to_piece
from music_composer.symbolic.models.biaxial.features import (
    COUNT_SCALE,
    before_features,
    features,
    features_of,
    lower_features,
)
from music_composer.symbolic.models.biaxial.model import BiaxialModel, step_inputs
from music_composer.symbolic.models.biaxial.notes import to_bits, to_roll
from music_composer.symbolic.options import BiaxialOptions
from music_composer.symbolic.play_options import PlayOptions
from music_composer.symbolic.roll import CLOCK
from music_composer.symbolic.roll_operations import lengthened
from music_composer.values import Roll
from tests.symbolic.models.voices.test_bounds import random_roll
from tests.symbolic.rolls import without

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


def test_bits_round_trip_within_the_range():
    roll = random_roll(1)
    within = (np.arange(128) >= SMALL.lowest) & (np.arange(128) < SMALL.lowest + SMALL.notes)
    inside = Roll(np.where(within, roll.velocity, 0).astype(np.uint8), roll.onset & within, metres=roll.metres)
    back = to_roll(to_bits(inside, SMALL), SMALL, inside)
    assert np.array_equal(back.active, inside.active)
    assert np.array_equal(back.onset, inside.onset)


def test_notes_beyond_the_range_are_moved_by_octaves():
    velocity, onset = np.zeros((1, 128), np.uint8), np.zeros((1, 128), bool)
    for pitch in (0, 11, 127, 102):
        velocity[0, pitch], onset[0, pitch] = 80, True
    found = np.flatnonzero(to_bits(Roll(velocity, onset), SMALL)[0, :, 0]) + SMALL.lowest
    assert found.tolist() == [24, 35, 90, 91]
    assert {pitch % 12 for pitch in found} == {pitch % 12 for pitch in (0, 11, 127, 102)}


def test_features_of_a_note():
    bits = np.zeros((1, 1, 78, 2), np.float32)
    for note in (0, 3, 14, 77):
        bits[0, 0, note] = 1, note % 2
    clock, key_history = np.arange(CLOCK, dtype=np.float32), np.zeros((3, 12), np.float32)
    key_history[1, 4] = 2  # an E, as the lowest note is a C
    inputs = np.asarray(features(bits, key_history[None, None], clock[None, None], 24))[0, 0]
    assert inputs.shape == (78, features_of(SMALL))
    own = inputs[:, 1:13].argmax(axis=1)
    assert np.array_equal(own, (np.arange(78) + 24) % 12)
    neighbours = inputs[:, 13:63].reshape(78, 25, 2)
    for note, at in itertools.product(range(78), range(25)):
        other = note + at - 12
        expected = bits[0, 0, other] if 0 <= other < 78 else (0, 0)  # beyond the ends is silence
        assert tuple(neighbours[note, at]) == tuple(expected)
    by_class = inputs[:, 63:75]
    for note, above in itertools.product(range(78), range(12)):
        assert by_class[note, above] == sum((other - note) % 12 == above for other in (0, 3, 14, 77))
    assert np.array_equal(inputs[5, 75 : 75 + CLOCK], clock)
    key_features = inputs[:, 75 + CLOCK :].reshape(78, 3, 12)
    for note in range(78):
        assert np.flatnonzero(key_features[note]).tolist() == [12 + (4 - note) % 12]


def test_features_of_lower_notes_and_of_the_step_before():
    bits = np.zeros((1, 1, 6, 2), np.float32)
    bits[0, 0, [1, 4]] = (1, 1), (1, 0)
    below, same = (np.asarray(each)[0, 0] for each in (lower_features(bits), before_features(bits)))
    assert below[:, 0].tolist() == [0, 0, 1, 0, 0, 1] and below[:, 1].tolist() == [0, 0, 1, 0, 0, 0]
    assert (COUNT_SCALE * below[:, 2]).tolist() == [0, 0, 1, 1, 1, 2]
    assert np.array_equal(same[:, :2], bits[0, 0])
    assert (COUNT_SCALE * same[:, 2]).tolist() == [0, 0, 1, 1, 1, 2] and (COUNT_SCALE * same[:, 3] == 2).all()


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


def test_windows_begin_on_bar_lines_and_cover_all():
    pieces = [to_piece(random_roll(seed, 60 + seed), SMALL) for seed in range(5)]  # bars of 8 steps
    loader = BitLoader(pieces, pieces[:2], 2, 24, SMALL)
    batches = [batch for (batch,) in loader.epoch(1, 0, 0)]
    assert len(batches) == loader.batches
    for *_, clock, weight in batches:
        assert (clock[:, 0, -2] == 1).all() and weight[:, 0].all()  # a bar begins
    again = [batch for (batch,) in loader.epoch(1, 0, 3)]
    assert all(np.array_equal(one, other) for one, other in zip(batches[3], again[0], strict=True))
    assert sum(counts for _, counts in loader.held_out()) >= 60 + 61
    exact = bit_inputs([(to_piece(random_roll(1, 32), SMALL), 0)], 32)
    assert exact[-1].all() and np.array_equal(exact[0][0] > 0, to_bits(random_roll(1, 32), SMALL))


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


def test_batches_have_similar_lengths_and_pieces_come_once_an_epoch():
    pieces = [to_piece(random_roll(seed, 8 * (1 + seed % 16)), SMALL) for seed in range(4 * POOL + 3)]
    loader = BitLoader(pieces, [], 4, 128, SMALL)
    places = [(piece, 0) for piece in pieces]
    together = []
    for epoch in range(2):
        order = loader.order(places, np.random.default_rng(epoch))
        assert sorted(order) == list(range(len(pieces)))
        together.append({frozenset(batch) for batch in order[: 4 * POOL].reshape(-1, 4)})
        batches = [batch for (batch,) in loader.epoch(1, epoch, 0)]
        weights = [batch[-1] for batch in batches]
        assert [len(each) for each in weights] == [4] * POOL + [3]
        assert np.mean([each.mean() for each in weights]) > 0.72  # in batches at random it is 0.6
        lengths = [each.shape[1] for each in weights]
        assert lengths != sorted(lengths)  # and not the shortest first
    assert len(together[0] & together[1]) < POOL / 2  # other pieces are put together in each epoch


def test_the_last_batch_is_random():
    pieces = [to_piece(random_roll(seed, 8 * (1 + seed)), SMALL) for seed in range(23)]
    loader = BitLoader(pieces, [], 4, 256, SMALL)
    places = [(piece, 0) for piece in pieces]
    last = np.concatenate([loader.order(places, np.random.default_rng(seed))[-3:] for seed in range(100)])
    assert last.mean() == pytest.approx(11, abs=1.5)
    alone = BitLoader(pieces[:1], [], 4, 256, SMALL)
    assert alone.order(places[:1], np.random.default_rng(0)).tolist() == [0]


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
