"""Too little music is reported before it is generated, counted as the metrics count it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from music_composer.audio.options import EvaluateOptions
from music_composer.errors import MusicComposerError, OptionError
from music_composer.evaluation.audio.analysis import MetricOptions, Span
from music_composer.evaluation.audio.minimum_length import (
    min_windows,
    require_windows_in,
    require_windows_of,
    windows_in,
)
from music_composer.evaluation.audio.similarity.features import features_of_blocks
from music_composer.evaluation.audio.similarity.frechet_distance import DistanceOptions
from tests.command import tune, write


@pytest.mark.parametrize("seconds", [0.0, 0.3, 0.53, 0.54, 1.0, 5.0, 12.5])
def test_windows_are_counted_as_they_are_cut(seconds):
    options = DistanceOptions()
    cut = features_of_blocks(iter([np.zeros(int(seconds * options.rate), np.float32)]), options)
    assert windows_in(seconds, options) == len(cut)


@pytest.mark.parametrize(("count", "seconds"), [(1, 5.0), (2, 5.0), (1, 12.0), (2, 6.0)])
def test_what_would_be_too_little_is_refused_with_values_that_are_enough(count, seconds):
    with pytest.raises(OptionError, match=f"-g {count} -s {seconds:g} are") as raised:
        require_windows_of(EvaluateOptions(count=count, seconds=seconds), MetricOptions())
    advice = re.search(r"at least -g (\d+), or -s (\d+)", str(raised.value))
    assert advice
    more, longer = map(int, advice.groups())
    require_windows_of(EvaluateOptions(count=more, seconds=seconds), MetricOptions())
    require_windows_of(EvaluateOptions(count=count, seconds=longer), MetricOptions())
    for fewer in (EvaluateOptions(count=more - 1, seconds=seconds), EvaluateOptions(count=count, seconds=longer - 1)):
        with pytest.raises(OptionError):
            require_windows_of(fewer, MetricOptions())


@pytest.mark.parametrize(
    "options",
    [
        EvaluateOptions(),
        EvaluateOptions(count=1, seconds=120.0),
        EvaluateOptions(count=1, seconds=5.0, long_count=1, long_seconds=20.0),
        EvaluateOptions(count=1, seconds=120.0, long_count=0, long_seconds=5.0),
    ],
)
def test_what_is_enough_is_taken(options):
    require_windows_of(options, MetricOptions())


def test_short_ones_among_the_long_are_named_by_their_flags():
    with pytest.raises(OptionError, match=r"--long-num 1 --long-seconds 5 .* at least --long-num 3, or"):
        require_windows_of(EvaluateOptions(count=1, seconds=120.0, long_count=1, long_seconds=5.0), MetricOptions())


def test_pieces_count_each_for_themselves(tmp_path: Path):
    path = write(tmp_path / "a.wav", tune(20))
    least = min_windows(DistanceOptions())
    whole, parts = [Span(path)], [Span(path, start, start + 0.5) for start in np.arange(0, 15, 0.5)]
    require_windows_in("the music", whole, MetricOptions())
    with pytest.raises(MusicComposerError, match=f"the music is too little.*in 30 pieces are 0 windows.*least {least}"):
        require_windows_in("the music", parts, MetricOptions())
