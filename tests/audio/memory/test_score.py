"""Predicted onsets, and draws that are fair and reproducible."""

import dataclasses

import numpy as np
import pytest

from music_composer.audio.memory.analysis.views import beat
from music_composer.audio.memory.memory import memory_of
from music_composer.audio.memory.options import Weights
from music_composer.audio.memory.score import drawn, expected, likeness
from tests.audio.memory.music import FRAME, OPTIONS, played, recording

PER_SECOND = 43.0


def test_a_pattern_is_expected_to_go_on():
    onsets = np.tile(np.float32([2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]), 25)
    for history in (400, 407, 413):
        found = beat(expected(onsets[:history], 60, PER_SECOND))
        assert found @ beat(onsets[history : history + 60]) > 0.95


def test_nothing_is_expected_of_what_is_too_short():
    for history in (0, 1, 60, 119):
        assert not expected(np.ones(history, np.float32), 60, PER_SECOND).any()


def test_the_best_are_drawn_by_their_scores():
    rng, score = np.random.default_rng(0), np.zeros((4, 100), np.float32)
    score[2, 7], score[1, 50] = 2.0, 1.9
    counts = {}
    for _ in range(2000):
        pair = drawn(score, 2, 0.1, rng)
        counts[pair] = counts.get(pair, 0) + 1
    assert set(counts) == {(2, 7), (1, 50)}
    assert abs(counts[2, 7] / 2000 - np.e / (1 + np.e)) < 0.04


def test_what_is_equal_is_in_the_order_of_its_place():
    """The last digits, which depend on the processor, change nothing."""
    rng = np.random.default_rng(1)
    score = np.repeat(rng.uniform(0, 1, 50).round(1), 8).reshape(4, 100).astype(np.float32)
    near = score + rng.uniform(-3e-5, 3e-5, score.shape).astype(np.float32)
    for seed in range(20):
        assert drawn(score, 16, 0.1, np.random.default_rng(seed)) == drawn(near, 16, 0.1, np.random.default_rng(seed))


def test_fewer_pairs_than_are_wanted_are_all_there_are():
    assert drawn(np.zeros((1, 1), np.float32), 16, 0.1, np.random.default_rng(0)) == (0, 0)


@pytest.mark.parametrize("view", ["pattern", "coming"])
def test_onsets_count_the_less_the_less_was_heard(view):
    memory = memory_of([recording(played(12.0))], recording(played(6.0)), FRAME, OPTIONS)
    none = dict.fromkeys((field.name for field in dataclasses.fields(Weights)), 0.0)
    walk, found = dataclasses.replace(OPTIONS.walk, weights=Weights(**none | {view: 1.0})), []
    for count in (20, 86, 200):
        history = np.arange(200 - count, 200)
        at, ahead = np.array([count - 1]), memory.onsets[None, 200 : 200 + OPTIONS.views.coming]
        found.append(likeness(memory, history, at, history[-1:], ahead, OPTIONS, walk).max())
    assert found[2] > 0.9
    assert found[0] <= 20 / 172 + 1e-3
    assert 0.3 < found[1] <= 86 / 172 + 1e-3


def test_what_is_strange_to_the_prompt_costs():
    memory = memory_of(
        [recording(played(20.0, seed=i)) for i in range(2)], recording(played(25.0, seed=9)), FRAME, OPTIONS
    )
    memory = dataclasses.replace(memory, unfamiliarity=np.linspace(0.0, 6.0, len(memory.entries), dtype=np.float32))
    at = np.array([len(memory.history) - 1])
    scores = []
    for unfamiliarity in (0.0, 2.0):
        weights = dataclasses.replace(OPTIONS.walk.weights, unfamiliarity=unfamiliarity)
        walk = dataclasses.replace(OPTIONS.walk, weights=weights)
        scores.append(likeness(memory, memory.history, at, memory.history[-1:], None, OPTIONS, walk)[0])
    np.testing.assert_allclose(scores[0] - scores[1], 2.0 * memory.unfamiliarity, atol=1e-4)
