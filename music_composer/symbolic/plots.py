"""Pictures of notes: a piano roll."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from music_composer.reports.figures import figure_of, save
from music_composer.symbolic.roll import bars_of
from music_composer.values import Roll

NEW, OLD = (0.25, 0.45, 0.8), (0.7, 0.7, 0.7)  # colours of notes


def plot_roll(roll: Roll, kept: np.ndarray, png: Path) -> None:
    """Draws the notes of a piece over its bars; where they begin they are darker.

    kept: bool (steps, 128), notes that were there before: they are drawn in grey.
    """
    steps = max(1, roll.steps)
    pitches = np.flatnonzero(roll.sounding.any(axis=0))
    low, high = (int(pitches[0]) - 2, int(pitches[-1]) + 3) if len(pitches) else (48, 84)
    picture = np.ones((steps, high - low, 3))
    sounding, struck = (np.zeros((steps, high - low), bool) for _ in range(2))
    within = slice(max(0, low), high)
    shown = slice(within.start - low, within.start - low + len(range(*within.indices(128))))
    sounding[: roll.steps, shown], struck[: roll.steps, shown] = roll.sounding[:, within], roll.struck[:, within]
    old = np.zeros_like(sounding)
    old[: roll.steps, shown] = kept[:, within]
    for which, colour in ((sounding & ~old, NEW), (sounding & old, OLD)):
        picture[which], picture[which & struck] = colour, np.array(colour) * 0.55
    figure, axes = figure_of(10, 3)
    axes.imshow(
        picture.transpose(1, 0, 2), origin="lower", aspect="auto", interpolation="nearest",
        extent=(0, steps, low - 0.5, high - 0.5),
    )  # fmt: skip
    bars = np.flatnonzero(bars_of(roll)[0] == 0)
    for bar in bars:
        axes.axvline(bar, color="black", alpha=0.15, linewidth=0.5)
    every = -(-len(bars) // 16) or 1
    axes.set_xticks(bars[::every], [str(number + 1) for number in range(0, len(bars), every)])
    octaves = [pitch for pitch in range(0, 128, 12) if low <= pitch < high]
    axes.set_yticks(octaves, [f"C{pitch // 12 - 1}" for pitch in octaves])
    axes.set_xlabel("bar")
    save(figure, png)
