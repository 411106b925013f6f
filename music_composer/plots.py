"""Pictures: spectrograms of WAVs and loss curves. Everything is drawn off screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.audio.frames import band_centres, blocks_to_bands
from music_composer.audio.recording import read_blocks, seconds_of
from music_composer.files import whole_file
from music_composer.options import FrameOptions
from music_composer.symbolic.frames import bars_of
from music_composer.values import Roll

COLUMNS = 1000  # of a spectrogram, however long the recording
LOUD_NEPERS, QUIET_NEPERS = -2.0, -9.0  # ends of the colour scale
NEW, OLD = (0.25, 0.45, 0.8), (0.7, 0.7, 0.7)  # colours of notes
TICKS = (200, 500, 1000, 2000, 5000, 10000, 20000)  # Hz


def plot_spectrogram(
    wav: Path,
    png: Path,
    options: FrameOptions,
    cuts: Sequence[float] = (),
    copied: Sequence[tuple[float, float]] = (),
) -> None:
    """Draws the bands of a recording over time, in memory that does not grow with its length.

    cuts: seconds at which lines mark where new music begins and ends. copied: stretches (from, to) to be marked.
    """
    seconds = seconds_of(wav)
    picture = _columns(wav, max(1, round(seconds * options.frames_per_second)), options)
    figure, axes = _figure(10, 3)
    axes.imshow(
        picture.T, origin="lower", aspect="auto", cmap="magma", vmin=QUIET_NEPERS, vmax=LOUD_NEPERS,
        extent=(0, seconds, 0, options.bands), interpolation="nearest",
    )  # fmt: skip
    ticks = [f for f in TICKS if f < options.rate / 2]
    places = np.interp(np.array(ticks) * options.window / options.rate, band_centres(options), range(options.bands))
    axes.set_yticks(places, [f"{f / 1000:g}k" if f >= 1000 else f"{f}" for f in ticks])
    axes.set_xlabel("seconds")
    axes.set_ylabel("Hz")
    for start, stop in copied:
        axes.axvspan(start, stop, ymin=0.97, color="cyan")
    for cut in cuts:
        axes.axvline(cut, color="white", linewidth=1, linestyle="--")
    _save(figure, png)


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
    figure, axes = _figure(10, 3)
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
    _save(figure, png)


def plot_thoughts(hidden: np.ndarray, cells: np.ndarray, png: Path) -> None:
    """Draws hidden activations and memory cells, (steps, neurons) each, over time: red above nought, blue below."""
    figure, axes = _figure(10, 6, panels=2, rows=2)
    for panel, values, name in zip(axes, (hidden, cells), ("hidden state", "memory cells"), strict=True):
        most = max(1e-6, float(np.quantile(np.abs(values), 0.99)))
        panel.imshow(
            values.T, origin="lower", aspect="auto", cmap="RdBu_r", vmin=-most, vmax=most, interpolation="nearest"
        )
        panel.set_ylabel(f"{name}, neuron")
    axes[-1].set_xlabel("step")
    _save(figure, png)


def plot_densities(measured: Mapping[str, np.ndarray], names: Sequence[str], png: Path) -> None:
    """Draws how often each figure takes which value, a panel each. measured: rows of figures, by what was measured."""
    figure, axes = _figure(12, 5, panels=len(names), rows=2)
    for i, name in enumerate(names):
        columns = {music: rows[:, i][~np.isnan(rows[:, i])] for music, rows in measured.items()}
        every = np.concatenate(list(columns.values()))
        low, high = (every.min(), every.max()) if len(every) else (0.0, 0.0)
        edges = np.linspace(low, high, 21) if high > low else np.array([low - 0.5, low + 0.5])
        for music, values in columns.items():
            shares = np.histogram(values, edges)[0] / max(1, len(values))
            axes[i].stairs(shares, edges, label=music.replace("_", " "), linewidth=1.5)
        axes[i].set_title(name, fontsize=10)
        axes[i].set_yticks([])
    axes[0].legend(fontsize=8)
    for spare in axes[len(names) :]:
        spare.set_axis_off()
    _save(figure, png)


def plot_loss(history: Sequence[Mapping[str, Any]], png: Path) -> None:
    """Draws the loss of each epoch, and of the held-out music where there is any."""
    figure, axes = _figure(7, 4)
    for column, label in (("loss", "training"), ("held_out_loss", "held out")):
        points = [(row["epoch"], float(row[column])) for row in history if row[column] != ""]
        if points:
            axes.plot(*zip(*points, strict=True), marker=".", label=label)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.grid(alpha=0.3)
    axes.legend()
    _save(figure, png)


def plot_ratings(ratings: Sequence[float], png: Path) -> None:
    """Draws the rating of the best network of each generation."""
    figure, axes = _figure(7, 4)
    axes.plot(range(1, len(ratings) + 1), ratings, marker=".")
    axes.set_xlabel("generation")
    axes.set_ylabel("rating of the best")
    axes.grid(alpha=0.3)
    _save(figure, png)


def plot_minutes(rows: Sequence[Mapping[str, Any]], real: Mapping[str, Any], png: Path) -> None:
    """Draws distance and level of long continuations minute by minute, beside those of held-out music."""
    figure, axes = _figure(10, 3, panels=2)
    minutes = [row["minute"] for row in rows]
    axes[0].plot(minutes, [row["discrepancy"] for row in rows], marker=".", label="continuations")
    axes[0].axhline(real["discrepancy"], color="gray", linestyle="--", label="real, held out")
    axes[0].set_ylabel("discrepancy")
    axes[0].set_ylim(bottom=min(0, *(row["discrepancy"] for row in rows)))
    axes[1].plot(minutes, [row["loudness_db"] for row in rows], marker=".", label="continuations, mean")
    axes[1].fill_between(
        minutes, [row["quietest_db"] for row in rows], [row["loudest_db"] for row in rows], alpha=0.2, label="range"
    )
    axes[1].axhline(real["loudness_db"], color="gray", linestyle="--", label="real, held out")
    axes[1].set_ylabel("level, dB")
    for panel in axes:
        panel.set_xlabel("minute")
        panel.grid(alpha=0.3)
        panel.legend()
    _save(figure, png)


def _columns(wav: Path, frames: int, options: FrameOptions) -> np.ndarray:
    """Mean bands of the mid channel in at most COLUMNS columns, shape (columns, bands)."""
    per_column = -(-frames // COLUMNS)
    columns = np.zeros((frames // per_column + 2, options.bands))
    counts = np.zeros((len(columns), 1))
    seen = 0
    for bands in blocks_to_bands(read_blocks(wav, options.rate)[1], options):
        index = np.minimum((seen + np.arange(len(bands))) // per_column, len(columns) - 1)
        np.add.at(columns, index, bands[:, 0])
        np.add.at(counts, index, 1)
        seen += len(bands)
    used = counts[:, 0] > 0
    return columns[used] / counts[used]


def _figure(width: float, height: float, panels: int = 1, rows: int = 1) -> tuple[Any, Any]:
    """Inches; panels row by row. Without pyplot: nothing global, no window."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, -(-panels // rows))
    return figure, np.ravel(axes) if panels > 1 else axes


def _save(figure: Any, png: Path) -> None:
    with whole_file(png) as part:
        figure.savefig(part, dpi=100)
