"""Checks that there is enough music for the metrics, before any of it is generated or read."""

from __future__ import annotations

from collections.abc import Sequence

from music_composer.audio.options import EvaluateOptions
from music_composer.audio.reading.recording import seconds_of
from music_composer.errors import MusicComposerError, OptionError
from music_composer.evaluation.audio.analysis import MetricOptions, Span
from music_composer.evaluation.audio.scorecard import LONG_SECONDS
from music_composer.evaluation.audio.similarity.frechet_distance import DistanceOptions


def windows_in(seconds: float, options: DistanceOptions) -> int:
    """Returns the windows of the Frechet distance in `seconds` of contiguous music."""
    overhang = options.fft - options.hop
    return max(0, int(seconds * options.rate) - overhang) // (options.window_frames * options.hop)


def min_windows(options: DistanceOptions) -> int:
    """Returns the fewest windows of a set of music: a Gaussian of that many dimensions is fitted to them."""
    return options.components + 1


def require_windows_of(options: EvaluateOptions, metrics: MetricOptions) -> None:
    """Raises OptionError when too little music would be generated to be judged.

    The message holds the smallest sufficient values.
    """
    distance, least = metrics.distance, min_windows(metrics.distance)
    wanted = [("-s", options.seconds, "-g", options.count)]
    wanted += [("--long-seconds", options.long_seconds, "--long-num", options.long_count)]
    short = [each for each in wanted if each[1] < LONG_SECONDS and each[3]]  # a longer one is enough by itself
    found = sum(count * windows_in(seconds, distance) for _, seconds, _, count in short)
    if not short or found >= least:
        return
    length, seconds, number, count = short[0]
    more = -(-least // windows_in(seconds, distance))
    longer = next(s for s in range(1, int(LONG_SECONDS) + 1) if count * windows_in(s, distance) >= least)
    raise OptionError(
        f"{number} {count} {length} {seconds:g} are {found} windows of half a second, and {least} are needed: "
        f"give at least {number} {more}, or {length} {longer}"
    )


def require_windows_in(what: str, spans: Sequence[Span], metrics: MetricOptions) -> None:
    """Raises MusicComposerError when some music is too little to be measured. what: its name in the message."""
    distance = metrics.distance
    lengths = [min(span.stop, seconds_of(span.path)) - span.start for span in spans]
    found, least = sum(windows_in(length, distance) for length in lengths), min_windows(distance)
    if found < least:
        raise MusicComposerError(
            f"{what} is too little to measure: {sum(lengths):.1f} s in {len(spans)} pieces are {found} windows of half "
            f"a second, and at least {least} are needed. Give longer or more recordings"
        )
