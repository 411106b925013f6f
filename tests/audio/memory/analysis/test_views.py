"""Views of moments that are known to be alike."""

import numpy as np
import pytest

from music_composer.audio.memory.analysis.steps import Steps
from music_composer.audio.memory.analysis.views import (
    ViewOptions,
    after_view,
    basis_of,
    beat,
    mood_view,
    onset_view,
    past_views,
    running_mean,
    unit,
)
from music_composer.errors import OptionError

OPTIONS = ViewOptions(components=6, near=3, far=12, long=40, after=5, mood=20)


def music(steps=400, seed=0, bands=16):
    """Returns levels that move slowly from shape to shape, and arbitrary onsets."""
    rng = np.random.default_rng(seed)
    shapes = np.repeat(rng.normal(-40, 12, (steps // 10 + 1, bands)), 10, axis=0)[:steps]
    return Steps((shapes + rng.normal(0, 1, shapes.shape)).astype(np.float32), np.zeros(steps, np.float32))


def views_of(rows):
    """Returns the views of all steps."""
    every = np.arange(len(rows))
    return past_views(rows, OPTIONS, every) | {
        "after": after_view(rows, OPTIONS),
        "mood": mood_view(rows, OPTIONS, every),
    }


def views(steps):
    return views_of(basis_of([music(seed=7), music(seed=8)], OPTIONS)(steps.levels))


@pytest.mark.parametrize("name", ["near", "far", "long", "after"])
def test_a_moment_is_most_like_the_same_music_elsewhere(name):
    excerpt = music(seed=1)
    elsewhere = np.concatenate([music(seed=2).levels, excerpt.levels, music(seed=3).levels])
    matches = views(Steps(elsewhere, np.zeros(len(elsewhere), np.float32)))[name]
    for at in (150, 233, 320):
        assert np.argmax(matches @ views(excerpt)[name][at]) == 400 + at


def test_the_past_does_not_know_what_comes_and_the_future_not_what_was():
    one, other = music(seed=1).levels, music(seed=2).levels
    past = views(Steps(np.concatenate([one[:200], other[200:]]), np.zeros(400)))
    whole, future = views(Steps(one, np.zeros(400))), views(Steps(other, np.zeros(400)))
    for name in ("near", "far", "long"):
        np.testing.assert_allclose(past[name][:200], whole[name][:200], atol=1e-5)
    np.testing.assert_allclose(past["after"][199:], future["after"][199:], atol=1e-5)


def test_views_look_as_far_as_they_say():
    rows = np.zeros((300, 1), np.float32)
    rows[100] = 1.0
    seen = {name: np.flatnonzero(view.any(axis=1)) for name, view in views_of(rows).items()}
    assert (seen["near"].min(), seen["near"].max()) == (100, 100 + 2 * OPTIONS.near - 1)
    assert (seen["far"].min(), seen["far"].max()) == (100, 100 + OPTIONS.far - 1)
    assert (seen["long"].min(), seen["long"].max()) == (100, 100 + OPTIONS.long - 1)
    assert (seen["after"].min(), seen["after"].max()) == (100 - OPTIONS.after, 99)
    assert (seen["mood"].min(), seen["mood"].max()) == (101 - OPTIONS.mood, 99 + OPTIONS.mood)


def test_views_of_some_steps_are_those_of_all():
    rows, places = basis_of([music()], OPTIONS)(music().levels), np.array([0, 2, 150, 399])
    for name, view in past_views(rows, OPTIONS, places).items():
        np.testing.assert_allclose(view, views_of(rows)[name][places], atol=1e-6)


def test_onsets_are_seen_before_and_after_a_step_and_not_beyond_the_recording():
    onsets = np.arange(1.0, 21.0, dtype=np.float32)
    at = np.array([0, 10, 19])
    np.testing.assert_allclose(onset_view(onsets, at, -3, 4)[1], beat(onsets[7:11]), atol=1e-6)
    np.testing.assert_allclose(onset_view(onsets, at, -3, 4)[0], beat(np.float32([0, 0, 0, 1])), atol=1e-6)
    np.testing.assert_allclose(onset_view(onsets, at, 1, 4)[1], beat(onsets[11:15]), atol=1e-6)
    assert not onset_view(onsets, at, 1, 4)[2].any()


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_the_shortest_music_has_views(steps):
    for view in views(music(steps)).values():
        assert len(view) == steps
        assert np.isfinite(view).all()


def test_a_running_mean_is_the_mean():
    rows = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
    for at in (0, 3, 30):
        np.testing.assert_allclose(running_mean(rows, 7)[at], rows[max(0, at - 6) : at + 1].mean(axis=0), atol=1e-6)


def test_a_basis_tells_what_varies_and_leaves_out_what_does_not():
    levels = np.full((500, 8), -50.0, np.float32)
    levels += np.random.default_rng(1).normal(0, 1e-3, levels.shape).astype(np.float32)
    levels[:, 2] += np.random.default_rng(0).normal(0, 9, 500)
    basis = basis_of([Steps(levels, np.zeros(500))], OPTIONS)
    rows = basis(levels)
    assert rows.shape == (500, OPTIONS.components)
    assert rows[:, 0].std() == pytest.approx(1.0, abs=0.01)
    assert not rows[:, 1:].any()


def test_music_that_never_changes_is_like_nothing():
    still = Steps(np.full((60, 16), -30.0, np.float32), np.zeros(60))
    basis = basis_of([still], OPTIONS)
    for view in views_of(basis(still.levels)).values():
        assert not view.any()


def test_rows_become_as_long_as_each_other():
    rows = np.random.default_rng(0).standard_normal((4, 9)) * [[1], [10], [0.1], [0]]
    np.testing.assert_allclose(np.linalg.norm(unit(rows), axis=1), [1, 1, 1, 0], atol=1e-4)


def test_senseless_options_are_refused():
    with pytest.raises(OptionError, match="at least 1"):
        ViewOptions(far=0)
