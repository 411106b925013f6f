"""Rolls as the voices model sees them, and back."""

import numpy as np
import pytest
from hypothesis import given

from music_composer.symbolic.models.voices.batches import articulations_by_rank
from music_composer.symbolic.models.voices.chords import to_chords
from music_composer.symbolic.models.voices.encoding import fold, to_piece, to_roll, velocity_of
from music_composer.symbolic.options import VoicesOptions
from music_composer.symbolic.roll import CLOCK, PIANO_LOWEST, bar_clock
from music_composer.values import Roll
from tests.properties import cases
from tests.symbolic.rolls import rolls

OPTIONS = VoicesOptions()


@given(rolls(PIANO_LOWEST, PIANO_LOWEST + 87))
@cases(100)
def test_what_is_encoded_is_the_roll_again_but_for_fine_shades(roll):
    piece = to_piece(roll, OPTIONS)
    chords = to_chords(piece.active, 8)
    again = to_roll(chords, articulations_by_rank(chords, piece.articulation), OPTIONS, roll)
    assert np.array_equal(again.active, roll.active)
    assert np.array_equal(again.onset, roll.onset)
    assert np.abs(again.velocity.astype(int) - roll.velocity).max(initial=0) <= 4


@given(rolls(PIANO_LOWEST, PIANO_LOWEST + 87))
def test_only_active_notes_are_held(roll):
    piece = to_piece(roll, OPTIONS)
    before = np.concatenate([np.zeros((1, 88), bool), piece.active[:-1]])[: roll.steps]
    assert before[piece.active & (piece.articulation == 0)].all()
    assert (piece.articulation[~piece.active] == 0).all()


def test_every_velocity_has_a_level_and_every_level_a_velocity():
    velocities = np.arange(1, 128)
    levels = 1 + velocities * 16 // 128
    assert set(levels) == set(range(1, 17))
    assert np.abs(velocity_of(levels, OPTIONS) - velocities).max() <= 4
    assert velocity_of(np.array([1]), VoicesOptions(loudness=127))[0] >= 1


def test_notes_beyond_the_keys_are_moved_by_octaves():
    notes = np.zeros((1, 128), np.uint8)
    notes[0, [3, 60, 120]] = 5, 7, 9
    assert np.flatnonzero(fold(notes, 88)[0]).tolist() == [3 + 24 - PIANO_LOWEST, 60 - PIANO_LOWEST, 108 - PIANO_LOWEST]


def roll_of(steps, metres):
    return Roll(np.zeros((steps, 128), np.uint8), np.zeros((steps, 128), bool), metres=metres)


def test_no_two_steps_of_four_bars_have_the_same_clock():
    for metres in (((0, 4, 4),), ((0, 3, 4),), ((0, 7, 8),)):
        roll = roll_of(4 * metres[0][1] * 16 // metres[0][2], metres)
        clock = bar_clock(roll)
        assert clock.shape == (roll.steps, CLOCK)
        assert len(np.unique(clock, axis=0)) == roll.steps


def test_the_clock_knows_bar_lines():
    clock = bar_clock(roll_of(30, ((0, 3, 4), (12, 2, 4))))
    assert np.flatnonzero(clock[:, -2] > 0).tolist() == [0, 12, 20, 28]
    assert clock[:12, -1] == pytest.approx(np.arange(12) / 12)
