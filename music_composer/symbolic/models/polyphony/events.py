"""Piano rolls as events, and back: the language of the polyphony model (Magenta's polyphony_rnn, 2016).

START, then for each step its notes from the top down, NEW where they are struck and CONTINUED where they are held on,
and STEP_END; END at last. A pitch that sounded and is neither has ended.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from music_composer.values import Roll

START, END, STEP_END = 0, 1, 2
NEW, CONTINUED = 3, 131  # of pitch 0; the other pitches follow
EVENTS = 259
PITCHES = 128
VELOCITY = 100  # events say nothing of loudness


def to_events(roll: Roll) -> np.ndarray:
    """int (events,), from START to END."""
    sounding = roll.sounding
    step, down = np.nonzero(sounding[:, ::-1])
    pitch = PITCHES - 1 - down
    # What sounds from a step before cannot be told from what is struck, unless something sounded there.
    fresh = roll.struck | ~np.concatenate([np.zeros_like(sounding[:1]), sounding[:-1]])
    notes = np.where(fresh[step, pitch], NEW, CONTINUED) + pitch
    ends = np.cumsum(sounding.sum(axis=1))
    return np.concatenate([[START], np.insert(notes, ends, STEP_END), [END]]).astype(np.int32)


def to_roll(events: Iterable[int], per_quarter: int = 4) -> Roll:
    """The inverse, of any events: START and END on the way, and CONTINUED of what did not sound, are passed over.

    The last step counts without its STEP_END if it has notes.
    """
    rows: list[np.ndarray] = []
    struck: list[np.ndarray] = []
    row, new = np.zeros(PITCHES, bool), np.zeros(PITCHES, bool)
    for event in events:
        if event == STEP_END:
            rows.append(row)
            struck.append(new)
            row, new = np.zeros(PITCHES, bool), np.zeros(PITCHES, bool)
        elif NEW <= event < CONTINUED:
            row[event - NEW] = new[event - NEW] = True
        elif event >= CONTINUED and rows and rows[-1][event - CONTINUED]:
            row[event - CONTINUED] = True
    if row.any():
        rows.append(row)
        struck.append(new)
    shape = (len(rows), PITCHES)
    sounding = np.array(rows, bool).reshape(shape)
    return Roll(np.where(sounding, VELOCITY, 0).astype(np.uint8), np.array(struck, bool).reshape(shape), per_quarter)


def steps_of(events: np.ndarray) -> int:
    """How many steps are complete."""
    return int((np.asarray(events) == STEP_END).sum())
