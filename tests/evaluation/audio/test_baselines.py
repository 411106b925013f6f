"""Baselines play only what they are given, in pieces of known length, as long as requested."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from music_composer.errors import MusicComposerError, OptionError
from music_composer.evaluation.audio.baselines import BaselineOptions, joined, random_splices, shuffled

RATE, OPTIONS = 1000, BaselineOptions(crossfade=10)


def clock(seconds: float, first: float = 0.0) -> np.ndarray:
    """Returns samples (n, 1) that encode their own second."""
    return (first + np.arange(round(seconds * RATE)) / RATE)[:, None]


def runs_of(sound: np.ndarray) -> list[float]:
    """Returns the seconds of contiguous pieces."""
    jumps = np.flatnonzero(np.abs(np.diff(sound[:, 0]) - 1 / RATE) > 1e-6)
    edges = jumps[np.diff(jumps, prepend=-100) > 20]  # a crossfade is many jumps in a row
    return list(np.diff(edges) / RATE)


@settings(max_examples=20)
@given(st.floats(3.0, 40.0), st.floats(0.3, 60.0), st.integers(0, 5))
def test_the_prompt_is_played_in_pieces_as_long_as_asked(prompt: float, seconds: float, seed: int) -> None:
    sound = shuffled(clock(prompt), seconds, RATE, np.random.default_rng(seed), OPTIONS)
    assert sound.shape == (round(seconds * RATE), 1)
    assert all(OPTIONS.least_seconds - 0.03 <= run <= OPTIONS.most_seconds + 0.03 for run in runs_of(sound))
    again = shuffled(clock(prompt), seconds, RATE, np.random.default_rng(seed), OPTIONS)
    np.testing.assert_array_equal(sound, again)


def test_splices_come_from_all_recordings_but_those_that_are_too_short() -> None:
    lengths, sources = [10.0, 0.1, 30.0], []

    def read(which: int, start: float, stop: float) -> np.ndarray:
        assert 0 <= start < stop <= lengths[which] + 1e-9
        sources.append(which)
        return clock(stop - start, 100 * which + start)

    sound = random_splices(lengths, read, 300.0, RATE, np.random.default_rng(0), OPTIONS)
    assert sound.shape == (300 * RATE, 1)
    assert set(sources) == {0, 2}
    assert 1.5 < sources.count(2) / sources.count(0) < 6


def test_pieces_meet_at_equal_power() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((2, 4000, 2))
    both = joined([one, other], 1000)
    assert both.shape == (7000, 2)
    for quarter in np.split(both[3000:4000], 4):
        assert np.std(quarter) == pytest.approx(1.0, abs=0.15)
    np.testing.assert_array_equal(both[:3000], one[:3000])
    np.testing.assert_array_equal(both[4000:], other[1000:])


def test_too_little_music_and_impossible_options_say_so() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(MusicComposerError, match=r"0\.20 s .* too short"):
        shuffled(clock(0.2), 5.0, RATE, rng, OPTIONS)
    with pytest.raises(MusicComposerError, match="too short"):
        random_splices([0.1, 0.2], lambda *place: clock(0.1), 5.0, RATE, rng, OPTIONS)
    assert len(shuffled(clock(0.3), 5.0, RATE, rng, OPTIONS)) == 5 * RATE
    with pytest.raises(OptionError, match="least"):
        BaselineOptions(least_seconds=3.0)
