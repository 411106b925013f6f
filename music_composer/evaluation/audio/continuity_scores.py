"""Whether music goes on where it was cut or where its player jumped, beside as many places of uncut real music.

Music that stands still keeps its key across any cut, so the key is read beside how much the harmony moves after it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from music_composer.audio.reading.recording import mono_samples, seconds_of
from music_composer.evaluation.audio.analysis import MetricOptions, Span, samples_of
from music_composer.evaluation.audio.scorecard_records import ContinuityFigures
from music_composer.evaluation.audio.signal.spectra import Array
from music_composer.evaluation.audio.structure.boundary_continuity import (
    at_cut,
    harmonic_change,
    random_splices,
    share_better,
)

SPLICES, MOST_SPLICES = 20, 640  # for each cut, and for all of them together
LEAST_SPLICES = 4
MOST_CUTS = 128  # of a kind that are judged

Cuts = Sequence[tuple[Path, float]]  # recordings, and the second of each at which other music begins


def prompt_row(cuts: Cuts, others: Sequence[Array], lead_seconds: float, metrics: MetricOptions) -> ContinuityFigures:
    """How often music steps less at its cuts than random splices of real music do, and how its harmony changes there.

    others: samples (n,) of real music, at the rate of the splices. lead_seconds: of music before a cut; the pulse is
    read from more where there is enough.
    """
    options = dataclasses.replace(metrics.continuity, before_seconds=lead_seconds)
    # One seed for all rows, so that they differ by their cuts and not by luck with the splices.
    rate, most, rng = options.rate, options.most_seconds, np.random.default_rng(0)
    count = max(LEAST_SPLICES, min(SPLICES, MOST_SPLICES // len(cuts)))
    steps, splices, changes = [], [], []
    for path, second in cuts:
        lead = max(lead_seconds, options.pulse_seconds) if second >= options.pulse_seconds else lead_seconds
        mono = mono_samples(path, rate, second - lead, second + 2 * most)
        steps.append(at_cut(mono, lead, options, str(path)))
        splices.append(random_splices(mono, lead, others, count, rng, options, str(path)))
        after = round(lead * rate)
        changes.append(harmonic_change(mono[after : after + round(most * rate)], options))
    share = share_better(steps, splices)
    return ContinuityFigures(
        cuts=len(steps),
        better=share.combined,
        level=share.level,
        spectrum=share.spectrum,
        key=share.key,
        pulse=share.pulse,
        harmonic_change=float(np.mean(changes)),
    )


def prompt_rows(
    cut: Sequence[Span], jumps: Cuts, real: Sequence[Span], metrics: MetricOptions
) -> dict[str, ContinuityFigures] | None:
    """Cuts, jumps and, as their reference, as many places of uncut real music with as much music before each.

    cut: new music; what has nothing before it in its file is left out. jumps: places within new music; those too near
    to an end of the recording are left out.
    """
    least, most = metrics.continuity.least_seconds, metrics.continuity.most_seconds
    cuts = _evenly([(span.path, span.start) for span in cut if span.start >= least])
    inside = _evenly([(path, at) for path, at in jumps if least <= at <= seconds_of(path) - least])
    if not cuts and not inside:
        return None
    others = [samples_of(span, metrics.continuity.rate, metrics) for span in real]
    rows: dict[str, ContinuityFigures] = {}
    leads: list[float] = []
    for name, places in (("continuations", cuts), ("continuations, at jumps", inside)):
        if places:
            leads.append(min(most, *(second for _, second in places)))
            rows[name] = prompt_row(places, others, leads[-1], metrics)
    # Uncut music gets no more music before its places than the shortest lead of the others: rows must compare.
    lead = min(leads)
    lengths = [len(other) / metrics.continuity.rate for other in others]
    roomy = [(span, length) for span, length in zip(real, lengths, strict=True) if length > lead + most]
    uncut, count = [], max(len(cuts), len(inside))
    for i in range(count if roomy else 0):
        span, length = roomy[i % len(roomy)]
        # The middle of equal parts of each recording.
        share = (i // len(roomy) + 0.5) / -(-count // len(roomy))
        uncut.append((span.path, span.start + lead + share * (length - lead - most)))
    return rows | ({"real, held out": prompt_row(uncut, others, lead, metrics)} if uncut else {})


def _evenly(cuts: Cuts) -> Cuts:
    return cuts[:: -(-len(cuts) // MOST_CUTS)] if cuts else []
