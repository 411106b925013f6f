"""Continuations beside what else could follow their prompts: what half seconds, which know no order, do not tell.

Music that jumps loses pulse and boundaries, and a shuffled prompt comes back whole. Each figure stands beside that of
real music, and of baselines that need no network. Where prompts are cut from whole tracks, what truly follows each of
them is known: then a continuation is also compared with that and with other tracks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from music_composer.errors import MusicComposerError
from music_composer.evaluation.audio.analysis import Analysis, MetricOptions, samples_of
from music_composer.evaluation.audio.scorecard_records import AdherenceFigures, OrderFigures, TrackFigures
from music_composer.evaluation.audio.signal.clicks import bandwidth, clicks
from music_composer.evaluation.audio.similarity.adherence import (
    adherence_of,
    character,
    distances,
    share_of_the_way,
    whitening_of,
)
from music_composer.evaluation.audio.structure.novelty import boundaries_a_minute, threshold_of
from music_composer.evaluation.audio.structure.pulse import clarity, onset_strength, steadiness
from music_composer.evaluation.audio.structure.repetition import Repetition, repetition

Array = NDArray[np.floating[Any]]
Levels = NDArray[np.floating[Any]]  # (frames, bands), dB, log-mel
LEAST_TRIALS = 8  # for a verdict
MOST_PIECES = 64  # of each kind that are judged


@dataclass(frozen=True)
class Trials:
    """What is played after each prompt, and what truly follows it.

    prompts: what is gone on from, one for each continuation; empty where nobody knows it. truths, later: what truly
    follows each prompt, and as much after that; empty where prompts are no cuts of whole tracks. played: continuations
    by the name of who plays, in the order of the prompts. seconds: of each that are compared. prompt_seconds: of the
    shortest prompt, where truths are known.
    """

    prompts: Sequence[Analysis] = ()
    truths: Sequence[Analysis] = ()
    later: Sequence[Analysis] = ()
    played: Mapping[str, Sequence[Analysis]] = field(default_factory=dict)
    seconds: float = 30.0
    prompt_seconds: float = 0.0


def adherence_figures(trials: Trials, metrics: MetricOptions) -> AdherenceFigures | None:
    """Whether continuations go on with their own track: see `adherence`. None where fewer than two truths are known, or
    too little of them to tell tracks apart.
    """
    if len(trials.truths) < 2:
        return None

    def characters(played: Sequence[Analysis]) -> list[Array]:
        return [character(_beginning(each, trials.seconds, metrics), metrics.distance) for each in played]

    truths = characters(trials.truths)
    try:
        whitening = whitening_of(truths, metrics.distance)
    except MusicComposerError:
        return None
    # First the later part of the same track: the best that a continuation can reach, and the reference of the others.
    played = {"real: the part after it": trials.later, **trials.played}
    found = {name: adherence_of(distances(characters(each), truths, whitening)) for name, each in played.items()}
    real = next(iter(found.values()))
    rows = []
    for name, adherence in found.items():
        way = share_of_the_way(adherence, real)
        rows.append(
            TrackFigures(
                music=name,
                nearest=adherence.nearest,
                rank=adherence.rank,
                own_over_others=adherence.ratio,
                normalized_rank=_number(way.rank),
                normalized_ratio=_number(way.ratio),
            )
        )
    return AdherenceFigures(
        tracks=len(truths),
        prompt_seconds=trials.prompt_seconds,
        part_seconds=trials.seconds,
        verdict=len(truths) >= LEAST_TRIALS,
        rows=tuple(rows),
    )


def order_rows(
    real: Sequence[Analysis], training: Sequence[Analysis], trials: Trials, metrics: MetricOptions
) -> tuple[OrderFigures, ...]:
    """Pulse, boundaries, repetition and clicks: of real music first. A figure without enough music is None.

    real: held-out music, which is the ruler where no truths are known. All need their levels.
    """
    rate, size = _rate(metrics), round(trials.seconds * _rate(metrics))
    if trials.truths:
        ruler, pieces = _thinned(trials.truths), [each.levels[:size] for each in _thinned(trials.truths)]
    else:
        ruler = _thinned(real)
        pieces = _thinned([each.levels[at : at + size] for each in real for at in range(0, len(each.levels), size)])
    threshold = _threshold(pieces, rate, metrics)
    prompts, library = [each.levels for each in _thinned(trials.prompts)], [each.levels for each in training]
    halves = [_upper_half(each, metrics) for each in ruler]

    def row(
        name: str, analyses: Sequence[Analysis], levels: Sequence[Levels], own: Sequence[Levels], seconds: float
    ) -> OrderFigures:
        above = halves if trials.truths else [float(np.median(halves))] * len(analyses)
        sounds = (_beginning(each, seconds, metrics) for each in analyses)
        figures = order_row(name, levels, own, library, threshold, metrics)
        return replace(figures, clicks_per_minute=clicks_a_minute(sounds, above, metrics))

    if trials.truths:
        rows = [row("real: the true next part", ruler, pieces, prompts, trials.seconds)]
    else:
        rows = [row("real, held out", ruler, pieces, (), float("inf"))]
    for name, played in trials.played.items():
        few = _thinned(played)
        rows.append(row(name, few, [each.levels[:size] for each in few], prompts, trials.seconds))
    return tuple(rows)


def order_row(
    name: str,
    pieces: Sequence[Levels],
    prompts: Sequence[Levels],
    library: Sequence[Levels],
    threshold: float | None,
    metrics: MetricOptions,
) -> OrderFigures:
    """What is told by log-mel levels alone. prompts: one for each piece, or none. library: training music.

    threshold: the novelty from which a peak is a boundary, see `boundaries`; None where that is not known. Clicks are
    none.
    """
    rate, pulse = _rate(metrics), metrics.pulse
    # Levels are kept as float16 to save memory, but sums over them need more digits.
    levels = [piece.astype(np.float32) for piece in pieces]
    onsets = [onset_strength(each, pulse) for each in levels]
    pairs = zip(levels, prompts, strict=True) if prompts else ()
    own = [repetition(each, [prompt], rate, metrics.repetition) for each, prompt in pairs]
    learnt = [repetition(each, library, rate, metrics.repetition) for each in levels]
    turning = float("nan") if threshold is None else boundaries_a_minute(levels, threshold, rate, metrics.boundaries)
    return OrderFigures(
        music=name,
        pieces=len(pieces),
        pulse=_mean_of(lambda each: clarity(each, rate, pulse), onsets, pulse.beat_window * rate),
        steadiness=_mean_of(lambda each: steadiness(each, rate, pulse), onsets, pulse.later_window * rate),
        boundaries_per_minute=_number(turning),
        prompt_repeated=_covered(own),
        training_repeated=_covered(learnt),
        training_longest_s=max((each.longest for each in learnt), default=0.0),
    )


def clicks_a_minute(sounds: Iterable[Array], above_hz: Sequence[float], metrics: MetricOptions) -> float | None:
    """sounds: samples (n,) at the rate of the distance. above_hz: for each, where a click stands out."""
    rate, count, samples = metrics.distance.rate, 0, 0
    for mono, above in zip(sounds, above_hz, strict=True):
        count += len(clicks(mono, rate, above, metrics.clicks))
        samples += len(mono)
    return count / (samples / rate / 60.0) if samples else None


def _beginning(analysis: Analysis, seconds: float, metrics: MetricOptions) -> Array:
    """Samples of the first so many seconds."""
    rate = metrics.distance.rate
    mono = samples_of(analysis.span, rate, metrics)
    return mono[: min(len(mono), round(min(seconds, 1e6) * rate))]  # `seconds` may be infinite


def _upper_half(real: Analysis, metrics: MetricOptions) -> float:
    """Hz above which a click stands out: half the bandwidth of real music; of too little a quarter of the rate."""
    rate = metrics.distance.rate
    mono = samples_of(real.span, rate, metrics)
    return bandwidth(mono, rate, metrics.clicks) / 2 if len(mono) >= 2048 else rate / 4


def _threshold(pieces: Sequence[Array], rate: float, metrics: MetricOptions) -> float | None:
    """None where the real music is too short to have boundaries."""
    try:
        return threshold_of([each.astype(np.float32) for each in pieces], rate, metrics.boundaries)
    except MusicComposerError:
        return None


def _mean_of(figure: Callable[[Array], float], onsets: Sequence[Array], least: float) -> float | None:
    """Over the pieces of so many frames."""
    values = [figure(each) for each in onsets if len(each) >= round(least)]
    return float(np.mean(values)) if values else None


def _covered(found: Sequence[Repetition]) -> float | None:
    shares = [each.covered for each in found if not np.isnan(each.covered)]
    return float(np.mean(shares)) if shares else None


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value


def _thinned(pieces: Sequence[Any]) -> list[Any]:
    return list(pieces[:: -(-len(pieces) // MOST_PIECES)]) if pieces else []


def _rate(metrics: MetricOptions) -> float:
    """Frames of levels a second."""
    return metrics.distance.rate / metrics.distance.hop
