"""Pictures of figures: loss, ratings, densities. Everything is drawn off screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.files.atomic import whole_file


def plot_activations(hidden: np.ndarray, cells: np.ndarray, png: Path) -> None:
    """Draws hidden state and memory cells over time, (steps, neurons) each: red above zero, blue below."""
    figure, axes = figure_of(10, 6, panels=2, rows=2)
    for panel, values, name in zip(axes, (hidden, cells), ("hidden state", "memory cells"), strict=True):
        # A quantile: a few extreme values would make all others pale.
        most = max(1e-6, float(np.quantile(np.abs(values), 0.99)))
        panel.imshow(
            values.T, origin="lower", aspect="auto", cmap="RdBu_r", vmin=-most, vmax=most, interpolation="nearest"
        )
        panel.set_ylabel(f"{name}, neuron")
    axes[-1].set_xlabel("step")
    save(figure, png)


def plot_densities(measured: Mapping[str, np.ndarray], names: Sequence[str], png: Path) -> None:
    """Draws the histogram of each figure in a panel of its own. measured: rows of figures, by name of the music."""
    figure, axes = figure_of(12, 5, panels=len(names), rows=2)
    for i, name in enumerate(names):
        columns = {music: rows[:, i][~np.isnan(rows[:, i])] for music, rows in measured.items()}
        every = np.concatenate(list(columns.values()))
        # Equal edges for all music, so that its shares can be compared; a single value needs a bin around it.
        low, high = (every.min(), every.max()) if len(every) else (0.0, 0.0)
        edges = np.linspace(low, high, 21) if high > low else np.array([low - 0.5, low + 0.5])
        for music, values in columns.items():
            shares = np.histogram(values, edges)[0] / max(1, len(values))
            axes[i].stairs(shares, edges, label=music.replace("_", " "), linewidth=1.5)
        axes[i].set_title(name, fontsize=10)
        axes[i].set_yticks([])  # only the shapes are compared
    axes[0].legend(fontsize=8)
    for spare in axes[len(names) :]:
        spare.set_axis_off()
    save(figure, png)


def plot_loss(history: Sequence[Mapping[str, Any]], png: Path) -> None:
    """Draws the loss of each epoch, and of the held-out music where there is any."""
    figure, axes = figure_of(7, 4, margins=(0.9, 0.5))
    for column, label in (("loss", "training"), ("held_out_loss", "held out")):
        # The cell is empty where no music was held out.
        points = [(row["epoch"], float(row[column])) for row in history if row[column] != ""]
        if points:
            axes.plot(*zip(*points, strict=True), marker=".", label=label)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.grid(alpha=0.3)
    axes.legend()
    save(figure, png)


def plot_ratings(ratings: Sequence[float], png: Path) -> None:
    """Draws the rating of the best network of each generation."""
    figure, axes = figure_of(7, 4, margins=(0.9, 0.5))
    axes.plot(range(1, len(ratings) + 1), ratings, marker=".")
    axes.set_xlabel("generation")
    axes.set_ylabel("rating of the best")
    axes.grid(alpha=0.3)
    save(figure, png)


def figure_of(
    width: float, height: float, panels: int = 1, rows: int = 1, margins: tuple[float, float] | None = None
) -> tuple[Any, Any]:
    """Returns a figure of the given size in inches, and its axes, row by row.

    margins: on the left and below, in inches; None leaves them to Matplotlib, which finds room for all labels, but
    needs as much time for that as for the picture.
    """
    # Imported late, since it takes a while. Without pyplot there is no global state, no window and no display.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout=None if margins else "constrained")
    axes = figure.subplots(rows, -(-panels // rows))
    if margins:
        left, bottom = margins
        edge = 0.08
        figure.subplots_adjust(left / width, bottom / height, 1 - 2 * edge / width, 1 - edge / height)
    return figure, np.ravel(axes) if panels > 1 else axes


def save(figure: Any, png: Path) -> None:
    """Writes a figure as PNG, atomically."""
    with whole_file(png) as part:
        figure.savefig(part, dpi=100)
