"""Rolls as events and back."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from music_composer.symbolic.models.polyphony.events import (
    CONTINUED,
    END,
    EVENTS,
    NEW,
    START,
    STEP_END,
    steps_of,
    to_events,
    to_roll,
)
from tests.symbolic.rolls import rolls


@given(rolls(steady=True))
@settings(max_examples=200, deadline=None)
def test_events_are_the_roll_again(roll):
    events = to_events(roll)
    again = to_roll(events)
    assert np.array_equal(again.velocity, roll.velocity)
    assert np.array_equal(again.struck, roll.struck)
    assert (events[0], events[-1], steps_of(events)) == (START, END, roll.steps)
    assert ((events >= 0) & (events < EVENTS)).all()


def test_a_chord_is_said_from_the_top_down_and_then_held_on():
    events = [START, NEW + 67, NEW + 60, STEP_END, NEW + 67, CONTINUED + 60, STEP_END, STEP_END, END]
    assert to_events(to_roll(events))[:-1].tolist() == events[:-1]
    assert to_roll(events).struck[:, 67].tolist() == [True, True, False]
    assert to_roll(events).sounding[:, 60].tolist() == [True, True, False]


@given(st.lists(st.integers(0, EVENTS - 1), max_size=60))
def test_any_events_are_a_roll_in_which_nothing_sounds_unstruck(events):
    roll = to_roll(events)
    before = np.concatenate([np.zeros((1, 128), bool), roll.sounding[:-1]])[: roll.steps]
    assert (roll.struck | before)[roll.sounding].all()
    assert roll.steps - steps_of(np.array(events)) in (0, 1)


def test_continued_notes_that_did_not_sound_and_stray_marks_are_passed_over():
    roll = to_roll([CONTINUED + 60, START, NEW + 62, END, STEP_END, CONTINUED + 62, CONTINUED + 64, STEP_END])
    assert [np.flatnonzero(row).tolist() for row in roll.sounding] == [[62], [62]]
