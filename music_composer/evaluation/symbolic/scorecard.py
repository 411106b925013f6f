"""The figures of generated pieces, beside those of training and held-out music, as records."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from music_composer.errors import ScoreError
from music_composer.evaluation.symbolic.copying import copied_share, copies_in, index_of
from music_composer.evaluation.symbolic.metrics import BARS, METRICS, measure_all, overlaps
from music_composer.evaluation.symbolic.scorecard_records import (
    CopyFigures,
    CopyingFigures,
    Counts,
    MetricFigures,
    Scorecard,
)
from music_composer.symbolic.dataset.songs import Song


def scorecard_of(
    generated: Sequence[Song], training: Sequence[Song], held_out: Sequence[Song], seed: int
) -> tuple[Scorecard, dict[str, np.ndarray]]:
    """The figures, and the measurements behind them, (segments, metrics) for each of generated, training and held_out.

    Raises ScoreError where one of the three has no segment that is long enough.
    """
    groups = {"generated": generated, "training": training, "held_out": held_out}
    measured = {name: measure_all([song.roll for song in songs]) for name, songs in groups.items()}
    for name, rows in measured.items():
        if not len(rows):
            count, group = len(groups[name]), name.replace("_", " ")
            raise ScoreError(f"all {count} pieces ({group}) are shorter than {BARS} bars: give longer ones to measure")
    card = Scorecard(
        pieces=Counts(len(generated), len(training), len(held_out)),
        segments=Counts(**{name: len(rows) for name, rows in measured.items()}),
        metrics=_metrics(measured, seed),
        copying=_copying(generated, training, held_out, seed),
    )
    return card, measured


def _metrics(measured: Mapping[str, np.ndarray], seed: int) -> tuple[MetricFigures, ...]:
    """Means, and overlaps with the held-out music: of the generated music, and of as many training segments."""
    rng, count = np.random.default_rng(seed), min(len(measured["generated"]), len(measured["training"]))
    # Sets of equal size: the overlap of a larger set is higher by itself.
    generated, training = (rng.permutation(measured[name])[:count] for name in ("generated", "training"))
    found = overlaps(generated, measured["held_out"]), overlaps(training, measured["held_out"])
    means = {name: [_mean(column) for column in rows.T] for name, rows in measured.items()}
    return tuple(
        MetricFigures(
            metric,
            **{name: means[name][i] for name in measured},
            overlap_generated=float(found[0][i]),
            overlap_training=float(found[1][i]),
        )
        for i, metric in enumerate(METRICS)
    )


def _copying(
    generated: Sequence[Song], training: Sequence[Song], held_out: Sequence[Song], seed: int
) -> CopyingFigures:
    """Copies of training music in the generated and in the held-out music."""
    index = index_of([song.roll.active for song in training])

    def copies(songs: Sequence[Song]) -> CopyFigures:
        found = [copies_in(song.roll.active, index) for song in songs]
        longest = max(range(len(found)), key=lambda i: found[i].run)
        figures, run = CopyFigures(*copied_share(found, seed), longest_steps=found[longest].run), found[longest]
        if not run.run:
            return figures
        piece, source = songs[longest].source, training[run.source].source
        return dataclasses.replace(figures, piece=piece, at=run.at, source=source, source_at=run.source_at)

    return CopyingFigures(generated=copies(generated), held_out=copies(held_out))


def _mean(column: np.ndarray) -> float | None:
    """The mean of the defined values; None without one."""
    found = column[~np.isnan(column)]
    return float(found.mean()) if len(found) else None
