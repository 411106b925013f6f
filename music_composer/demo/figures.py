"""The figures of the demonstration's continuations: the order-sensitive rows of `evaluate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from music_composer.evaluation.audio.analysis import MetricOptions, Span, analyze
from music_composer.evaluation.audio.comparison import Trials, order_rows
from music_composer.evaluation.audio.report import order_table
from music_composer.reports.tables import Table


def figures_of(
    training: Sequence[Path],
    prompts: Sequence[Path],
    truths: Sequence[Path],
    played: Mapping[str, Sequence[tuple[Path, float]]],
    seconds: float,
) -> Table:
    """The figures of continuations, relative to those of the composer's own continuations.

    training: the training songs. prompts, truths: the prompts, and the songs they begin. played: by the name of the
    player, a WAV for each prompt and the second at which its new music begins. seconds: of each that are compared.
    """
    metrics = MetricOptions()
    trials = Trials(
        prompts=[analyze(Span(path), metrics) for path in prompts],
        truths=[analyze(Span(path), metrics) for path in truths],
        played={name: [analyze(Span(*each), metrics) for each in files] for name, files in played.items()},
        seconds=seconds,
    )
    return order_table(order_rows([], [analyze(Span(path), metrics) for path in training], trials, metrics))
