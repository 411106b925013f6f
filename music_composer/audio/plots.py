"""Pictures of sound: spectrograms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from music_composer.audio.options import FrameOptions
from music_composer.audio.reading.recording import read_blocks, seconds_of
from music_composer.audio.spectrogram import band_centres, blocks_to_bands
from music_composer.reports.plots import figure_of, save

COLUMNS = 1000  # of a spectrogram, however long the recording
LOUD_NEPERS, QUIET_NEPERS = -2.0, -9.0  # ends of the colour scale
TICKS = (200, 500, 1000, 2000, 5000, 10000, 20000)  # Hz


def plot_spectrogram(
    wav: Path,
    png: Path,
    options: FrameOptions,
    cuts: Sequence[float] = (),
    copied: Sequence[tuple[float, float]] = (),
) -> None:
    """Draws the bands of a recording over time. Memory does not grow with its length.

    cuts: seconds at which a line marks where new music begins or ends. copied: spans (from, to) to mark, in seconds.
    """
    seconds = seconds_of(wav)
    picture = columns_of(wav, options)
    figure, axes = figure_of(10, 3, margins=(0.6, 0.45))
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
    save(figure, png)


def columns_of(wav: Path, options: FrameOptions) -> np.ndarray:
    """Returns the mean bands of the mid channel, (columns, bands) in nepers, at most COLUMNS columns."""
    frames = max(1, round(seconds_of(wav) * options.frames_per_second))
    # The mean, not a sample, of the frames of a column: short events stay visible in long recordings.
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
