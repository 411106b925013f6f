"""Notes are told what is around them; the likelihood is one; what is played keeps to what is asked."""

import dataclasses
import functools
import itertools

import numpy as np
import pytest

from music_composer.errors import OptionError
from music_composer.layers import lstm
from music_composer.symbolic.constraints import Request
from music_composer.symbolic.models.biaxial import model as composer
from music_composer.symbolic.models.biaxial.batches import POOL, BitLessons, bit_inputs, to_lesson
from music_composer.symbolic.models.biaxial.features import SOME, already, before, features, features_of
from music_composer.symbolic.models.biaxial.notes import to_bits, to_roll
from music_composer.symbolic.options import BiaxialOptions, PlayOptions
from music_composer.symbolic.roll import CLOCK
from music_composer.symbolic.roll_operations import lengthened
from music_composer.values import Roll
from tests.symbolic.models.voices.test_bounds import random_roll
from tests.symbolic.rolls import without

pytestmark = pytest.mark.journey

SMALL = BiaxialOptions(neurons=6, layers=2, note_neurons=(5, 4), dropout=0.0)
TOY = BiaxialOptions(lowest=60, notes=4, neurons=6, layers=1, note_neurons=(5, 4), dropout=0.0)
EVERY = np.ones(128, bool)


def model_of(options):
    import keras

    keras.utils.set_random_seed(1)
    model = composer.build(options)
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


def play(model, requests, seeds=None, **options):
    seeds = seeds or range(len(requests))
    rngs = [np.random.default_rng(seed) for seed in seeds]
    return composer.play(player_of(model), requests, PlayOptions(**{"conservativity": 1.0, **options}), rngs)


def free(steps, fullest=0, pitches=EVERY):
    none = np.zeros((steps, 128), np.uint8)
    return Request(Roll(none, none.astype(bool)), np.ones(steps, bool), pitches, fullest)


def test_bits_are_the_inverse_within_the_range():
    roll = random_roll(1)
    within = (np.arange(128) >= SMALL.lowest) & (np.arange(128) < SMALL.lowest + SMALL.notes)
    inside = Roll(np.where(within, roll.velocity, 0).astype(np.uint8), roll.struck & within, metres=roll.metres)
    back = to_roll(to_bits(inside, SMALL), SMALL, inside)
    assert np.array_equal(back.sounding, inside.sounding)
    assert np.array_equal(back.struck, inside.struck)


def test_what_lies_beyond_the_range_is_moved_by_octaves():
    velocity, struck = np.zeros((1, 128), np.uint8), np.zeros((1, 128), bool)
    for pitch in (0, 11, 127, 102):
        velocity[0, pitch], struck[0, pitch] = 80, True
    found = np.flatnonzero(to_bits(Roll(velocity, struck), SMALL)[0, :, 0]) + SMALL.lowest
    assert found.tolist() == [24, 35, 90, 91]
    assert {pitch % 12 for pitch in found} == {pitch % 12 for pitch in (0, 11, 127, 102)}


def test_what_a_note_is_told():
    bits = np.zeros((1, 1, 78, 2), np.float32)
    for note in (0, 3, 14, 77):
        bits[0, 0, note] = 1, note % 2
    clock, heard = np.arange(CLOCK, dtype=np.float32), np.zeros((3, 12), np.float32)
    heard[1, 4] = 2  # an E, as the lowest note is a C
    told = np.asarray(features(bits, heard[None, None], clock[None, None], 24))[0, 0]
    assert told.shape == (78, features_of(SMALL))
    own = told[:, 1:13].argmax(axis=1)
    assert np.array_equal(own, (np.arange(78) + 24) % 12)
    around = told[:, 13:63].reshape(78, 25, 2)
    for note, at in itertools.product(range(78), range(25)):
        other = note + at - 12
        expected = bits[0, 0, other] if 0 <= other < 78 else (0, 0)  # beyond the ends is silence
        assert tuple(around[note, at]) == tuple(expected)
    context = told[:, 63:75]
    for note, above in itertools.product(range(78), range(12)):
        assert context[note, above] == sum((other - note) % 12 == above for other in (0, 3, 14, 77))
    assert np.array_equal(told[5, 75 : 75 + CLOCK], clock)
    lately = told[:, 75 + CLOCK :].reshape(78, 3, 12)
    for note in range(78):
        assert np.flatnonzero(lately[note]).tolist() == [12 + (4 - note) % 12]


def test_what_a_note_is_told_of_those_around_it_in_its_step_and_before():
    bits = np.zeros((1, 1, 6, 2), np.float32)
    bits[0, 0, [1, 4]] = (1, 1), (1, 0)
    below, same = (np.asarray(each)[0, 0] for each in (already(bits), before(bits)))
    assert below[:, 0].tolist() == [0, 0, 1, 0, 0, 1] and below[:, 1].tolist() == [0, 0, 1, 0, 0, 0]
    assert (SOME * below[:, 2]).tolist() == [0, 0, 1, 1, 1, 2]
    assert np.array_equal(same[:, :2], bits[0, 0])
    assert (SOME * same[:, 2]).tolist() == [0, 0, 1, 1, 1, 2] and (SOME * same[:, 3] == 2).all()


def test_all_chords_together_are_certain(toy):
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
    cut = Roll(whole.velocity[:12], whole.struck[:12], metres=whole.metres)
    long, short, other = composer.likelihood(model, [whole, cut, random_roll(4, 30)])
    assert short == pytest.approx(long[:12], abs=1e-4)
    assert composer.likelihood(model, [whole])[0] == pytest.approx(long, abs=1e-4)
    assert len(other) == 30


def test_in_training_some_notes_of_the_past_are_not_heard(monkeypatch):
    monkeypatch.setattr(lstm, "bfloat16_is_fast", lambda: False)
    inputs = [each[:1] for each in bit_inputs([(to_lesson(random_roll(1, 24), SMALL), 0)], 24)]
    for forget, some in ((0.0, False), (0.5, True)):
        model = model_of(dataclasses.replace(SMALL, forget=forget))
        heard, learnt = (np.asarray(model(inputs, training=training))[0] for training in (False, True))
        assert np.allclose(heard, learnt, atol=1e-4) != some
        assert heard[0] == pytest.approx(learnt[0], abs=1e-4)  # before the first step there is nothing to forget


def test_windows_begin_on_bar_lines_and_cover_all():
    pieces = [to_lesson(random_roll(seed, 60 + seed), SMALL) for seed in range(5)]  # bars of 8 steps
    lessons = BitLessons(pieces, pieces[:2], 2, 24, SMALL)
    batches = [batch for (batch,) in lessons.epoch(1, 0, 0)]
    assert len(batches) == lessons.batches
    for *_, clock, weight in batches:
        assert (clock[:, 0, -2] == 1).all() and weight[:, 0].all()  # a bar begins
    again = [batch for (batch,) in lessons.epoch(1, 0, 3)]
    assert all(np.array_equal(one, other) for one, other in zip(batches[3], again[0], strict=True))
    assert sum(counts for _, counts in lessons.held_out()) >= 60 + 61
    exact = bit_inputs([(to_lesson(random_roll(1, 32), SMALL), 0)], 32)
    assert exact[-1].all() and np.array_equal(exact[0][0] > 0, to_bits(random_roll(1, 32), SMALL))


@pytest.mark.parametrize("task", ["harmonise", "infill", "go on"])
def test_every_note_that_is_locked_is_kept_in_200_random_cases(model, task):
    requests = []
    for seed in range(200):
        roll, gap = random_roll(seed), np.ones(24, bool)
        if task == "infill":
            gap = (np.arange(24) >= 8) & (np.arange(24) < 16)
            roll = without(roll, gap)
        if task == "go on":
            roll, gap = lengthened(random_roll(seed, 16), 8), np.arange(24) >= 16
        requests.append(Request(roll, gap, EVERY))
    for made, request in zip(play(model, requests, drafts=1), requests, strict=True):
        kept = to_bits(request.kept, SMALL)[..., 0]
        sounding = to_bits(made, SMALL)[..., 0]
        assert (sounding | ~kept).all()
        assert np.array_equal(sounding[~request.open_steps], kept[~request.open_steps])


def test_pitches_and_polyphony_are_kept_to(model):
    pitches = np.isin(np.arange(128) % 12, (0, 4, 7))
    for made in play(model, [free(16, fullest=3, pitches=pitches)] * 10):
        assert made.sounding.sum(axis=1).max() <= 3
        assert not made.sounding[:, ~pitches].any()


def test_chords_come_as_often_as_they_are_likely(toy):
    count = 4000
    made = play(toy, [free(2)] * count)
    chords = np.array([roll.sounding[0, 60:64] for roll in made])
    for chord in np.unique(chords[:30], axis=0):
        velocity = np.zeros((1, 128), np.uint8)
        velocity[0, 60:64] = np.where(chord, 80, 0)
        likely = float(np.exp(composer.likelihood(toy, [Roll(velocity, velocity > 0)])[0][0]))
        often = float((chords == chord).all(axis=1).mean())
        assert often == pytest.approx(likely, abs=4 * np.sqrt(likely / count))


def test_step_by_step_and_whole_pieces_are_the_same_model():
    """What is played is as likely as its share of all and its place there (the player counts no articulation)."""
    model = model_of(dataclasses.replace(SMALL, articulation=False))
    player, steps = composer.player(model), 20
    chord = free(steps, pitches=np.isin(np.arange(128) % 12, (0, 1)))  # what was heard is no longer even
    by_step = [each[None] for each in composer._by_step(chord, SMALL)]
    draws = np.random.default_rng(3).random((1, steps, SMALL.notes, 2)).astype(np.float32)
    for_good = [np.full(1, way, np.float32) for way in (1, 1, 0, 1)]
    bits, share, likely, *_ = player.predict_on_batch([draws, *by_step, *for_good, *player.initial_state(1)])
    (said,) = composer.likelihood(model, [to_roll(bits[0] > 0, SMALL, chord.kept)])
    assert (share + likely)[0] == pytest.approx(said, rel=2e-5)
    assert bits.any()


def test_conservativity_and_temperature_and_haste_change_how_much_sounds(model):
    def notes(steps=20, **options):
        return sum(int(made.sounding.sum()) for made in play(model, [free(steps)] * 8, **options))

    assert notes(conservativity=3.0) < notes() < notes(conservativity=0.3)
    quiet = {"conservativity": 100.0}
    assert notes(60, **quiet, adaptive=True) > notes(60, **quiet)  # after 50 silent steps anything may sound


def test_a_sample_depends_on_its_seed_alone(model):
    together, alone = play(model, [free(10)] * 3, [4, 5, 6]), play(model, [free(10)], [5])
    assert np.array_equal(together[1].velocity, alone[0].velocity)
    assert not np.array_equal(together[0].velocity, together[2].velocity)


def test_a_batch_is_of_about_one_length_and_each_piece_comes_once_an_epoch():
    pieces = [to_lesson(random_roll(seed, 8 * (1 + seed % 16)), SMALL) for seed in range(4 * POOL + 3)]
    lessons = BitLessons(pieces, [], 4, 128, SMALL)
    places = [(piece, 0) for piece in pieces]
    together = []
    for epoch in range(2):
        order = lessons.order(places, np.random.default_rng(epoch))
        assert sorted(order) == list(range(len(pieces)))
        together.append({frozenset(batch) for batch in order[: 4 * POOL].reshape(-1, 4)})
        batches = [batch for (batch,) in lessons.epoch(1, epoch, 0)]
        weights = [batch[-1] for batch in batches]
        assert [len(each) for each in weights] == [4] * POOL + [3]
        assert np.mean([each.mean() for each in weights]) > 0.72  # in batches at random it is 0.6
        lengths = [each.shape[1] for each in weights]
        assert lengths != sorted(lengths)  # and not the shortest first
    assert len(together[0] & together[1]) < POOL / 2  # other pieces are put together in each epoch


def test_the_pieces_of_the_last_batch_are_any():
    pieces = [to_lesson(random_roll(seed, 8 * (1 + seed)), SMALL) for seed in range(23)]
    lessons = BitLessons(pieces, [], 4, 256, SMALL)
    places = [(piece, 0) for piece in pieces]
    last = np.concatenate([lessons.order(places, np.random.default_rng(seed))[-3:] for seed in range(100)])
    assert last.mean() == pytest.approx(11, abs=1.5)
    alone = BitLessons(pieces[:1], [], 4, 256, SMALL)
    assert alone.order(places[:1], np.random.default_rng(0)).tolist() == [0]


def test_dropout_keeps_just_its_share_in_bfloat16_too(model):
    from keras import ops

    for dtype in ("float32", "bfloat16"):
        x = model.dropped(ops.ones((1000, 1000), dtype=dtype), True, 0.2)
        assert keras_dtype(x) == dtype
        assert np.mean(np.asarray(ops.cast(x, "float32")) > 0) == pytest.approx(0.8, abs=0.002)


def keras_dtype(x):
    import keras

    return keras.backend.standardize_dtype(x.dtype)


def test_what_is_surer_than_top_p_is_done_and_the_rest_is_drawn_as_likely(toy):
    often = {}
    for top_p in (0.0, 0.8):
        made = play(toy, [free(1)] * 4000, top_p=top_p)
        often[top_p] = np.mean([roll.sounding[0, 60] for roll in made])  # the lowest: nothing else decides on it
    assert often[0.8] == (0 if often[0.0] < 0.2 else 1 if often[0.0] > 0.8 else pytest.approx(often[0.0], abs=0.03))
    first = play(toy, [free(8)] * 2, [1, 2], top_p=0.1)
    assert np.array_equal(first[0].sounding, first[1].sounding)  # nothing is left to chance below a half


def test_what_does_nothing_for_this_model_is_said(model):
    with pytest.raises(OptionError, match="--top-k does nothing"):
        play(model, [free(4)], top_k=3)


def test_training_in_bfloat16_is_nearly_that_in_float32(monkeypatch):
    """On any machine: the sums are the same, whether or not it is fast."""
    import keras

    if keras.backend.backend() != "tensorflow":
        pytest.skip("on TensorFlow only")
    model = model_of(dataclasses.replace(SMALL, forget=0.0))
    inputs = bit_inputs([(to_lesson(random_roll(i, 24), SMALL), 0) for i in range(3)], 24)
    found = []
    for fast in (True, False):
        monkeypatch.setattr(lstm, "bfloat16_is_fast", lambda fast=fast: fast)
        found.append(np.asarray(model(inputs, training=True)))
    played = np.asarray(model(inputs))
    assert found[0] == pytest.approx(found[1], rel=0.01)
    assert found[1] == pytest.approx(played, rel=1e-6)
    assert not np.array_equal(found[0], found[1])


def test_thoughts_are_those_that_the_likelihood_is_made_of(model):
    """What comes out of the last layer, step by step, is what the whole piece gives at once."""
    from music_composer.symbolic.models.biaxial.activations import observe

    roll = random_roll(2, 12)
    sounding, layers = observe(model, roll)
    piece = to_lesson(lengthened(roll, 1), SMALL)
    assert np.array_equal(sounding, piece.bits[:-1, :, 0])
    last = np.concatenate([0 * piece.bits[:1], piece.bits[:-1]]).astype(np.float32)
    told = features(last[None], piece.heard[None], piece.clock[None], SMALL.lowest)[0, 1:]
    whole = np.asarray(model._along(told, model.time, model.starts[: len(model.time)], False))
    assert layers[-1].hidden == pytest.approx(whole, abs=1e-5)
    assert [layer.cells.shape for layer in layers] == [(12, 78, 6)] * 2
    hidden, _ = layers[0].of(sounding)
    step = int(np.flatnonzero(sounding.any(axis=1))[0])
    assert hidden[step] == pytest.approx(layers[0].hidden[step, sounding[step]].mean(axis=0), abs=1e-6)
