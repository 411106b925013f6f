"""How far music is from the training music: whole sets, real music under known damage, and minute by minute.

Distances are taken at equal counts of windows, since small sets read too far by a Frechet distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from music_composer.evaluation.audio.analysis import (
    Analysis,
    MetricOptions,
    ReferenceStatistics,
    Span,
    bands_of,
    movement_of,
    onset_of,
    samples_of,
)
from music_composer.evaluation.audio.scorecard_records import Distances, MinuteFigures, MusicFigures
from music_composer.evaluation.audio.signal.degradations import DEGRADATIONS, Damage
from music_composer.evaluation.audio.signal.spectra import Array
from music_composer.evaluation.audio.similarity.features import windows_to_features
from music_composer.evaluation.audio.similarity.frechet_distance import frechet
from music_composer.evaluation.audio.similarity.mmd import discrepancy, discrepancy_interval
from music_composer.evaluation.audio.structure.harmonic_changes import harmonic_changes

MEASURES = MappingProxyType(  # the distances of a row, as people read them
    {"discrepancy": "discrepancy", "frechet": "Frechet", "frechet_bands": "bands alone"}
)
RUN_WINDOWS = 20  # of half a second: neighbours are alike, so intervals draw runs of ten seconds
EQUAL_DRAWS = 20  # subsets that a reading at an equal count is the mean of


def distance_row(
    name: str, analyses: Sequence[Analysis], statistics: ReferenceStatistics, metrics: MetricOptions, windows: int = 0
) -> MusicFigures:
    """Distances at `windows` windows (0: all there are), the interval of one, movement, harmonic changes and level.

    Raises MusicComposerError when there are too few windows.
    """
    loudness = np.concatenate([each.course.loudness for each in analyses])
    seconds = sum(len(each.semitones) for each in analyses) / metrics.copying.spectrum.frames_per_second
    threshold, options = statistics.change_threshold, metrics.harmonic_changes
    changes = sum(len(harmonic_changes(each.semitones, threshold, options)) for each in analyses)
    side, mid = np.sum([each.width for each in analyses], axis=0)
    return MusicFigures(
        **vars(_distances(name, [each.features for each in analyses], statistics, metrics, windows)),
        recordings=len(analyses),
        harmonic_changes_per_second=changes / seconds,
        loudness_db=_mean_level(loudness),
        side_db=float(10.0 * np.log10(max(side, 1e-12) / max(mid, 1e-12))),  # of mono and of silence finite
    )


def degradation_rows(
    real: Sequence[Span], statistics: ReferenceStatistics, metrics: MetricOptions
) -> tuple[tuple[Distances, ...], tuple[str, ...]]:
    """The real music under known damage, and the names of the measures that fail to put a family of it in order."""
    rate = metrics.distance.rate
    sounds = [samples_of(span, rate, metrics) for span in real]

    def row(name: str, damage: Damage) -> Distances:
        rng = np.random.default_rng(0)  # the same noise at every level, so that levels compare
        features = [windows_to_features(damage(sound, rate, rng), metrics.distance) for sound in sounds]
        return _distances(name, features, statistics, metrics, 0)

    clean = row("no damage", lambda samples, rate, rng: samples)
    rows, failed = [clean], []
    for family, steps in DEGRADATIONS.items():
        worse = [row(f"{family}, {words}", damage) for words, damage in steps.items()]
        rows += worse
        for measure, words in MEASURES.items():
            values = [getattr(each, measure) for each in (clean, *worse)]
            if values != sorted(values):
                failed.append(f"{words} ({family})")
    return tuple(rows), tuple(failed)


def minute_rows(
    analyses: Sequence[Analysis], statistics: ReferenceStatistics, metrics: MetricOptions
) -> tuple[MinuteFigures, ...]:
    """Distance, movement, level and noisiness of each whole minute of all long recordings together."""
    per_minute = round(60.0 / metrics.distance.window_seconds)
    shortest = min((len(each.features) for each in analyses), default=0)
    rows = []
    for minute in range(-(-shortest // per_minute)):
        pieces = [each.features[minute * per_minute : (minute + 1) * per_minute] for each in analyses]
        # A last minute of less than half its length would be read from too few windows.
        if min(map(len, pieces)) < per_minute // 2:
            break
        features = np.concatenate(pieces)
        within = slice(minute * per_minute, (minute + 1) * per_minute)
        means = [_mean_level(each.course.loudness[within]) for each in analyses]
        rows.append(
            MinuteFigures(
                minute=minute + 1,
                discrepancy=discrepancy(statistics.kernel, statistics.whitened(features)),
                frechet=frechet(statistics.features, statistics.scale(features)),
                frechet_bands=frechet(statistics.bands, bands_of(features, metrics)),
                change_db=movement_of(features, metrics),
                loudness_db=float(np.mean(means)),
                quietest_db=min(means),
                loudest_db=max(means),
                flatness_db=float(np.mean([each.course.flatness[within].mean() for each in analyses])),
                high_ratio_db=float(np.mean([each.course.high_ratio[within].mean() for each in analyses])),
            )
        )
    return tuple(rows)


def _distances(
    name: str,
    features: Sequence[NDArray[np.float32]],
    statistics: ReferenceStatistics,
    metrics: MetricOptions,
    windows: int,
) -> Distances:
    """Of the features (windows, features) of some recordings."""
    everything = np.concatenate(features)
    runs = [each[at : at + RUN_WINDOWS] for each in features for at in range(0, len(each), RUN_WINDOWS)]
    rng = np.random.default_rng(0)  # a reading of the same music never differs
    equal = 0 < windows < len(everything)
    subsets = [_draw(runs, windows, rng) for _ in range(EQUAL_DRAWS)] if equal else [everything]
    low, high = discrepancy_interval(statistics.kernel, [statistics.whitened(run) for run in runs], rng)
    return Distances(
        music=name,
        windows=len(everything),
        discrepancy=discrepancy(statistics.kernel, statistics.whitened(everything)),
        low=low,
        high=high,
        frechet=float(np.mean([frechet(statistics.features, statistics.scale(subset)) for subset in subsets])),
        frechet_bands=float(np.mean([frechet(statistics.bands, bands_of(subset, metrics)) for subset in subsets])),
        at_windows=len(subsets[0]),
        change_db=movement_of(everything, metrics),
        onset_db=onset_of(everything, metrics),
    )


def _mean_level(loudness: Array) -> float:
    """dB of the mean power of windows in dB."""
    power: NDArray[np.float64] = 10.0 ** (np.asarray(loudness, np.float64) / 10.0)
    return float(10.0 * np.log10(power.mean()))


def _draw(runs: Sequence[Array], windows: int, rng: np.random.Generator) -> Array:
    """So many windows, in whole runs drawn without replacement (the last one cut)."""
    mixed = [runs[i] for i in rng.permutation(len(runs))]
    return np.concatenate(mixed)[:windows]
