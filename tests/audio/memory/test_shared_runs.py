"""The shared runs of recordings, in any order."""

import numpy as np
import pytest

from music_composer.audio.memory import shared_runs
from music_composer.audio.memory.shared_runs import shared_run
from tests.audio.memory.music import OPTIONS, PER_SECOND, played, recording


def shared(*sounds):
    return shared_run([[recording(each).steps] for each in sounds], PER_SECOND, OPTIONS.guard)


def test_recordings_of_their_own_share_next_to_nothing():
    assert shared(*(played(20.0, seed=i) for i in range(4))) < 1.0


@pytest.mark.parametrize("seconds", [3.0, 8.0])
def test_what_is_planted_in_all_is_shared(seconds):
    theme = played(seconds, seed=99)
    sounds = [np.concatenate([played(9.0 + i, seed=i), theme, played(9.0, seed=10 + i)]) for i in range(4)]
    assert shared(*sounds) == pytest.approx(seconds, abs=0.6)


def test_what_some_recordings_share_is_not_usual():
    theme = played(8.0, seed=99)
    sounds = [np.concatenate([theme if i < 5 else played(8.0, seed=i), played(9.0, seed=50 + i)]) for i in range(12)]
    assert shared(*sounds) < 1.5


def test_the_parts_of_a_recording_are_not_compared_with_each_other():
    theme = recording(played(20.0, seed=1)).steps
    assert shared_run([[theme, theme], [recording(played(20.0, seed=2)).steps]], PER_SECOND, OPTIONS.guard) < 1.0


def test_a_copy_of_a_recording_says_nothing():
    """Each song occurs twice, and all share a theme."""
    theme = played(4.0, seed=99)
    songs = [np.concatenate([played(9.0 + i, seed=i), theme, played(9.0, seed=50 + i)]) for i in range(4)]
    assert shared(*songs[:2], *(0.5 * each for each in songs[:2])) == 0.0
    assert shared(*songs, 0.5 * songs[0]) == pytest.approx(4.0, abs=0.6)


def test_of_many_recordings_some_are_sought(monkeypatch):
    sought = []
    real = shared_runs.followed
    monkeypatch.setattr(shared_runs, "followed", lambda runs, *rest: sought.append(len(runs)) or real(runs, *rest))
    sounds = [played(1.0, seed=i) for i in range(shared_runs.SOUGHT + 6)]
    shared(*sounds)
    assert len(sought) == shared_runs.SOUGHT * -(-len(recording(sounds[0]).steps) // shared_runs.AT_ONCE)


def test_of_a_single_recording_nothing_is_known():
    assert shared(played(10.0)) == 0.0
    assert shared_run([], PER_SECOND, OPTIONS.guard) == 0.0
