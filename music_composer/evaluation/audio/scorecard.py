"""The scorecard: every figure of a set of continuations, beside the rulers that say what the figure is worth.

Rulers are real music that was not trained on, the same after frames and back, and the ladder of known damage. All
readings are taken at equal counts of windows, since small sets read too far by a Frechet distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from music_composer.evaluation.audio.analysis import (
    Analysis,
    MetricOptions,
    ReferenceStatistics,
    Row,
    Span,
    bands_of,
    movement_of,
    onset_of,
    reference_statistics_of,
    samples_of,
)
from music_composer.evaluation.audio.comparison import Trials, adherence_figures, order_rows
from music_composer.evaluation.audio.continuity_scores import Cuts, prompt_rows
from music_composer.evaluation.audio.signal.degradations import LADDER, Damage
from music_composer.evaluation.audio.signal.drift import loudness_slope, silence_seconds, stability
from music_composer.evaluation.audio.signal.spectra import Array
from music_composer.evaluation.audio.similarity.copying import NO_COPY, longest_copy
from music_composer.evaluation.audio.similarity.features import windows_to_features
from music_composer.evaluation.audio.similarity.frechet_distance import frechet
from music_composer.evaluation.audio.similarity.mmd import discrepancy, discrepancy_interval
from music_composer.evaluation.audio.structure.harmonic_changes import harmonic_changes
from music_composer.evaluation.audio.structure.loops import is_loop, is_stuck, most_repeated

DISTANCES = ("discrepancy", "frechet", "timbre")  # see `_distances`
LONG_SECONDS = 120.0  # what is at least so long is judged minute by minute
RUN_WINDOWS = 20  # of half a second: neighbours are alike, so intervals draw runs of ten seconds
EQUAL_DRAWS = 20  # subsets that a reading at an equal count is the mean of
SPARE_SILENCE = 5.0  # seconds of it beyond the music's own


def scorecard_of(
    training: Sequence[Analysis],
    real: Sequence[Analysis],
    codec: Sequence[Analysis],
    made: Sequence[Analysis],
    metrics: MetricOptions,
    coded_training: Sequence[Analysis] = (),
    trials: Trials | None = None,
    cut: Sequence[Span] | None = None,
    jumps: Cuts = (),
) -> dict[str, Any]:
    """All figures as plain data for JSON; a part that there is too little music for is None.

    training: what was learnt from. real: music of the same kind that was not. codec: the same after frames and back,
    may be empty. made: what is judged; what is longer than LONG_SECONDS is judged minute by minute too.
    coded_training: training music after frames and back, see `reference_statistics_of`. trials: what is judged in its
    order. cut: new music whose beginning is judged; None for `made`. jumps: places at which its player jumped.
    """
    statistics = reference_statistics_of(training, metrics, coded_training)
    windows = sum(len(each.features) for each in real)
    sets = {"real, held out": real, "real, through the codec": codec}
    long = [each for each in made if len(each.course) * metrics.drift.window_seconds >= LONG_SECONDS]
    short = [each for each in made if each not in long]
    sets |= {"continuations": short, "long continuations": long}
    trials, least = trials or Trials(), metrics.distance.components + 1
    toys = {name: each for name, each in trials.played.items() if name not in sets}
    sets |= {name: each for name, each in toys.items() if sum(len(toy.features) for toy in each) >= least}
    rungs, failed = ladder_rows([each.span for each in real], statistics, metrics)
    return {
        "windows_compared": windows,
        "distance": [distance_row(name, each, statistics, metrics, windows) for name, each in sets.items() if each],
        "ladder": rungs,
        "ladder_not_in_order": failed,
        "minutes": minute_rows(long, statistics, metrics) if long else None,
        "survival": survival_row(long, training, statistics, metrics) if long else None,
        "copying": {
            "real": copying_rows(real, statistics, metrics),
            "made": copying_rows(made, statistics, metrics),
        },
        "adherence": adherence_figures(trials, metrics),
        "order": order_rows(real, training, trials, metrics),
        "prompt": prompt_rows(
            [each.span for each in made] if cut is None else cut, jumps, [each.span for each in real], metrics
        ),
        "yardstick": {"recordings": len(training), "windows": len(statistics.kernel.points)},
    }


def distance_row(
    name: str, heard: Sequence[Analysis], statistics: ReferenceStatistics, metrics: MetricOptions, windows: int = 0
) -> Row:
    """Distances at `windows` windows (0: all there are), the interval of one, movement, turns and level.

    Raises MusicComposerError when there are too few windows.
    """
    loudness = np.concatenate([each.course.loudness for each in heard])
    seconds = sum(len(each.semitones) for each in heard) / metrics.copying.spectrum.frames_per_second
    threshold, options = statistics.change_threshold, metrics.harmonic_changes
    changes = sum(len(harmonic_changes(each.semitones, threshold, options)) for each in heard)
    side, mid = np.sum([each.width for each in heard], axis=0)
    return {
        "music": name,
        "recordings": len(heard),
        **_distances([each.features for each in heard], statistics, metrics, windows),
        "turns_per_second": changes / seconds,
        "loudness_db": _mean_level(loudness),
        "side_db": float(10.0 * np.log10(max(side, 1e-12) / max(mid, 1e-12))),
    }


def ladder_rows(
    real: Sequence[Span], statistics: ReferenceStatistics, metrics: MetricOptions
) -> tuple[list[Row], list[str]]:
    """The real music under known damage, and the names of the measures that fail to put a family of it in order."""
    rate = metrics.distance.rate
    sounds = [samples_of(span, rate, metrics) for span in real]

    def row(name: str, damage: Damage) -> Row:
        rng = np.random.default_rng(0)
        features = [windows_to_features(damage(sound, rate, rng), metrics.distance) for sound in sounds]
        return {"music": name, **_distances(features, statistics, metrics, 0)}

    clean = row("no damage", lambda samples, rate, rng: samples)
    rows, failed = [clean], []
    for family, steps in LADDER.items():
        worse = [row(f"{family}, {words}", damage) for words, damage in steps.items()]
        rows += worse
        for measure in DISTANCES:
            values = [each[measure] for each in (clean, *worse)]
            if values != sorted(values):
                failed.append(f"{measure} ({family})")
    return rows, failed


def minute_rows(heard: Sequence[Analysis], statistics: ReferenceStatistics, metrics: MetricOptions) -> list[Row]:
    """Distance, movement, level and noisiness of each whole minute of all long recordings together."""
    per_minute = round(60.0 / metrics.distance.window_seconds)
    shortest = min((len(each.features) for each in heard), default=0)
    rows = []
    for minute in range(-(-shortest // per_minute)):
        pieces = [each.features[minute * per_minute : (minute + 1) * per_minute] for each in heard]
        if min(map(len, pieces)) < per_minute // 2:
            break
        features = np.concatenate(pieces)
        within = slice(minute * per_minute, (minute + 1) * per_minute)
        means = [_mean_level(each.course.loudness[within]) for each in heard]
        rows.append(
            {
                "minute": minute + 1,
                "discrepancy": discrepancy(statistics.kernel, statistics.whitened(features)),
                "frechet": frechet(statistics.texture, statistics.scale(features)),
                "timbre": frechet(statistics.timbre, bands_of(features, metrics)),
                "change_db": movement_of(features, metrics),
                "loudness_db": float(np.mean(means)),
                "quietest_db": min(means),
                "loudest_db": max(means),
                "flatness_db": float(np.mean([each.course.flatness[within].mean() for each in heard])),
                "high_ratio_db": float(np.mean([each.course.high_ratio[within].mean() for each in heard])),
            }
        )
    return rows


def survival_row(
    heard: Sequence[Analysis], training: Sequence[Analysis], statistics: ReferenceStatistics, metrics: MetricOptions
) -> Row:
    """What share of long recordings stays music, loops, or falls silent, and how their level moves.

    Beside the loops stands how often training music of that length, song after song, repeats itself.
    Raises MusicComposerError when one is shorter than two stretches of ten seconds.
    """
    silence = statistics.envelope.silence
    rest = max(silence_seconds(each.course, silence, metrics.drift) for each in training)
    judged = [stability(each.course, statistics.envelope, metrics.drift) for each in heard]
    rate = metrics.copying.spectrum.frames_per_second
    loops = [most_repeated(each.semitones, rate, metrics.loops) for each in heard]
    longest = max(len(each.semitones) for each in heard)
    music = np.concatenate([each.semitones for each in training])[:longest]
    silent = [silence_seconds(each.course, silence, metrics.drift) for each in heard]
    slopes = [loudness_slope(each.course, metrics.drift) for each in heard]
    return {
        "recordings": len(heard),
        "survive": float(np.mean([each.stable for each in judged])),
        "stretches_outside": float(np.mean([max(s.loudness, s.flatness, s.high_ratio) / s.segments for s in judged])),
        "loop": float(np.mean([is_loop(each, metrics.loops) for each in loops])),
        "caught": float(np.mean([is_stuck(each, metrics.loops) for each in loops])),
        "most_in_a_row": max(each.in_a_row for each in loops),
        "most_repeated": max(each.times for each in loops),
        "most_repeated_in_music": most_repeated(music, rate, metrics.loops).times,
        "silent": float(np.mean([seconds > rest + SPARE_SILENCE for seconds in silent])),
        "longest_silence_s": max(silent),
        "slope_db_per_minute": float(np.mean(slopes)),
        "steepest_db_per_minute": float(max(slopes, key=abs)),
    }


def copying_rows(heard: Sequence[Analysis], statistics: ReferenceStatistics, metrics: MetricOptions) -> list[Row]:
    """The longest run of each recording that is aligned to a training recording, longest first.

    Seconds are those of the file, but for a trimmed span: there they count from its first sound.
    """
    rows = []
    for each in heard:
        copy = longest_copy(each.semitones, statistics.library, metrics.copying)
        rows.append(
            {
                "recording": each.span.path.name,
                "file": str(each.span.path),
                "seconds": copy.seconds,
                "at": each.span.start + copy.start,
                "source": "" if copy == NO_COPY else statistics.sources[copy.source].path.name,
                "source_at": 0.0 if copy == NO_COPY else copy.source_start + statistics.sources[copy.source].start,
                "semitones": copy.shift,
            }
        )
    return sorted(rows, key=lambda row: -row["seconds"])


def _distances(
    features: Sequence[NDArray[np.float32]], statistics: ReferenceStatistics, metrics: MetricOptions, windows: int
) -> Row:
    """Of the features (windows, features) of some recordings."""
    everything = np.concatenate(features)
    runs = [each[at : at + RUN_WINDOWS] for each in features for at in range(0, len(each), RUN_WINDOWS)]
    rng = np.random.default_rng(0)
    equal = 0 < windows < len(everything)
    subsets = [_draw(runs, windows, rng) for _ in range(EQUAL_DRAWS)] if equal else [everything]
    low, high = discrepancy_interval(statistics.kernel, [statistics.whitened(run) for run in runs], rng)
    return {
        "windows": len(everything),
        "discrepancy": discrepancy(statistics.kernel, statistics.whitened(everything)),
        "low": low,
        "high": high,
        "frechet": float(np.mean([frechet(statistics.texture, statistics.scale(subset)) for subset in subsets])),
        "timbre": float(np.mean([frechet(statistics.timbre, bands_of(subset, metrics)) for subset in subsets])),
        "at_windows": len(subsets[0]),
        "change_db": movement_of(everything, metrics),
        "onset_db": onset_of(everything, metrics),
    }


def _mean_level(loudness: Array) -> float:
    """dB of the mean power of windows in dB."""
    power: NDArray[np.float64] = 10.0 ** (np.asarray(loudness, np.float64) / 10.0)
    return float(10.0 * np.log10(power.mean()))


def _draw(runs: Sequence[Array], windows: int, rng: np.random.Generator) -> Array:
    """So many windows, in whole runs drawn without replacement (the last one cut)."""
    mixed = [runs[i] for i in rng.permutation(len(runs))]
    return np.concatenate(mixed)[:windows]
