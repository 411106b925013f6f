"""Measures of bars computed by hand, and overlaps of equal and of distant distributions."""

import numpy as np
import pytest

from music_composer.evaluation.symbolic.metrics import METRICS, measure, measure_all, overlap, overlaps
from music_composer.values import Roll

BAR = 16


def roll_of(*notes, steps=4 * BAR, metres=((0, 4, 4),)):
    """Notes are (start, stop, pitch)."""
    velocity, onset = np.zeros((steps, 128), np.uint8), np.zeros((steps, 128), bool)
    for start, stop, pitch in notes:
        velocity[start:stop, pitch], onset[start, pitch] = 80, True
    return Roll(velocity, onset, metres=metres)


def figures(roll):
    (row,) = measure(roll)
    return dict(zip(METRICS, row, strict=True))


def test_a_segment_computed_by_hand():
    found = figures(roll_of((0, 4, 60), (0, 8, 64), (8, 12, 67), (16, 20, 60), (24, 28, 66)))
    assert found["polyphony"] == pytest.approx((4 * 2 + 4 + 4 + 4 + 4) / 20)
    assert found["pitch range"] == 7
    assert found["pitch-class entropy"] == pytest.approx(-(0.4 * np.log2(0.4) + 3 * 0.2 * np.log2(0.2)))
    assert found["scale consistency"] == 1  # C, E, F# and G are notes of G major
    assert found["empty bars"] == 0.5
    assert found["note duration"] == pytest.approx((4 + 8 + 4 + 4 + 4) / 5 / 4)
    # Bars 1 and 2 begin notes at the same steps; 2 and 3 differ in two of 16; 3 and 4 are both empty.
    assert found["groove consistency"] == pytest.approx((1 + 14 / 16 + 1) / 3)


def test_scale_consistency_of_a_scale_and_a_chromatic_run():
    minor = [(4 * i, 4 * i + 4, 57 + step) for i, step in enumerate((0, 2, 3, 5, 7, 8, 10, 12))]
    assert figures(roll_of(*minor))["scale consistency"] == 1
    chromatic = [(4 * i, 4 * i + 4, 60 + i) for i in range(12)]
    assert figures(roll_of(*chromatic))["scale consistency"] == pytest.approx(7 / 12)
    assert figures(roll_of(*chromatic))["pitch-class entropy"] == pytest.approx(np.log2(12))


def test_a_second_onset_is_a_second_note():
    again = figures(roll_of((0, 4, 60), (4, 8, 60)))
    assert again["note duration"] == 1
    assert figures(roll_of((0, 8, 60)))["note duration"] == 2


def test_silence_has_only_empty_bars():
    found = figures(roll_of())
    assert found.pop("empty bars") == 1
    assert np.isnan(list(found.values())).all()


def test_segments_follow_the_metre_and_a_rest_is_not_measured():
    assert len(measure(roll_of((0, 4, 60), steps=2 * 4 * BAR + 5))) == 2
    assert len(measure(roll_of((0, 4, 60), steps=4 * 12, metres=((0, 3, 4),)))) == 1
    assert len(measure(roll_of((0, 4, 60), steps=4 * BAR - 1))) == 1
    assert len(measure(roll_of((0, 4, 60), steps=3 * BAR))) == 0
    assert measure_all([]).shape == (0, len(METRICS))


def test_transposing_changes_nothing():
    rng = np.random.default_rng(1)
    notes = [
        (int(s), int(s) + 3, int(p)) for s, p in zip(rng.integers(0, 60, 30), rng.integers(40, 80, 30), strict=True)
    ]
    higher = [(start, stop, pitch + 5) for start, stop, pitch in notes]
    assert np.allclose(measure(roll_of(*notes)), measure(roll_of(*higher)))


def test_overlap_is_1_for_equal_sets_and_0_for_distant_ones():
    rng = np.random.default_rng(0)
    numbers = rng.normal(0, 1, 400)
    assert overlap(numbers, numbers, 0.1) == pytest.approx(1)
    assert overlap(numbers, rng.normal(0, 1, 400), 0.1) > 0.9
    # Two normal distributions whose means are one deviation apart share erfc(0.5 / sqrt 2) = 0.617; kernels blur it.
    assert 0.6 < overlap(numbers, rng.normal(1, 1, 400), 0.01) < 0.72
    assert overlap(numbers, numbers + 100, 0.1) < 0.01
    assert overlap(np.ones(50), np.ones(20), 0.1) == pytest.approx(1)
    assert np.isnan(overlap(np.array([np.nan]), numbers, 0.1))


def test_overlaps_are_one_for_each_metric():
    rows = measure_all([roll_of((0, 4, 60 + i), (8, 12, 72)) for i in range(5)])
    assert np.allclose(overlaps(rows, rows), 1)
    assert overlaps(rows, rows).shape == (len(METRICS),)
