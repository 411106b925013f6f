"""Piano rolls as pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from music_composer.reports.plots import figure_of, save
from music_composer.symbolic.roll import bars_of
from music_composer.values import OCTAVE, PITCHES, Roll

NEW_COLOUR, FIXED_COLOUR = (0.25, 0.45, 0.8), (0.7, 0.7, 0.7)
DARKER = 0.55  # of an onset


def plot_roll(roll: Roll, fixed: np.ndarray, png: Path) -> None:
    """Draws a piano roll with bar lines to a PNG file. Onsets are darker than held notes.

    fixed: bool (steps, 128), notes that were given; they are drawn in grey.
    """
    steps = max(1, roll.steps)
    pitches = np.flatnonzero(roll.active.any(axis=0))
    # A margin of two pitches; a silent roll shows three octaves.
    low, high = (int(pitches[0]) - 2, int(pitches[-1]) + 3) if len(pitches) else (48, 84)
    picture = np.ones((steps, high - low, 3))
    active, onset = (np.zeros((steps, high - low), bool) for _ in range(2))
    within = slice(max(0, low), high)
    shown = slice(within.start - low, within.start - low + len(range(*within.indices(PITCHES))))
    active[: roll.steps, shown], onset[: roll.steps, shown] = roll.active[:, within], roll.onset[:, within]
    given = np.zeros_like(active)
    given[: roll.steps, shown] = fixed[:, within]
    for notes, colour in ((active & ~given, NEW_COLOUR), (active & given, FIXED_COLOUR)):
        picture[notes], picture[notes & onset] = colour, np.array(colour) * DARKER
    figure, axes = figure_of(10, 3, margins=(0.4, 0.45))
    axes.imshow(
        picture.transpose(1, 0, 2), origin="lower", aspect="auto", interpolation="nearest",
        extent=(0, steps, low - 0.5, high - 0.5),
    )  # fmt: skip
    bars = np.flatnonzero(bars_of(roll)[0] == 0)
    for bar in bars:
        axes.axvline(bar, color="black", alpha=0.15, linewidth=0.5)
    # At most 16 labels.
    every = -(-len(bars) // 16) or 1
    axes.set_xticks(bars[::every], [str(number + 1) for number in range(0, len(bars), every)])
    octaves = [pitch for pitch in range(0, PITCHES, OCTAVE) if low <= pitch < high]
    axes.set_yticks(octaves, [f"C{pitch // OCTAVE - 1}" for pitch in octaves])
    axes.set_xlabel("bar")
    save(figure, png)
