"""Known phrases: repeated from a copy, other ones, old ones, and held notes."""

import numpy as np
import pytest

from music_composer.audio.memory.analysis.phrases import (
    PhraseOptions,
    phrases_from,
    play_phrases,
    start_phrases,
    times_played,
)
from music_composer.errors import OptionError

OPTIONS = PhraseOptions()
PER_SECOND = 43.0
PHRASE = 4 * 43  # steps
FIRSTS = np.array([0, 1000, 2000])
COPY = 1400  # a place of the second recording, where the phrase of place 200 occurs again
ENTRIES = np.array([200, 600, COPY, 1800])


def music(steps, seed):
    """Returns rows (steps, components) that change within a second."""
    knots = np.random.default_rng(seed).normal(0.0, 1.0, (steps // 32 + 2, 12))
    at = np.arange(steps) / 32
    return np.stack([np.interp(at, np.arange(len(knots)), column) for column in knots.T], axis=1).astype(np.float32)


@pytest.fixture
def rows():
    rows = music(2000, seed=0)
    rows[COPY : COPY + PHRASE] = rows[200 : 200 + PHRASE]
    return rows


def times_after(rows, *played):
    """Returns how often the phrase after each entry was played, without free times."""
    options = PhraseOptions(free=0)
    state = start_phrases(rows, FIRSTS, ENTRIES, options)
    for part in played:
        play_phrases(state, part, PER_SECOND, options)
    return times_played(state, PER_SECOND, options).tolist()


def test_nothing_was_heard_at_the_beginning(rows):
    assert times_after(rows) == [0, 0, 0, 0]
    assert times_after(rows, rows[:30]) == [0, 0, 0, 0]


@pytest.mark.parametrize("shift", [0, 3, 8])
def test_a_phrase_counts_at_its_place_and_at_its_copy(rows, shift):
    phrase, other = rows[200 : 200 + PHRASE], music(PHRASE, seed=1)
    assert times_after(rows, music(shift, seed=3), phrase, other) == [1, 0, 1, 0]
    assert times_after(rows, music(shift, seed=3), phrase, other, phrase, other) == [2, 0, 2, 0]


def test_other_phrases_do_not_count(rows):
    assert times_after(rows, music(10 * PHRASE, seed=1)) == [0, 0, 0, 0]


def test_what_was_heard_long_ago_is_forgotten(rows):
    phrase, rest = rows[200 : 200 + PHRASE], music(round((OPTIONS.lately + 4.0) * PER_SECOND), seed=1)
    assert times_after(rows, phrase, rest) == [0, 0, 0, 0]


def test_the_newest_music_does_not_count(rows):
    """Otherwise a note could not be held."""
    phrase, rest = rows[200 : 200 + OPTIONS.blocks * OPTIONS.block], music(OPTIONS.block, seed=2)
    before = music(50 * OPTIONS.block, seed=1)
    assert times_after(rows, before, phrase) == [0, 0, 0, 0]
    assert times_after(rows, before, phrase, rest) == [1, 0, 1, 0]


def test_the_first_time_is_free(rows):
    state = start_phrases(rows, FIRSTS, ENTRIES, OPTIONS)
    phrase, other = rows[200 : 200 + PHRASE], music(PHRASE, seed=1)
    for wanted in ([0, 0, 0, 0], [1, 0, 1, 0], [2, 0, 2, 0]):
        for part in (phrase, other):
            play_phrases(state, part, PER_SECOND, OPTIONS)
        assert times_played(state, PER_SECOND, OPTIONS).tolist() == wanted


def test_playing_piece_by_piece_is_playing_at_once_and_the_state_does_not_grow(rows):
    played = np.concatenate([music(9000, seed=1), rows[200:400], music(300, seed=2)])
    whole, pieces = (start_phrases(rows, FIRSTS, ENTRIES, OPTIONS) for _ in range(2))
    play_phrases(whole, played, PER_SECOND, OPTIONS)
    for part in np.split(played, [7, 40, 41, 3000, 9100]):
        play_phrases(pieces, part, PER_SECOND, OPTIONS)
    np.testing.assert_allclose(pieces.phrases, whole.phrases, atol=1e-5)
    np.testing.assert_array_equal(pieces.pending, whole.pending)
    assert len(whole.phrases) <= OPTIONS.lately * PER_SECOND / OPTIONS.block + 1
    assert len(whole.pending) < OPTIONS.blocks * OPTIONS.block


def test_a_phrase_ends_with_its_recording():
    rows = music(100, seed=0)
    found = phrases_from(rows, np.array([99]), OPTIONS).reshape(OPTIONS.blocks, -1)
    np.testing.assert_allclose(found, np.tile(found[:1], (OPTIONS.blocks, 1)))


@pytest.mark.parametrize("wrong", [{"alike": 1.0}, {"blocks": 0}, {"most": 0}, {"lately": 0.0}, {"newest": -1.0}])
def test_senseless_options_are_refused(wrong):
    with pytest.raises(OptionError, match="must"):
        PhraseOptions(**wrong)
