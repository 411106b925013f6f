"""Rolls for tests: any that there can be."""

import dataclasses

import numpy as np
from hypothesis import strategies as st

from music_composer.values import Roll


@st.composite
def rolls(draw: st.DrawFn, lowest: int = 0, highest: int = 127, steady: bool = False) -> Roll:
    """What begins to sound is struck, and a note keeps its velocity, 100 if `steady`; the last step is not silent."""
    steps = draw(st.integers(1, 20))
    velocity, struck = np.zeros((steps, 128), np.uint8), np.zeros((steps, 128), bool)
    for pitch in draw(st.lists(st.integers(lowest, highest), unique=True, max_size=5)):
        loud = 0
        for step in range(steps):
            what = draw(st.sampled_from(["strike", "hold", "rest"]))
            if what == "strike":
                loud = 100 if steady else draw(st.integers(1, 127))
                struck[step, pitch] = True
            if what == "rest":
                loud = 0
            velocity[step, pitch] = loud
    sounding = np.flatnonzero(velocity.any(axis=1))
    last = sounding[-1] + 1 if len(sounding) else 0
    return Roll(velocity[:last], struck[:last])


def without(roll: Roll, gap: np.ndarray) -> Roll:
    """Silent in a gap, bool (steps,). What is held on over its end is struck there."""
    velocity, struck = roll.velocity.copy(), roll.struck.copy()
    velocity[gap], struck[gap] = 0, False
    before = np.concatenate([np.zeros_like(velocity[:1]), velocity[:-1]]) > 0
    return dataclasses.replace(roll, velocity=velocity, struck=(struck | ~before) & (velocity > 0))
