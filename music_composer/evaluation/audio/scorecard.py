"""The scorecard: every figure of a set of continuations, beside the rulers that say what the figure is worth.

Rulers are real music that was not trained on, the same after frames and back, and the ladder of known damage. All
readings are taken at equal counts of windows, since small sets read too far by a Frechet distance.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from music_composer.evaluation.audio.analysis import (
    Analysis,
    MetricOptions,
    ReferenceStatistics,
    Span,
    reference_statistics_of,
)
from music_composer.evaluation.audio.comparison import Trials, adherence_figures, order_rows
from music_composer.evaluation.audio.continuity_scores import Cuts, prompt_rows
from music_composer.evaluation.audio.distances import degradation_rows, distance_row, minute_rows
from music_composer.evaluation.audio.scorecard_records import (
    CopyFigures,
    CopyingFigures,
    FolderFacts,
    ReferenceSize,
    RunFacts,
    Scorecard,
    StabilityFigures,
)
from music_composer.evaluation.audio.signal.drift import loudness_slope, silence_seconds, stability
from music_composer.evaluation.audio.similarity.copying import NO_COPY, longest_copy
from music_composer.evaluation.audio.structure.loops import is_loop, is_stuck, most_repeated

LONG_SECONDS = 120.0  # what is at least so long is judged minute by minute
SPARE_SILENCE = 5.0  # seconds of it beyond the music's own


@dataclasses.dataclass(frozen=True)
class AnalyzedMusic:
    """What is judged, and what it is judged by.

    training: what was learnt from. real: music of the same kind that was not. made: what is judged; what is longer than
    LONG_SECONDS is judged minute by minute too. codec: real music after frames and back; may be empty. coded_training:
    training music after frames and back, see `reference_statistics_of`. trials: what is judged in its order. cut: new
    music whose beginning is judged; None for `made`. jumps: places at which its player jumped.
    """

    training: Sequence[Analysis]
    real: Sequence[Analysis]
    made: Sequence[Analysis]
    codec: Sequence[Analysis] = ()
    coded_training: Sequence[Analysis] = ()
    trials: Trials = dataclasses.field(default_factory=Trials)
    cut: Sequence[Span] | None = None
    jumps: Cuts = ()


def scorecard_of(music: AnalyzedMusic, metrics: MetricOptions, facts: RunFacts | FolderFacts) -> Scorecard:
    """All figures; a part that there is too little music for is None. facts: what is said beside them.

    Raises MusicComposerError when there is too little music for distances.
    """
    training, real, trials = music.training, music.real, music.trials
    statistics = reference_statistics_of(training, metrics, music.coded_training)
    windows = sum(len(each.features) for each in real)
    long = [each for each in music.made if len(each.course) * metrics.drift.window_seconds >= LONG_SECONDS]
    # Baselines with fewer windows than that have no Frechet distance.
    sets = _sets_of(music, long, least=metrics.distance.components + 1)
    rungs, failed = degradation_rows([each.span for each in real], statistics, metrics)
    cut = [each.span for each in music.made] if music.cut is None else music.cut
    return Scorecard(
        windows_compared=windows,
        distance=tuple(distance_row(name, each, statistics, metrics, windows) for name, each in sets.items()),
        degradations=rungs,
        degradations_not_in_order=failed,
        minutes=minute_rows(long, statistics, metrics) if long else None,
        stability=stability_row(long, training, statistics, metrics) if long else None,
        copying=CopyingFigures(
            real=copying_rows(real, statistics, metrics), generated=copying_rows(music.made, statistics, metrics)
        ),
        adherence=adherence_figures(trials, metrics),
        order=order_rows(real, training, trials, metrics),
        continuity=prompt_rows(cut, music.jumps, [each.span for each in real], metrics),
        reference=ReferenceSize(recordings=len(training), windows=len(statistics.kernel.points)),
        facts=facts,
    )


def _sets_of(music: AnalyzedMusic, long: Sequence[Analysis], least: int) -> dict[str, Sequence[Analysis]]:
    """The sets of music whose distance is measured, by name, real music first. Small baselines are left out."""
    short = [each for each in music.made if each not in long]
    sets = {"real, held out": music.real, "real, through the codec": music.codec}
    sets |= {"continuations": short, "long continuations": long}
    baselines = {name: each for name, each in music.trials.played.items() if name not in sets}
    sets |= {name: each for name, each in baselines.items() if sum(len(one.features) for one in each) >= least}
    return {name: each for name, each in sets.items() if each}


def stability_row(
    analyses: Sequence[Analysis], training: Sequence[Analysis], statistics: ReferenceStatistics, metrics: MetricOptions
) -> StabilityFigures:
    """What share of long recordings stays stable, loops, or falls silent, and how their level moves.

    Beside the loops stands how often training music of that length, song after song, repeats itself.
    Raises MusicComposerError when one is shorter than two segments of ten seconds.
    """
    silence = statistics.envelope.silence
    # Music rests, so only silence longer than its longest rest counts.
    rest = max(silence_seconds(each.course, silence, metrics.drift) for each in training)
    judged = [stability(each.course, statistics.envelope, metrics.drift) for each in analyses]
    rate = metrics.copying.spectrum.frames_per_second
    loops = [most_repeated(each.semitones, rate, metrics.loops) for each in analyses]
    longest = max(len(each.semitones) for each in analyses)
    music = np.concatenate([each.semitones for each in training])[:longest]
    silent = [silence_seconds(each.course, silence, metrics.drift) for each in analyses]
    slopes = [loudness_slope(each.course, metrics.drift) for each in analyses]
    return StabilityFigures(
        recordings=len(analyses),
        stable=float(np.mean([each.stable for each in judged])),
        # A segment may leave the range in several figures. The largest of their counts is taken, a lower bound.
        segments_outside=float(np.mean([max(s.loudness, s.flatness, s.high_ratio) / s.segments for s in judged])),
        loop=float(np.mean([is_loop(each, metrics.loops) for each in loops])),
        stuck=float(np.mean([is_stuck(each, metrics.loops) for each in loops])),
        most_in_a_row=max(each.in_a_row for each in loops),
        most_repeated=max(each.times for each in loops),
        most_repeated_in_music=most_repeated(music, rate, metrics.loops).times,
        silent=float(np.mean([seconds > rest + SPARE_SILENCE for seconds in silent])),
        longest_silence_s=max(silent),
        slope_db_per_minute=float(np.mean(slopes)),
        steepest_db_per_minute=float(max(slopes, key=abs)),
    )


def copying_rows(
    analyses: Sequence[Analysis], statistics: ReferenceStatistics, metrics: MetricOptions
) -> tuple[CopyFigures, ...]:
    """The longest run of each recording that is aligned to a training recording, longest first.

    Seconds are those of the file, but for a trimmed span: there they count from its first sound.
    """
    rows = []
    for each in analyses:
        copy = longest_copy(each.semitones, statistics.library, metrics.copying)
        rows.append(
            CopyFigures(
                recording=each.span.path.name,
                file=str(each.span.path),
                seconds=copy.seconds,
                at=each.span.start + copy.start,
                source="" if copy == NO_COPY else statistics.sources[copy.source].path.name,
                source_at=0.0 if copy == NO_COPY else copy.source_start + statistics.sources[copy.source].start,
                semitones=copy.shift,
            )
        )
    return tuple(sorted(rows, key=lambda row: -row.seconds))
