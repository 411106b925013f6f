"""Analyses recordings once for all metrics, and computes the statistics of the training set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from music_composer.audio.reading.recording import is_silent, mono_blocks, mono_samples, side_and_mid, survey
from music_composer.data.folder import recordings_in
from music_composer.errors import MusicComposerError, RecordingError
from music_composer.evaluation.audio.signal.clicks import ClickOptions
from music_composer.evaluation.audio.signal.drift import Course, DriftOptions, Envelope, course_of_blocks, envelope_of
from music_composer.evaluation.audio.signal.semitones import semitones_of_blocks
from music_composer.evaluation.audio.signal.spectra import Array
from music_composer.evaluation.audio.similarity.copying import CopyOptions, Library, library_of
from music_composer.evaluation.audio.similarity.features import STRONGEST_ONSET, Scale, described_blocks, scale_of
from music_composer.evaluation.audio.similarity.frechet_distance import DistanceOptions, Reference, reference_of
from music_composer.evaluation.audio.similarity.mmd import Kernel, kernel_of
from music_composer.evaluation.audio.structure.boundary_continuity import ContinuityOptions
from music_composer.evaluation.audio.structure.harmonic_changes import HarmonicChangeOptions, threshold_of
from music_composer.evaluation.audio.structure.loops import LoopOptions
from music_composer.evaluation.audio.structure.novelty import BoundaryOptions
from music_composer.evaluation.audio.structure.pulse import PulseOptions
from music_composer.evaluation.audio.structure.repetition import RepetitionOptions


@dataclass(frozen=True)
class MetricOptions:
    """The options of all metrics. Two scorecards compare only under equal options."""

    distance: DistanceOptions = field(default_factory=DistanceOptions)
    drift: DriftOptions = field(default_factory=DriftOptions)
    loops: LoopOptions = field(default_factory=LoopOptions)
    copying: CopyOptions = field(default_factory=CopyOptions)
    continuity: ContinuityOptions = field(default_factory=ContinuityOptions)
    harmonic_changes: HarmonicChangeOptions = field(default_factory=HarmonicChangeOptions)
    pulse: PulseOptions = field(default_factory=PulseOptions)
    boundaries: BoundaryOptions = field(default_factory=BoundaryOptions)
    repetition: RepetitionOptions = field(default_factory=RepetitionOptions)
    clicks: ClickOptions = field(default_factory=ClickOptions)


@dataclass(frozen=True)
class Span:
    """A span of a recording, in seconds. trim: leave out silence at the recording's own ends."""

    path: Path
    start: float = 0.0
    stop: float = float("inf")
    trim: bool = False


@dataclass(frozen=True)
class Analysis:
    """Everything that the metrics need of a span.

    features: (windows, features), see `features`. semitones: (frames, rows), dB. course: see `drift`. width: energy of
    side and mid, see `side_and_mid`. levels: (frames, bands), dB, log-mel; empty where they were not requested.
    """

    span: Span
    features: NDArray[np.float32]
    semitones: NDArray[np.float32]
    course: Course
    width: NDArray[np.float64]
    levels: NDArray[np.float16]


@dataclass(frozen=True)
class ReferenceStatistics:
    """Statistics of the training set.

    scale: of the features. features, bands: Gaussians of the scaled features, and of the unscaled bands alone.
    change_threshold: the novelty from which a peak is a harmonic change, see `harmonic_changes`.
    """

    scale: Scale
    features: Reference
    bands: Reference
    kernel: Kernel
    envelope: Envelope
    library: Library
    change_threshold: float
    sources: tuple[Span, ...]

    def whitened(self, features: Array) -> NDArray[np.float64]:
        """Maps features (windows, features) to coordinates in which the training set has unit covariance."""
        whitened: NDArray[np.float64] = (self.scale(features) - self.features.mean) @ self.features.projection
        return whitened


def lengths_in(folder: Path, say: Callable[[str], None], silent: bool = False) -> dict[Path, float]:
    """Returns the seconds of each recording in a folder. Unreadable files are reported and left out.

    silent: whether silent recordings count too. Raises RecordingError when nothing can be read.
    """
    lengths: dict[Path, float] = {}
    paths = recordings_in(folder, make=False, ours=True, say=lambda note: say(f"note: {note}"))
    for path in paths:
        try:
            found = survey(path)
        except RecordingError as error:
            say(f"note: {error}")
            continue
        for remark in found.remarks:
            say(f"note: {path}: {remark}")
        if not silent and is_silent(path, DistanceOptions.trim_db):
            say(f"note: {path}: nothing but silence in it")
        elif found.frames:
            lengths[path] = found.frames / found.rate
    if not lengths:
        raise RecordingError(f"none of the {len(paths)} recordings in {folder} can be used")
    return lengths


def analyze(span: Span, metrics: MetricOptions, with_levels: bool = True) -> Analysis:
    """Analyses a span. Memory grows only with the result, at most some 2 MB a minute.

    with_levels: needed for music that is searched, or searched for in other music. Raises RecordingError when the file
    cannot be read.
    """
    trim_db = metrics.distance.trim_db if span.trim else None

    def blocks(rate: int) -> Iterator[Array]:
        return mono_blocks(span.path, rate, span.start, span.stop, trim_db)

    features, levels = described_blocks(blocks(metrics.distance.rate), metrics.distance, with_levels)
    return Analysis(
        span,
        features,
        semitones_of_blocks(blocks(metrics.copying.spectrum.rate), metrics.copying.spectrum),
        course_of_blocks(blocks(metrics.drift.rate), metrics.drift),
        side_and_mid(span.path, span.start, span.stop),
        levels,
    )


def samples_of(span: Span, rate: int, metrics: MetricOptions) -> Array:
    """Returns the samples of a span (n,), channels averaged."""
    return mono_samples(span.path, rate, span.start, span.stop, metrics.distance.trim_db if span.trim else None)


def reference_statistics_of(
    training: Sequence[Analysis], metrics: MetricOptions, coded: Sequence[Analysis] = ()
) -> ReferenceStatistics:
    """Computes the statistics that music is compared with.

    coded: training music after the codec. The envelope is taken from it if given: the codec flattens a spectrum as much
    as an envelope of real music forbids, which says nothing about drift. Raises MusicComposerError when the training
    set is too small, or too uniform, to measure by.
    """
    features = np.concatenate([analysis.features for analysis in training])
    # With fewer windows than that, the covariance of the components would be singular.
    least = metrics.distance.components + 1
    if len(features) < least:
        raise MusicComposerError(
            f"the training music is silent or too short to measure by: {len(features)} windows of half a second, "
            f"and at least {least} are needed. Give longer or more recordings."
        )
    scale = scale_of(features, metrics.distance)
    gaussian = reference_of(scale(features), metrics.distance)
    return ReferenceStatistics(
        scale,
        gaussian,
        reference_of(bands_of(features, metrics), metrics.distance),
        kernel_of((scale(features) - gaussian.mean) @ gaussian.projection),
        envelope_of([analysis.course for analysis in coded or training], metrics.drift),
        library_of([analysis.semitones for analysis in training]),
        threshold_of([analysis.semitones for analysis in training], metrics.harmonic_changes),
        tuple(analysis.span for analysis in training),
    )


def bands_of(features: Array, metrics: MetricOptions) -> Array:
    """Returns the means and deviations of the bands among the features."""
    # Columns: means, deviations, changes, spectral shape and pitch classes, see `features.windows_to_features`.
    return features[:, : 2 * metrics.distance.bands]


def movement_of(features: Array, metrics: MetricOptions) -> float:
    """Returns the mean change of a band from frame to frame, dB."""
    bands = metrics.distance.bands
    return float(features[:, 2 * bands : 3 * bands].mean(dtype=np.float64))


def onset_of(features: Array, metrics: MetricOptions) -> float:
    """Returns the strongest rise of the bands in a window, averaged over windows, dB per frame.

    Dull onsets read less.
    """
    return float(features[:, 3 * metrics.distance.bands + STRONGEST_ONSET].mean(dtype=np.float64))
