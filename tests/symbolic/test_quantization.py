"""Remarks on shifts, checked by hand: at a tempo of 120 a tick is 1.04 ms."""

import numpy as np
import pytest

from music_composer.symbolic.options import PER_QUARTER
from music_composer.symbolic.quantization import grid_remarks, moved_by
from music_composer.values import NOTE, Part, Score


def score_of(*ticks: int, tempos=((0, 120.0),), drums=False) -> Score:
    return Score((Part(np.array([(tick, tick + 50, 60, 80) for tick in ticks], NOTE), drums=drums),), tempos=tempos)


def test_small_shifts_give_no_remark():
    assert grid_remarks(score_of(0, 120, 249, 351), PER_QUARTER) == ()  # 9 ticks are 9.4 ms
    assert grid_remarks(score_of(40, 80, drums=True), PER_QUARTER) == ()
    assert grid_remarks(Score(()), PER_QUARTER) == ()


def test_onsets_and_milliseconds_are_counted():
    found = moved_by(score_of(0, 130, 280, 360), PER_QUARTER)
    assert (found.onsets, found.moved) == (4, 2)
    assert found.mean == pytest.approx(25 / 960) and found.most == pytest.approx(40 / 960)
    assert grid_remarks(score_of(0, 130, 280, 360), PER_QUARTER) == (
        "2 of 4 onsets are not on sixteenths: the grid moves them by 26 ms on average, 42 ms at most",
    )


def test_milliseconds_follow_the_tempo():
    slow = moved_by(score_of(40, 1960, tempos=((0, 120.0), (1920, 30.0))), PER_QUARTER)
    assert slow.most == pytest.approx(4 * 40 / 960) and slow.mean == pytest.approx(2.5 * 40 / 960)
