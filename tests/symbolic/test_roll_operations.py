"""Cutting and joining are inverse; leading silent bars are dropped, an upbeat is kept."""

import dataclasses

import numpy as np

from music_composer.symbolic.constraints import gap_of
from music_composer.symbolic.roll_operations import beginning, joined, lengthened, shortened, silence, without_lead_in
from music_composer.values import Roll
from tests.symbolic.rolls import random_roll, without

NONE = np.zeros((0, 128), np.uint8)
BLANK = Roll(NONE, NONE.astype(bool), 4, ((0, 90.0),), ((0, 3, 4),))


def test_a_gap_is_silent_and_held_notes_begin_at_its_end():
    velocity, onset = np.zeros((2, 24, 128), np.uint8)
    velocity[2:20, 60], onset[2, 60] = 90, 1
    roll = Roll(velocity, onset.astype(bool), metres=((0, 2, 4),))
    gap = gap_of(roll, 2, 2)
    assert np.flatnonzero(gap).tolist() == [*range(8, 16)]
    left = without(roll, gap)
    assert np.flatnonzero(left.velocity[:, 60]).tolist() == [*range(2, 8), *range(16, 20)]
    assert np.flatnonzero(left.onset[:, 60]).tolist() == [2, 16]


def test_two_cut_parts_join_to_the_whole():
    whole = random_roll(5, 24)
    rest = shortened(whole, 10)
    first = Roll(whole.velocity[:10], whole.onset[:10], metres=whole.metres)
    again = joined(first, rest)
    assert np.array_equal(again.velocity, whole.velocity)
    held = whole.active[9] & whole.active[10] & ~whole.onset[10]
    assert np.array_equal(again.onset[10], whole.onset[10] | held)
    assert again.metres == whole.metres


def test_tempo_and_metre_changes_survive_a_cut():
    none = silence(20, BLANK)
    roll = Roll(none.velocity, none.onset, 4, ((0, 100.0), (8, 50.0)), ((0, 4, 4), (16, 3, 4)))
    cut = shortened(roll, 10)
    assert cut.tempos == ((0, 50.0),)
    assert cut.metres == ((0, 4, 4), (6, 3, 4))
    assert shortened(roll, 0).tempos == roll.tempos
    assert lengthened(cut, 3).steps == 13


def test_a_beginning_and_the_rest_join_to_the_whole():
    whole = dataclasses.replace(random_roll(4, 24), tempos=((0, 100.0), (10, 50.0)), metres=((0, 2, 4), (16, 3, 4)))
    first = beginning(whole, 10)
    again = joined(first, shortened(whole, 10))
    assert np.array_equal(again.velocity, whole.velocity)
    assert first.tempos == ((0, 100.0),) and first.metres == ((0, 2, 4),)
    assert beginning(whole, 11).tempos == whole.tempos
    assert beginning(whole, 0).tempos == ((0, 100.0),) and beginning(whole, 99).steps == 24


def test_leading_silent_bars_are_dropped_and_an_upbeat_is_kept():
    roll = random_roll(1, 24)  # bars of two quarters
    first = int(np.flatnonzero(roll.active.any(axis=1))[0])
    late = joined(silence(27, roll), roll)
    cut = without_lead_in(dataclasses.replace(late, metres=roll.metres))
    assert np.flatnonzero(cut.active.any(axis=1))[0] == (27 + first) % 8
    assert np.array_equal(cut.active.sum(axis=0), roll.active.sum(axis=0))
    assert without_lead_in(BLANK).steps == 0


def test_a_note_held_across_a_cut_begins_there():
    velocity, onset = np.zeros((6, 128), np.uint8), np.zeros((6, 128), bool)
    velocity[1:5, 60], onset[1, 60] = 80, True
    roll = Roll(velocity, onset)
    assert np.argwhere(shortened(roll, 3).onset).tolist() == [[0, 60]]
    assert not roll.onset[3].any()  # the argument is not changed
