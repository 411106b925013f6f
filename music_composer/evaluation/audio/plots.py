"""Pictures of a scorecard: the course of minutes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from music_composer.evaluation.audio.scorecard_records import MinuteFigures, MusicFigures
from music_composer.reports.plots import figure_of, save


def plot_minutes(rows: Sequence[MinuteFigures], real: MusicFigures, png: Path) -> None:
    """Draws distance and level of long continuations minute by minute, beside those of held-out music."""
    figure, axes = figure_of(10, 3, panels=2)
    minutes = [row.minute for row in rows]
    axes[0].plot(minutes, [row.discrepancy for row in rows], marker=".", label="continuations")
    axes[0].axhline(real.discrepancy, color="gray", linestyle="--", label="real, held out")
    axes[0].set_ylabel("discrepancy")
    axes[0].set_ylim(bottom=min(0, *(row.discrepancy for row in rows)))
    axes[1].plot(minutes, [row.loudness_db for row in rows], marker=".", label="continuations, mean")
    axes[1].fill_between(
        minutes, [row.quietest_db for row in rows], [row.loudest_db for row in rows], alpha=0.2, label="range"
    )
    axes[1].axhline(real.loudness_db, color="gray", linestyle="--", label="real, held out")
    axes[1].set_ylabel("level, dB")
    for panel in axes:
        panel.set_xlabel("minute")
        panel.grid(alpha=0.3)
        panel.legend()
    save(figure, png)
