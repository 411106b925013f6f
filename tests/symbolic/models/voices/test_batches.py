"""The data loader covers all pieces, transposes within the keys, and resumes at any batch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from music_composer.symbolic.models.voices.batches import LOWEST_SHIFT, Piece, VoicesLoader, decisions_in
from music_composer.symbolic.models.voices.chords import to_active, to_chords
from music_composer.symbolic.options import VoicesOptions
from tests.properties import cases

OPTIONS = VoicesOptions(pitches=12, voices=3, shifts=4, clock=3)


def piece_of(steps, number=0, lowest=5, highest=7):
    """Its clock holds its number and the step, so that a window says where it comes from."""
    active = np.zeros((steps, 12), bool)
    active[:, lowest] = active[::2, highest] = True
    clock = np.zeros((steps, 3), np.float32)
    clock[:, 0], clock[:, 1] = number, np.arange(steps)
    return Piece(active, clock)


def loader_of(lengths, batch_size=4, window_steps=20, **more):
    return VoicesLoader([piece_of(n, i) for i, n in enumerate(lengths)], [], OPTIONS, batch_size, window_steps, **more)


def rows(loader, epoch=0):
    """(piece, step, shift) of every step that counts."""
    for [[*_, clock, shift, _, mask]] in loader.epoch(1, epoch, 0):
        for one, by, counts in zip(clock, shift, mask, strict=True):
            yield from ((int(a), int(b), int(by)) for a, b, _ in one[counts > 0])


@given(st.lists(st.integers(1, 70), min_size=1, max_size=9), st.integers(0, 3))
@cases(40)
def test_an_epoch_sees_every_step_of_every_piece(lengths, epoch):
    seen = {(piece, step) for piece, step, _ in rows(loader_of(lengths), epoch)}
    assert seen == {(i, step) for i, length in enumerate(lengths) for step in range(length)}


def test_shifts_stay_on_the_keys_and_are_conditions():
    pieces = [piece_of(9, 0, lowest=3, highest=11), piece_of(9, 1)]
    loader = VoicesLoader(pieces, [], OPTIONS, 2, 20)
    conditions = {0: set(), 1: set()}
    for epoch in range(30):
        for [[chords, *_, clock, shift, _, mask]] in loader.epoch(1, epoch, 0):
            for chord, one, by, counts in zip(chords, clock, shift, mask, strict=True):
                piece, semitones = int(one[0, 0]), int(by) + LOWEST_SHIFT
                conditions[piece].add(semitones)
                active = to_active(chord[counts > 0], 12)
                assert np.array_equal(active, np.roll(pieces[piece].active, semitones, axis=1))
    assert conditions[0] == {-3, -2, 0}
    assert conditions[1] == {-5, -4, -3, -2, 0}


@pytest.mark.parametrize("first", [0, 1, 2])
def test_an_epoch_resumes_at_any_batch(first):
    loader = loader_of([9, 30, 50, 11, 8, 31, 19, 4])
    whole, rest = (list(loader.epoch(3, 1, start)) for start in (0, first))
    assert len(whole) == loader.batches
    assert len(rest) == loader.batches - first
    for batch, other in zip(whole[first:], rest, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(batch[0], other[0], strict=True))


def test_validation_covers_all_steps_untransposed():
    validation = [piece_of(n, i) for i, n in enumerate([45, 3, 20])]
    loader = VoicesLoader([piece_of(9)], validation, OPTIONS, 2, 20)
    counted, steps = 0, set()
    for [*_, clock, shift, _, mask], counts in loader.held_out():
        assert (shift + LOWEST_SHIFT == 0).all()
        assert mask.sum() == counts
        counted += counts
        steps |= {(int(a), int(b)) for a, b, _ in clock[mask > 0]}
    assert counted == len(steps) == 68


def test_a_note_held_across_a_cut_has_an_onset_there():
    piece = piece_of(6)
    onset = np.zeros((6, 12), bool)
    onset[0, 5] = onset[::2, 7] = True
    whole = Piece(piece.active, piece.clock, onset, np.full((6, 12), 4))
    assert whole.articulation[:, 5].tolist() == [4, 0, 0, 0, 0, 0]
    assert whole.cut(2, 3).articulation[:, 5].tolist() == [4, 0, 0]
    assert np.array_equal(whole.shifted(2).articulation, np.roll(whole.articulation, 2, axis=1))


def test_decisions_are_all_notes_and_one_end_for_each_step_that_counts():
    active = np.random.default_rng(1).random((2, 5, 12)) < 0.3
    active[0, 2] = False
    chords = np.stack([to_chords(each, 9) for each in active])
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]], np.float32)
    places = decisions_in(chords, mask, 12)
    filled, places = places[places < 0], places[places >= 0]
    assert len(filled) > 0
    decided = np.zeros(chords.shape, bool)
    decided.reshape(-1)[places] = True
    assert len(places) == decided.sum() == active[mask > 0].sum() + 7
    assert (chords[decided] < 12).sum() == active[mask > 0].sum()
    assert decided[0, 2].tolist() == [True] + [False] * 8
