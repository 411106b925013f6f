"""The discrepancy against its closed form for Gaussians, and its lack of bias."""

import numpy as np
import pytest

from music_composer.errors import MusicComposerError
from music_composer.evaluation.audio.similarity.mmd import MAX_WINDOWS, discrepancy, discrepancy_interval, kernel_of


def gaussian(seed: int, count: int, shift: float = 0.0, size: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, size)) + shift


@pytest.mark.journey
def test_two_gaussians_read_their_closed_form() -> None:
    """E exp(-|x - y|^2 / 2w^2) = (w^2 / (w^2 + 2))^(n/2) exp(-|shift|^2 / (2 (w^2 + 2))) for unit Gaussians."""
    kernel = kernel_of(gaussian(1, 3000))
    squared = kernel.width**2
    within = (squared / (squared + 2)) ** 1.5
    across = within * np.exp(-3 * 0.8**2 / (2 * (squared + 2)))
    assert discrepancy(kernel, gaussian(2, 3000, 0.8)) == pytest.approx(100 * (2 * within - 2 * across), rel=0.1)


def test_the_width_is_the_median_distance() -> None:
    assert kernel_of(np.array([[0.0], [1.0], [3.0]])).width == pytest.approx(2.0)


def test_few_windows_do_not_inflate_it() -> None:
    kernel = kernel_of(gaussian(3, 2000))
    small = [discrepancy(kernel, gaussian(seed, 20)) for seed in range(10, 210)]
    assert min(small) < 0 < max(small)
    assert np.mean(small) == pytest.approx(0.0, abs=0.3)


def test_farther_reads_more() -> None:
    kernel = kernel_of(gaussian(4, 500))
    readings = [discrepancy(kernel, gaussian(5, 300, shift)) for shift in (0.0, 0.2, 0.5, 1.0, 3.0)]
    assert readings == sorted(readings)


def test_the_interval_holds_the_reading_and_grows_with_fewer_groups() -> None:
    kernel = kernel_of(gaussian(6, 800))
    groups = [gaussian(seed, 20, 0.3) for seed in range(40)]
    reading = discrepancy(kernel, np.concatenate(groups))
    low, high = discrepancy_interval(kernel, groups, np.random.default_rng(0))
    assert low < reading < high
    few_low, few_high = discrepancy_interval(kernel, groups[:5], np.random.default_rng(0))
    assert few_high - few_low > high - low


def test_a_group_drawn_twice_is_not_held_against_itself() -> None:
    """With a single group every draw is the set itself, whatever pairs the repetition makes."""
    kernel = kernel_of(gaussian(7, 300))
    points = gaussian(8, 30)
    low, high = discrepancy_interval(kernel, [points], np.random.default_rng(0), draws=5)
    assert low == pytest.approx(high) == pytest.approx(discrepancy(kernel, points))


def test_too_few_windows_are_refused() -> None:
    with pytest.raises(MusicComposerError, match="1 windows are too few"):
        kernel_of(np.zeros((1, 3)))
    with pytest.raises(MusicComposerError, match="0 windows are too few"):
        discrepancy(kernel_of(gaussian(9, 10)), np.zeros((0, 3)))


@pytest.mark.journey
def test_much_music_is_thinned_evenly() -> None:
    points = np.arange(2.5 * MAX_WINDOWS)[:, None]
    chosen = kernel_of(points).points[:, 0]
    assert len(chosen) <= MAX_WINDOWS
    assert len(set(np.diff(chosen))) == 1
    assert chosen[-1] >= points[-3]
