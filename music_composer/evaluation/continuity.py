"""Whether continuations go on where they are cut, beside as many places of uncut real music."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from music_composer.audio.recording import mono_samples
from music_composer.evaluation.hearing import Measures, Row, Span, samples_of
from music_composer.evaluation.splice import at_cut, random_splices, share_better

SPLICES = 20  # for each continuation


def prompt_row(
    cuts: Sequence[tuple[Path, float]], real: Sequence[Span], lead_seconds: float, measures: Measures
) -> Row:
    """How often continuations step less at their cut than random splices of real music do.

    cuts: the recordings and the second of each at which the new music begins. lead_seconds: of what is before it.
    """
    rate, rng = measures.splice.rate, np.random.default_rng(0)
    others = [samples_of(span, rate, measures) for span in real]
    steps, splices = [], []
    for path, second in cuts:
        mono = mono_samples(path, rate, second - lead_seconds, second + 2 * measures.splice.most_seconds)
        steps.append(at_cut(mono, lead_seconds, measures.splice, str(path)))
        splices.append(random_splices(mono, lead_seconds, others, SPLICES, rng, measures.splice, str(path)))
    share = share_better(steps, splices)
    return {
        "cuts": len(steps),
        "better": share.combined,
        "level": share.level,
        "spectrum": share.spectrum,
        "key": share.key,
    }


def prompt_rows(made: Sequence[Span], real: Sequence[Span], measures: Measures) -> dict[str, Row] | None:
    """Continuations, and as their ruler as many places of uncut real music, with as much heard before each.

    made: new music; what has nothing before it in its file is left out.
    """
    cuts = [(span.path, span.start) for span in made if span.start >= measures.splice.least_seconds]
    if not cuts:
        return None
    most = measures.splice.most_seconds
    lead = min(most, *(second for _, second in cuts))
    rows = {"continuations": prompt_row(cuts, real, lead, measures)}
    lengths = [len(samples_of(span, measures.splice.rate, measures)) / measures.splice.rate for span in real]
    roomy = [(span, length) for span, length in zip(real, lengths, strict=True) if length > lead + most]
    uncut = []
    for i in range(len(cuts) if roomy else 0):
        span, length = roomy[i % len(roomy)]
        share = (i // len(roomy) + 0.5) / -(-len(cuts) // len(roomy))
        uncut.append((span.path, span.start + lead + share * (length - lead - most)))
    return rows | ({"real, held out": prompt_row(uncut, real, lead, measures)} if uncut else {})
