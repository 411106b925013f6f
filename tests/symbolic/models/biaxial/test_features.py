"""Pieces as bits, the features of a note, and batches of pieces."""

import itertools

import numpy as np
import pytest

from music_composer.symbolic.models.biaxial.batches import POOL, BitLoader, bit_inputs, to_piece
from music_composer.symbolic.models.biaxial.features import (
    COUNT_SCALE,
    before_features,
    features,
    features_of,
    lower_features,
)
from music_composer.symbolic.models.biaxial.notes import to_bits, to_roll
from music_composer.symbolic.options import BiaxialOptions
from music_composer.symbolic.roll import CLOCK
from music_composer.values import Roll
from tests.symbolic.rolls import random_roll

pytestmark = pytest.mark.journey

SMALL = BiaxialOptions(neurons=6, layers=2, note_neurons=(5, 4), dropout=0.0)


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
