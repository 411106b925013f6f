"""Rolls as events and back."""

import numpy as np
from hypothesis import given
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
from tests.properties import cases
from tests.symbolic.rolls import rolls


@given(rolls(steady=True))
@cases(200)
def test_events_round_trip(roll):
    events = to_events(roll)
    again = to_roll(events)
    assert np.array_equal(again.velocity, roll.velocity)
    assert np.array_equal(again.onset, roll.onset)
    assert (events[0], events[-1], steps_of(events)) == (START, END, roll.steps)
    assert ((events >= 0) & (events < EVENTS)).all()


def test_a_chord_comes_from_the_top_down_and_is_then_continued():
    events = [START, NEW + 67, NEW + 60, STEP_END, NEW + 67, CONTINUED + 60, STEP_END, STEP_END, END]
    assert to_events(to_roll(events))[:-1].tolist() == events[:-1]
    assert to_roll(events).onset[:, 67].tolist() == [True, True, False]
    assert to_roll(events).active[:, 60].tolist() == [True, True, False]


@given(st.lists(st.integers(0, EVENTS - 1), max_size=60))
def test_any_events_give_a_roll_whose_notes_have_onsets(events):
    roll = to_roll(events)
    before = np.concatenate([np.zeros((1, 128), bool), roll.active[:-1]])[: roll.steps]
    assert (roll.onset | before)[roll.active].all()
    assert roll.steps - steps_of(np.array(events)) in (0, 1)


def test_stray_events_are_ignored():
    roll = to_roll([CONTINUED + 60, START, NEW + 62, END, STEP_END, CONTINUED + 62, CONTINUED + 64, STEP_END])
    assert [np.flatnonzero(row).tolist() for row in roll.active] == [[62], [62]]
