"""Hypothesis strategies for rolls."""

import dataclasses

import numpy as np
from hypothesis import strategies as st

from music_composer.values import Roll


@st.composite
def rolls(draw: st.DrawFn, lowest: int = 0, highest: int = 127, steady: bool = False) -> Roll:
    """Rolls with an onset at every beginning of a note, whose velocity is constant, 100 if `steady`."""
    steps = draw(st.integers(1, 20))
    velocity, onset = np.zeros((steps, 128), np.uint8), np.zeros((steps, 128), bool)
    for pitch in draw(st.lists(st.integers(lowest, highest), unique=True, max_size=5)):
        loud = 0
        for step in range(steps):
            what = draw(st.sampled_from(["strike", "hold", "rest"]))
            if what == "strike":
                loud = 100 if steady else draw(st.integers(1, 127))
                onset[step, pitch] = True
            if what == "rest":
                loud = 0
            velocity[step, pitch] = loud
    active = np.flatnonzero(velocity.any(axis=1))
    last = active[-1] + 1 if len(active) else 0
    return Roll(velocity[:last], onset[:last])


def without(roll: Roll, gap: np.ndarray) -> Roll:
    """The roll, silent in a gap, bool (steps,). Notes held beyond its end begin there."""
    velocity, onset = roll.velocity.copy(), roll.onset.copy()
    velocity[gap], onset[gap] = 0, False
    before = np.concatenate([np.zeros_like(velocity[:1]), velocity[:-1]]) > 0
    return dataclasses.replace(roll, velocity=velocity, onset=(onset | ~before) & (velocity > 0))
