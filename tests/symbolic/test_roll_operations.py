"""What is cut and joined again is what it was; a lead-in of silent bars goes, an upbeat stays."""

import dataclasses

import numpy as np

from music_composer.symbolic.constraints import gap_of
from music_composer.symbolic.roll_operations import beginning, joined, lengthened, shortened, silence, without_lead_in
from music_composer.values import Roll
from tests.symbolic.models.voices.test_bounds import random_roll
from tests.symbolic.rolls import without

NONE = np.zeros((0, 128), np.uint8)
BLANK = Roll(NONE, NONE.astype(bool), 4, ((0, 90.0),), ((0, 3, 4),))


def test_a_gap_is_silent_and_what_is_held_over_its_end_is_struck_there():
    velocity, struck = np.zeros((2, 24, 128), np.uint8)
    velocity[2:20, 60], struck[2, 60] = 90, 1
    roll = Roll(velocity, struck.astype(bool), metres=((0, 2, 4),))
    gap = gap_of(roll, 2, 2)
    assert np.flatnonzero(gap).tolist() == [*range(8, 16)]
    left = without(roll, gap)
    assert np.flatnonzero(left.velocity[:, 60]).tolist() == [*range(2, 8), *range(16, 20)]
    assert np.flatnonzero(left.struck[:, 60]).tolist() == [2, 16]


def test_a_piece_and_what_is_cut_off_are_the_whole():
    whole = random_roll(5, 24)
    rest = shortened(whole, 10)
    first = Roll(whole.velocity[:10], whole.struck[:10], metres=whole.metres)
    again = joined(first, rest)
    assert np.array_equal(again.velocity, whole.velocity)
    held = whole.sounding[9] & whole.sounding[10] & ~whole.struck[10]
    assert np.array_equal(again.struck[10], whole.struck[10] | held)
    assert again.metres == whole.metres


def test_changes_of_tempo_and_metre_are_kept_when_a_beginning_is_cut_off():
    none = silence(20, BLANK)
    roll = Roll(none.velocity, none.struck, 4, ((0, 100.0), (8, 50.0)), ((0, 4, 4), (16, 3, 4)))
    cut = shortened(roll, 10)
    assert cut.tempos == ((0, 50.0),)
    assert cut.metres == ((0, 4, 4), (6, 3, 4))
    assert shortened(roll, 0).tempos == roll.tempos
    assert lengthened(cut, 3).steps == 13


def test_a_beginning_and_the_rest_make_the_whole():
    whole = dataclasses.replace(random_roll(4, 24), tempos=((0, 100.0), (10, 50.0)), metres=((0, 2, 4), (16, 3, 4)))
    first = beginning(whole, 10)
    again = joined(first, shortened(whole, 10))
    assert np.array_equal(again.velocity, whole.velocity)
    assert first.tempos == ((0, 100.0),) and first.metres == ((0, 2, 4),)
    assert beginning(whole, 11).tempos == whole.tempos
    assert beginning(whole, 0).tempos == ((0, 100.0),) and beginning(whole, 99).steps == 24


def test_silent_bars_at_the_beginning_go_and_an_upbeat_stays():
    roll = random_roll(1, 24)  # bars of two quarters
    first = int(np.flatnonzero(roll.sounding.any(axis=1))[0])
    late = joined(silence(27, roll), roll)
    cut = without_lead_in(dataclasses.replace(late, metres=roll.metres))
    assert np.flatnonzero(cut.sounding.any(axis=1))[0] == (27 + first) % 8
    assert np.array_equal(cut.sounding.sum(axis=0), roll.sounding.sum(axis=0))
    assert without_lead_in(BLANK).steps == 0


def test_what_is_held_over_a_cut_is_struck_there():
    velocity, struck = np.zeros((6, 128), np.uint8), np.zeros((6, 128), bool)
    velocity[1:5, 60], struck[1, 60] = 80, True
    roll = Roll(velocity, struck)
    assert np.argwhere(shortened(roll, 3).struck).tolist() == [[0, 60]]
    assert not roll.struck[3].any()  # the roll itself stays as it was
