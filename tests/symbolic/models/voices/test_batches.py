"""Pieces as lessons: all of them, transposed within the keys there are, the same from any batch on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from music_composer.symbolic.models.voices.batches import LOWEST_SHIFT, Piece, VoicesLessons, decisions_in
from music_composer.symbolic.models.voices.chords import to_chords, to_sounding
from music_composer.symbolic.options import VoicesOptions

OPTIONS = VoicesOptions(pitches=12, voices=3, shifts=4, clock=3)


def piece_of(steps, number=0, lowest=5, highest=7):
    """Its clock holds its number and the step, so that a window tells where it comes from."""
    sounding = np.zeros((steps, 12), bool)
    sounding[:, lowest] = sounding[::2, highest] = True
    clock = np.zeros((steps, 3), np.float32)
    clock[:, 0], clock[:, 1] = number, np.arange(steps)
    return Piece(sounding, clock)


def lessons_of(lengths, batch_size=4, window_steps=20, **more):
    return VoicesLessons([piece_of(n, i) for i, n in enumerate(lengths)], [], OPTIONS, batch_size, window_steps, **more)


def rows(lessons, epoch=0):
    """(piece, step, shift) of every step that counts."""
    for [[*_, clock, shift, _, weight]] in lessons.epoch(1, epoch, 0):
        for one, by, counts in zip(clock, shift, weight, strict=True):
            yield from ((int(a), int(b), int(by)) for a, b, _ in one[counts > 0])


@given(st.lists(st.integers(1, 70), min_size=1, max_size=9), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_an_epoch_sees_every_step_of_every_piece(lengths, epoch):
    seen = {(piece, step) for piece, step, _ in rows(lessons_of(lengths), epoch)}
    assert seen == {(i, step) for i, length in enumerate(lengths) for step in range(length)}


def test_shifts_stay_within_the_keys_and_are_told():
    pieces = [piece_of(9, 0, lowest=3, highest=11), piece_of(9, 1)]
    lessons = VoicesLessons(pieces, [], OPTIONS, 2, 20)
    told = {0: set(), 1: set()}
    for epoch in range(30):
        for [[chords, *_, clock, shift, _, weight]] in lessons.epoch(1, epoch, 0):
            for chord, one, by, counts in zip(chords, clock, shift, weight, strict=True):
                piece, semitones = int(one[0, 0]), int(by) + LOWEST_SHIFT
                told[piece].add(semitones)
                sounding = to_sounding(chord[counts > 0], 12)
                assert np.array_equal(sounding, np.roll(pieces[piece].sounding, semitones, axis=1))
    assert told[0] == {-3, -2, 0}
    assert told[1] == {-5, -4, -3, -2, 0}


@pytest.mark.parametrize("first", [0, 1, 2])
def test_an_epoch_goes_on_from_any_batch(first):
    lessons = lessons_of([9, 30, 50, 11, 8, 31, 19, 4])
    whole, rest = (list(lessons.epoch(3, 1, start)) for start in (0, first))
    assert len(whole) == lessons.batches
    assert len(rest) == lessons.batches - first
    for batch, other in zip(whole[first:], rest, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(batch[0], other[0], strict=True))


def test_what_is_held_out_is_all_of_it_untransposed_and_counted():
    judged = [piece_of(n, i) for i, n in enumerate([45, 3, 20])]
    lessons = VoicesLessons([piece_of(9)], judged, OPTIONS, 2, 20)
    counted, steps = 0, set()
    for [*_, clock, shift, _, weight], counts in lessons.held_out():
        assert (shift + LOWEST_SHIFT == 0).all()
        assert weight.sum() == counts
        counted += counts
        steps |= {(int(a), int(b)) for a, b, _ in clock[weight > 0]}
    assert counted == len(steps) == 68


def test_what_is_held_on_where_a_cut_begins_counts_as_struck_there():
    piece = piece_of(6)
    struck = np.zeros((6, 12), bool)
    struck[0, 5] = struck[::2, 7] = True
    whole = Piece(piece.sounding, piece.clock, struck, np.full((6, 12), 4))
    assert whole.manner[:, 5].tolist() == [4, 0, 0, 0, 0, 0]
    assert whole.cut(2, 3).manner[:, 5].tolist() == [4, 0, 0]
    assert np.array_equal(whole.shifted(2).manner, np.roll(whole.manner, 2, axis=1))


def test_every_note_is_decided_on_and_one_end_a_step_that_counts():
    sounding = np.random.default_rng(1).random((2, 5, 12)) < 0.3
    sounding[0, 2] = False
    chords = np.stack([to_chords(each, 9) for each in sounding])
    weight = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]], np.float32)
    places = decisions_in(chords, weight, 12)
    filled, places = places[places < 0], places[places >= 0]
    assert len(filled) > 0
    decided = np.zeros(chords.shape, bool)
    decided.reshape(-1)[places] = True
    assert len(places) == decided.sum() == sounding[weight > 0].sum() + 7
    assert (chords[decided] < 12).sum() == sounding[weight > 0].sum()
    assert decided[0, 2].tolist() == [True] + [False] * 8
