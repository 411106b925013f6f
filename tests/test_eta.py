"""What is still to come is told from what is warm, and by how long it is."""

from __future__ import annotations

import re

import numpy as np
import pytest

from music_composer.eta import SLICES, Pace
from music_composer.training.loop import _Estimate

BUILD = 8.0  # seconds that the first update of a shape takes besides


def test_the_first_of_each_kind_is_cold():
    pace = Pace()
    for kind in "ab":
        pace.add(1.0, 100.0, kind)
    for i in range(SLICES):
        assert pace.seconds_for(10.0) is None
        pace.add(2.0, 1.0, "ab"[i % 2])
    assert pace.seconds_for(10.0) == pytest.approx(5.0)
    pace.add(0.0, 100.0, "a")
    assert pace.seconds_for(10.0) == pytest.approx(5.0), "nothing was done in it"


def test_nothing_is_said_while_the_speed_still_changes_and_something_in_the_end():
    pace = Pace()
    pace.add(1.0, 9.0)
    for i in range(15):
        pace.add(1.0, 8.0 / 1.5**i)
        assert pace.seconds_for(1.0) is None
    pace.add(1.0, 8.0 / 1.5**15)
    assert pace.seconds_for(1.0) is not None


@pytest.mark.parametrize("lengths", [[64], [16, 256], [32, 64, 96, 128, 160, 192]], ids=str)
def test_the_estimate_of_a_training_is_near_what_it_takes(lengths):
    """Batches of several lengths, each of which is compiled for; an update takes as long as it is long."""
    said: list[tuple[int, str]] = []
    seen: set[int] = set()
    at = 0
    estimate = _Estimate(lambda line: said.append((at, line)))
    batches = np.random.default_rng(1).choice(lengths, 400)
    for length in batches:
        at += 1
        estimate.update([np.zeros((8, length, 4), np.float32)], 0.01 * length + BUILD * (length not in seen))
        seen.add(length)
        estimate.batch(len(batches) - at)
    ((when, line),) = said
    minutes, seconds = re.search(r"about (?:(\d+) min )?(\d+) s", line).groups()
    told = 60 * int(minutes or 0) + int(seconds)
    assert told == pytest.approx(0.01 * batches[when:].sum(), rel=0.3)
