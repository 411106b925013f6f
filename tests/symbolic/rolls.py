"""Rolls: drawn by hypothesis, random by a seed, with a gap."""

import dataclasses

import numpy as np
from hypothesis import strategies as st

from music_composer.symbolic.roll import PIANO_LOWEST
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


def random_roll(seed: int, steps: int = 24) -> Roll:
    """A few notes of random lengths and velocities, some with a second onset while they are active."""
    rng = np.random.default_rng(seed)
    velocity, onset = np.zeros((steps, 128), np.uint8), np.zeros((steps, 128), bool)
    for pitch in rng.choice(np.arange(PIANO_LOWEST, PIANO_LOWEST + 88), 4, replace=False):
        start = int(rng.integers(steps - 1))
        for begin in (start, start + int(rng.integers(1, 6))):
            velocity[begin : begin + int(rng.integers(1, 9)), pitch] = rng.integers(1, 128)
            onset[begin : begin + 1, pitch] = True
    onset |= (velocity > 0) & ~np.concatenate([np.zeros((1, 128), bool), velocity[:-1] > 0])
    return Roll(velocity, onset & (velocity > 0), metres=((0, 2, 4),))


def without(roll: Roll, gap: np.ndarray) -> Roll:
    """The roll, silent in a gap, bool (steps,). Notes held beyond its end begin there."""
    velocity, onset = roll.velocity.copy(), roll.onset.copy()
    velocity[gap], onset[gap] = 0, False
    before = np.concatenate([np.zeros_like(velocity[:1]), velocity[:-1]]) > 0
    return dataclasses.replace(roll, velocity=velocity, onset=(onset | ~before) & (velocity > 0))
