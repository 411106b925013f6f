"""The scorecard of symbolic music for readers: tables, and a summary."""

from __future__ import annotations

from collections.abc import Mapping

from music_composer.evaluation.symbolic.copying import WINDOW
from music_composer.evaluation.symbolic.metrics import BARS
from music_composer.evaluation.symbolic.scorecard_records import CopyFigures, LikelihoodFigures, ModelFacts, Scorecard
from music_composer.progress import duration
from music_composer.reports.tables import Table
from music_composer.symbolic.options import SAMPLING_FIELDS


def summary_of(card: Scorecard) -> str:
    """A summary in two sentences."""
    return f"{likeness_words(card)}. {copying_words(card)}."


def likeness_words(card: Scorecard) -> str:
    """A sentence on how like the held-out music the generated music is."""
    # Nine tenths is the aim of docs/evaluation.md: training music itself overlaps with held-out music by less than 1.
    near = sum(row.overlap_generated >= 0.9 * row.overlap_training for row in card.metrics)
    return (
        f"By {near} of {len(card.metrics)} measures the {card.pieces.generated} pieces reach nine tenths of the "
        "training music's likeness to the held-out music"
    )


def copying_words(card: Scorecard) -> str:
    """A sentence on how much of the generated music is copied."""
    made, held_out = (100 * copies.share for copies in (card.copying.generated, card.copying.held_out))
    return (
        f"{made:.1f} % of their windows of {WINDOW} steps occur in the training music note by note; of the held-out "
        f"music, {held_out:.1f} %"
    )


def tables_of(card: Scorecard) -> list[Table]:
    """All tables of a scorecard, as text."""
    tables = [_metrics_table(card), _copying_table(card)]
    if card.facts:
        tables.append(_model_table(card.facts, card.likelihood or {}))
    return tables


def _metrics_table(card: Scorecard) -> Table:
    columns = ["measure", "composed", "training", "held out", "overlap with held out", "of training music", "ratio"]
    rows = [
        [
            row.metric, *(_number(mean) for mean in (row.generated, row.training, row.held_out)),
            f"{row.overlap_generated:.2f}", f"{row.overlap_training:.2f}",
            f"{row.overlap_generated / max(row.overlap_training, 1e-9):.2f} x",
        ]
        for row in card.metrics
    ]  # fmt: skip
    segments = card.segments
    words = (
        f"means over segments of {BARS} bars ({segments.generated} composed, {segments.training} training, "
        f"{segments.held_out} held out), and the areas under both densities"
    )
    return Table("Measures", words, columns, rows)


def _copying_table(card: Scorecard) -> Table:
    rows = []
    for name, row in (("composed", card.copying.generated), ("held out", card.copying.held_out)):
        interval = f"{100 * row.low:.1f} to {100 * row.high:.1f} %"
        rows.append([name, f"{100 * row.share:.1f} %", interval, f"{row.longest_steps} steps", _where(row)])
    words = f"windows of {WINDOW} steps that occur in the training music, in any key"
    return Table("Copying", words, ["music", "windows", "95 % interval", "longest run", "where"], rows)


def _model_table(facts: ModelFacts, likelihood: Mapping[str, LikelihoodFigures]) -> Table:
    rows = [["composing", f"{duration(facts.elapsed)}: {facts.x_real_time:.0f} x real time"]]
    rows += [[name.replace("_", "-"), f"{getattr(facts, name):g}"] for name in SAMPLING_FIELDS]
    for name, nats in likelihood.items():
        rows.append([f"likelihood, {name}", f"{-nats.per_step:.3f} nats a step, {-nats.per_note:.3f} a note"])
    return Table("Model", "on this machine", ["what", "reading"], rows)


def _where(row: CopyFigures) -> str:
    if row.piece is None:
        return ""
    return f"{row.piece} at step {row.at} is {row.source} at step {row.source_at}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
