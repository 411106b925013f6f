"""Piano rolls as events, and back: the event language of Magenta's polyphony_rnn (2016).

A piece is START; for each step its notes from the top down, then STEP_END; and END. A note is NEW at its onset and
CONTINUED where it is held. A pitch that was active and has neither event has ended.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from music_composer.symbolic.roll import DEFAULT_VELOCITY
from music_composer.values import PITCHES, Roll

START, END, STEP_END = 0, 1, 2
NEW, CONTINUED = 3, 131  # of pitch 0; those of higher pitches follow
EVENTS = 259


def to_events(roll: Roll) -> np.ndarray:
    """The events of a roll, int32 (events,), from START to END."""
    active = roll.active
    step, downward = np.nonzero(active[:, ::-1])
    pitch = PITCHES - 1 - downward
    # A roll may begin with a held note, which has no onset: it begins here, since CONTINUED needs an earlier note.
    begins = roll.onset | ~np.concatenate([np.zeros_like(active[:1]), active[:-1]])
    # Sorted by step, then from the top down, since the pitches were reversed.
    notes = np.where(begins[step, pitch], NEW, CONTINUED) + pitch
    ends = np.cumsum(active.sum(axis=1))
    return np.concatenate([[START], np.insert(notes, ends, STEP_END), [END]]).astype(np.int32)


def to_roll(events: Iterable[int], per_quarter: int = 4) -> Roll:
    """The inverse, for any sequence of events.

    It ignores START and END between other events, and CONTINUED for a pitch that was not active. A last step without
    STEP_END counts if it has notes. All notes get the same velocity: events have no loudness.
    """
    rows: list[np.ndarray] = []
    onset_rows: list[np.ndarray] = []
    row, onsets = np.zeros(PITCHES, bool), np.zeros(PITCHES, bool)
    for event in events:
        if event == STEP_END:
            rows.append(row)
            onset_rows.append(onsets)
            row, onsets = np.zeros(PITCHES, bool), np.zeros(PITCHES, bool)
        elif NEW <= event < CONTINUED:
            row[event - NEW] = onsets[event - NEW] = True
        elif event >= CONTINUED and rows and rows[-1][event - CONTINUED]:
            row[event - CONTINUED] = True
    if row.any():
        rows.append(row)
        onset_rows.append(onsets)
    shape = (len(rows), PITCHES)
    velocity = np.where(np.array(rows, bool).reshape(shape), DEFAULT_VELOCITY, 0).astype(np.uint8)
    return Roll(velocity, np.array(onset_rows, bool).reshape(shape), per_quarter)


def steps_of(events: np.ndarray) -> int:
    """The number of complete steps."""
    return int((np.asarray(events) == STEP_END).sum())
