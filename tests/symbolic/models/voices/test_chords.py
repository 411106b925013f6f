"""Chords from the bass up and back, and voices with the least motion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from music_composer.symbolic.models.voices.chords import SILENT, lead_voices, to_active, to_chords, voicings

ROLLS = arrays(bool, st.tuples(st.integers(0, 12), st.just(10)))


@given(ROLLS)
def test_chords_round_trip(active):
    assert np.array_equal(to_active(to_chords(active, 10), 10), active)


@given(ROLLS)
def test_chords_rise_and_are_padded(active):
    chords = to_chords(active, 10)
    assert ((np.diff(chords, axis=1) > 0) | (chords[:, 1:] == 10)).all()


def test_a_chord_of_too_many_notes_raises():
    with pytest.raises(ValueError, match="step 1 has 3 notes; there is room for 2"):
        to_chords(np.array([[1, 0, 0], [1, 1, 1]], bool), 2)


def led(*chords: list[int], voices: int = 4) -> list[list[int]]:
    active = np.zeros((len(chords), 88), bool)
    for step, notes in enumerate(chords):
        active[step, notes] = True
    return lead_voices(to_chords(active, 8), 88, voices).tolist()


def test_four_notes_are_four_voices():
    assert led([20, 24, 27, 32], [19, 26, 29, 35]) == [[20, 24, 27, 32], [19, 26, 29, 35]]


def test_the_voice_that_moves_least_is_doubled():
    assert led([20, 24, 27, 32], [20, 25, 32])[1] == [20, 25, 25, 32]
    assert led([20, 24, 27, 32], [20, 31])[1] == [20, 20, 31, 31]


def test_of_many_notes_the_outer_and_the_nearest_are_taken():
    assert led([20, 24, 27, 32], [10, 15, 24, 25, 28, 40])[1] == [10, 24, 28, 40]


def test_voices_keep_their_pitches_through_silence():
    assert led([], [20, 24, 27, 32], []) == [[SILENT] * 4, [20, 24, 27, 32], [20, 24, 27, 32]]


@given(ROLLS, st.integers(0, 12))
def test_later_steps_change_nothing(active, steps):
    whole = lead_voices(to_chords(active, 10), 10)
    assert np.array_equal(lead_voices(to_chords(active[:steps], 10), 10), whole[:steps])


@given(st.integers(1, 9), st.integers(2, 6))
def test_voicings_rise_from_the_lowest_to_the_highest_note(notes, voices):
    ways = voicings(notes, voices)
    assert ways.shape[1] == voices
    assert (np.diff(ways, axis=1) >= (notes > voices)).all()
    assert (ways[:, [0, -1]] == [0, notes - 1]).all() or notes == 1
    if notes <= voices:
        assert all(len(np.unique(way)) == notes for way in ways)
    assert len(np.unique(ways, axis=0)) == len(ways)
