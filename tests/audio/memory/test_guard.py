"""Known runs along a memory: copies, copies that pause, louder copies, and other music."""

import numpy as np
import pytest

from music_composer.audio.memory.guard import GuardOptions, followed, shapes_of
from music_composer.errors import OptionError

OPTIONS = GuardOptions()
FIRSTS = np.array([0, 300])


def levels(steps=600, seed=0):
    """Returns shapes that change every few steps."""
    rng = np.random.default_rng(seed)
    return np.repeat(rng.normal(-40, 12, (steps // 5, 64)), 5, axis=0).astype(np.float32)


def shapes(memory):
    return np.concatenate([shapes_of(part, OPTIONS) for part in np.split(memory, FIRSTS[1:])])


def runs_after(played, memory, before=None):
    nothing = np.zeros(len(memory), np.int16) if before is None else before
    at = np.arange(len(played))
    return followed(nothing, shapes_of(played, OPTIONS), shapes(memory), FIRSTS, at, OPTIONS)


@pytest.mark.parametrize("gain", [0.0, -12.0])
def test_a_copy_is_as_long_as_it_is(gain):
    memory = levels()
    runs = runs_after(memory[100:160] + np.float32(gain), memory)
    assert runs[59].argmax() == 159
    assert runs[59, 159] == pytest.approx(60, abs=3)
    assert runs[30, 130] == pytest.approx(31, abs=3)


def test_other_music_runs_along_nothing():
    assert runs_after(levels(60, seed=1), levels()).max() < 4


def test_a_repeat_is_no_way_around():
    """The same passage occurs twice: playing one occurrence runs along both, also across a change."""
    memory = levels()
    memory[400:460] = memory[100:160]
    runs = runs_after(np.concatenate([memory[100:130], memory[430:460]]), memory)
    assert runs[59, 159] == pytest.approx(60, abs=4)
    assert runs[59, 459] == pytest.approx(60, abs=4)


def test_a_run_that_is_left_is_forgotten_as_fast_as_it_grew():
    memory = levels()
    runs = runs_after(np.concatenate([memory[100:130], levels(60, seed=1)]), memory)
    assert runs[29, 129] > 26
    assert runs[44, 144] == pytest.approx(runs[29, 129] - 15, abs=4)
    assert runs[75:].max() < 4


@pytest.mark.parametrize("first", [269, 270])
def test_no_run_goes_on_from_one_recording_to_the_next(first):
    memory = levels()
    runs = runs_after(memory[first : first + 60], memory)
    assert runs[299 - first, 299] > 26
    assert runs[59, first + 59] == pytest.approx(first - 240, abs=3)


def test_playing_piece_by_piece_is_playing_at_once():
    memory, played = levels(), levels()[100:160]
    rows = shapes_of(played, OPTIONS)
    at_once = followed(np.zeros(600, np.int16), rows, shapes(memory), FIRSTS, np.array([59]), OPTIONS)
    runs = np.zeros(600, np.int16)
    for part in np.split(rows, [20, 34]):
        runs = followed(runs, part, shapes(memory), FIRSTS, np.array([len(part) - 1]), OPTIONS)[0]
    np.testing.assert_array_equal(runs, at_once[0])


@pytest.mark.parametrize("wrong", [{"alike": 1.0}, {"pooled": 0}, {"smoothed": 0}, {"missed": 0.0}, {"every": 0}])
def test_senseless_options_are_refused(wrong):
    with pytest.raises(OptionError, match="alike"):
        GuardOptions(**wrong)
