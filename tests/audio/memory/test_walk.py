"""Walks through memories with a known pulse: what they keep, what they never play, and how long they copy."""

import copy
import dataclasses

import numpy as np
import pytest

from music_composer.audio.memory.analysis.phrases import phrases_from
from music_composer.audio.memory.guard import followed
from music_composer.audio.memory.memory import memory_of
from music_composer.audio.memory.walk import longest_run, next_run, start, use
from tests.audio.memory.music import FRAME, OPTIONS, PER_SECOND, RATE, STEP, played, recording

pytestmark = pytest.mark.journey

WALK = OPTIONS.walk


def made(sounds, prompt):
    return memory_of([recording(each) for each in sounds], recording(prompt), FRAME, OPTIONS)


@pytest.fixture(scope="module")
def album():
    return made([played(30.0, seed=i, beat=0.4) for i in range(3)], played(20.0, seed=9, beat=0.4))


def walked(memory, seconds, walk=WALK, seed=0):
    """Returns runs of at least so many seconds, and the state after them."""
    state, rng, runs = start(memory), np.random.default_rng(seed), []
    while state.played < seconds * PER_SECOND:
        runs.append(next_run(memory, state, OPTIONS, walk, rng))
    return runs, state


def places(runs):
    return np.concatenate([np.arange(first, last + 1) for first, last in runs])


def test_the_same_seed_walks_the_same_way_and_another_does_not(album):
    one, other = walked(album, 20.0, seed=1)[0], walked(album, 20.0, seed=2)[0]
    assert one == walked(album, 20.0, seed=1)[0] != other


def test_runs_are_as_long_as_they_may_be_and_stay_in_their_recording(album):
    runs = np.array(walked(album, 60.0)[0])
    length = runs[:, 1] + 1 - runs[:, 0]
    assert length.min() >= round(WALK.least * PER_SECOND)
    assert length.max() <= longest_run(album, WALK)
    assert length[~album.own[runs[:, 0]]].max() <= round(WALK.most_training * PER_SECOND)
    np.testing.assert_array_equal(album.part[runs[:, 0]], album.part[runs[:, 1]])
    assert np.isin(runs[:, 0], album.entries).all()


def test_as_much_is_the_prompts_own_as_is_asked_for(album):
    weak = dataclasses.replace(WALK.weights, mood=3.0)  # where nothing is like the prompt, more is its own
    for share in (0.2, 0.8):
        walk = dataclasses.replace(WALK, share=share, weights=weak)
        own = album.own[places(walked(album, 90.0, walk)[0])].mean()
        assert own == pytest.approx(share, abs=0.2)


@pytest.mark.parametrize("blend", [0.2, 0.8])
def test_both_voices_of_a_blend_come_in_their_shares(blend):
    """Shares hold whatever the moods are."""
    walk = dataclasses.replace(WALK, weights=dataclasses.replace(WALK.weights, mood=0.0))
    first, second = played(15.0, seed=9, beat=0.4), 0.2 * played(15.0, seed=4, beat=0.4)[::-1]
    album = [recording(played(20.0, seed=i, beat=0.4)) for i in range(2)]
    memory = memory_of(album, recording(first), FRAME, OPTIONS, (recording(second),), blend=blend)
    at = places(walked(memory, 90.0, walk)[0])
    share = memory.beside[at].sum() / memory.own[at].sum()
    assert share == pytest.approx(blend, abs=0.15)
    assert memory.own[at].mean() == pytest.approx(WALK.share, abs=0.25)


def test_the_colour_of_a_blend_is_between_those_of_its_voices_and_it_has_the_moods_of_both():
    first, second = recording(played(15.0, seed=9)), recording(0.1 * played(15.0, seed=4))
    album = [recording(played(20.0, seed=1))]
    one, other = (memory_of(album, each, FRAME, OPTIONS) for each in (first, second))
    both = memory_of(album, first, FRAME, OPTIONS, (second,), blend=0.5)
    np.testing.assert_allclose(both.colour.aim, (one.colour.aim + other.colour.aim) / 2, atol=1e-4)
    own = both.own[both.entries]
    beside = both.beside[both.entries]
    alone = memory_of(album, first, FRAME, OPTIONS, (second,))
    assert both.mood[beside].mean() > alone.mood[beside].mean()
    np.testing.assert_allclose(both.mood[own & ~beside], alone.mood[own & ~beside], atol=0.3)
    only = memory_of(album, first, FRAME, OPTIONS, (second,), blend=1.0)
    assert only.mood[own & ~beside].mean() < alone.mood[own & ~beside].mean()


def longest_alignment(memory, runs):
    """Returns the longest run in steps along any place of the training music."""
    played_places = places(runs)
    along = followed(
        np.zeros(len(memory), np.int16),
        memory.shapes[played_places],
        memory.shapes,
        memory.firsts[:-1],
        np.arange(len(played_places)),
        OPTIONS.guard,
    )
    return along[:, ~memory.own].max()


def test_the_guard_bounds_how_long_music_is_copied_across_jumps():
    """The memory holds one piece three times: a jump from one copy to another continues the run."""
    piece = played(20.0, seed=1, beat=0.4)
    memory = made([piece, piece, piece], played(10.0, seed=9, beat=0.4))
    walk = dataclasses.replace(WALK, share=0.0, elsewhere=0.4)
    limit = (
        WALK.most_training * PER_SECOND
    )  # a run of the shortest kind may be entered before it is known how it goes on
    assert longest_alignment(memory, walked(memory, 40.0, walk)[0]) <= limit + 2 * WALK.least * PER_SECOND
    unguarded = dataclasses.replace(walk, guard=False, used=0.0)
    assert longest_alignment(memory, walked(memory, 40.0, unguarded)[0]) > 2.5 * limit


def test_a_walk_may_share_as_much_as_recordings_do():
    piece = played(30.0, seed=1, beat=0.4)
    memory = made([piece, piece, piece], played(10.0, seed=9, beat=0.4))
    walk = dataclasses.replace(WALK, share=0.0, elsewhere=0.4, used=0.0, shared=6.0, as_shared=0.5)
    lengths = [longest_alignment(memory, walked(memory, 40.0, walk, seed=i)[0]) / PER_SECOND for i in range(3)]
    assert max(lengths) > 2.0 * WALK.most_training
    assert max(lengths) <= 1.25 * 3.0 + WALK.least
    little = dataclasses.replace(walk, shared=0.5)
    assert walked(memory, 20.0, little)[0] == walked(memory, 20.0, dataclasses.replace(walk, shared=0.0))[0]


def test_no_run_is_taken_up_where_it_would_be_by_now(album):
    runs, _ = walked(album, 60.0)
    begun = np.cumsum([0, *(last + 1 - first for first, last in runs)])
    again = 0
    for i, (first, _) in enumerate(runs):
        for j in range(i):
            ended = begun[j] + runs[j][1] + 1 - runs[j][0]
            soon = begun[i] - ended <= WALK.returns * PER_SECOND
            again += soon and abs(runs[j][0] + begun[i] - begun[j] - first) < WALK.returns_near * PER_SECOND - 1
    assert again <= 1  # a rule that costs score, and hardly ever breaks


def test_what_truly_follows_is_never_played():
    sound = played(60.0, seed=1, beat=0.4)
    prompt = 0.7 * sound[10 * RATE : 20 * RATE]
    memory = made([sound, played(20.0, seed=2, beat=0.4)], prompt)
    assert memory.barred.sum() > 29 * PER_SECOND
    for guard in (True, False):
        runs = walked(memory, 60.0, dataclasses.replace(WALK, share=0.0, guard=guard))[0]
        assert not memory.barred[places(runs)].any()
        assert (memory.part[places(runs)] == 0).any()


def autocorrelation(onsets, lag):
    centred = onsets - onsets.mean()
    return float(centred[lag:] @ centred[:-lag] / (centred @ centred))


def test_a_walk_through_bars_keeps_their_pulse_and_random_splices_do_not():
    bar = round(1.6 * PER_SECOND)
    sound = played(40.0, seed=3, beat=0.4, bar=4)
    accents = np.float32([1.0, 0.3, 0.6, 0.3])[(np.arange(len(sound)) // round(0.4 * RATE)) % 4]
    memory = made([], sound * accents[:, None])
    runs = [run for seed in range(3) for run in walked(memory, 30.0, seed=seed)[0]]
    rng, spliced = np.random.default_rng(0), []
    for first, last in runs:
        at = rng.integers(0, len(memory) - (last - first))
        spliced.append((at, at + last - first))
    kept, lost = (autocorrelation(memory.onsets[places(each)], bar) for each in (runs, spliced))
    assert kept > 0.5
    assert lost < kept - 0.2, (kept, lost)


def sizes(state):
    return {name: np.size(value) for name, value in vars(state).items()}


def test_ten_minutes_keep_no_more_than_one():
    memory = made([played(10.0, seed=1)], played(10.0, seed=2))
    state, rng, found = start(memory), np.random.default_rng(0), {}
    while state.played < 600 * PER_SECOND:
        next_run(memory, state, OPTIONS, WALK, rng)
        minute = state.played // (60 * PER_SECOND)
        if minute >= 1:
            found.setdefault(minute, []).append(sizes(state))
    assert len(found) >= 9
    assert state.used.max() < 20  # it was played thirty times
    most = [{name: max(each[name] for each in group) for name in group[0]} for group in found.values()]
    for name, size in most[-1].items():
        assert size <= 1.3 * most[0][name]


@pytest.mark.parametrize("repeated", [0.0, 3.0])
def test_a_state_is_all_there_is(album, repeated):
    """A copy of the state and of the generator continues identically."""
    walk, state, rng = dataclasses.replace(WALK, repeated=repeated), start(album), np.random.default_rng(0)
    for _ in range(20):
        next_run(album, state, OPTIONS, walk, rng)
    again, also = copy.deepcopy(state), copy.deepcopy(rng)
    for _ in range(5):
        assert next_run(album, state, OPTIONS, walk, rng) == next_run(album, again, OPTIONS, walk, also)


def repeated_share(memory, runs):
    """Returns the share of phrases that came before, 4 to 40 s ago."""
    rows, options = memory.rows[places(runs)][:, : WALK.phrases.components], WALK.phrases
    at = np.arange(0, len(rows) - options.blocks * options.block, options.block)
    phrases = phrases_from(rows, at, options)
    before = (at[:, None] - at) / PER_SECOND
    return ((phrases @ phrases.T > options.alike) & (before >= 4.0) & (before <= 40.0)).any(axis=1).mean()


@pytest.mark.parametrize("guard", [True, False])
def test_phrases_return_less_often_where_the_guard_counts_them(guard):
    """The prompt's bar of four seconds is a third of the music, and is sought."""
    same, *others = played(30.0, seed=1, beat=0.4, bar=10), *(played(30.0, seed=i, beat=0.4) for i in (2, 3))
    memory = made([same, *others], same[: 10 * RATE])
    walk = dataclasses.replace(WALK, guard=guard, share=0.0, steer=0.0)
    often, seldom = (
        np.mean([repeated_share(memory, walked(memory, 60.0, asked, seed)[0]) for seed in range(2)])
        for asked in (walk, dataclasses.replace(walk, repeated=6.0))
    )
    assert (seldom < 0.85 * often) == guard
    assert guard or seldom == often


def test_a_walk_follows_the_onsets_of_another(album):
    """The other walk is half a beat off the pulse of the prompt."""
    walk = dataclasses.replace(WALK, weights=dataclasses.replace(WALK.weights, coming=12.0, pattern=0.0))
    rhythm = np.float32((np.arange(4000) / PER_SECOND + 0.2) % 0.4 < 1.0 / PER_SECOND)
    alike = []
    for ahead in (True, False):
        state, rng, runs = start(album), np.random.default_rng(0), []
        while state.played < 20 * PER_SECOND:
            runs.append(next_run(album, state, OPTIONS, walk, rng, rhythm[state.played :] if ahead else None))
        onsets = album.onsets[places(runs)][round(2 * PER_SECOND) :]
        alike.append(np.corrcoef(onsets, rhythm[round(2 * PER_SECOND) :][: len(onsets)])[0, 1])
    assert alike[0] > max(alike[1], 0.0) + 0.3, alike


def test_what_was_played_is_used_and_beside_it_a_little(album):
    used = np.zeros(len(album), np.float32)
    use(album, used, 100, 140, WALK)
    width = round(WALK.beside * PER_SECOND)
    np.testing.assert_array_equal(used[100:141], 1.0)
    assert 0 < used[100 - width] < used[101 - width] <= 1.0
    assert not used[: 99 - width].any()
    assert not used[142 + width :].any()
    use(album, used, 0, 20, WALK)
    use(album, used, len(album) - 20, len(album) - 1, WALK)
    assert used[0] == used[-1] == 1.0


@pytest.mark.parametrize("seconds", [0.25, 0.6, 1.0, 2.0, 4.0])
def test_the_shortest_prompt_alone_is_walked(seconds):
    memory = made([], played(seconds, beat=0.2))
    runs, _ = walked(memory, 5.0)
    assert places(runs).max() < len(memory) == round(seconds * RATE) // STEP


def test_recordings_that_are_too_short_for_two_runs_are_not_played():
    memory = made([played(0.6, seed=i) for i in range(20)], played(6.0, seed=30))
    assert memory.own[places(walked(memory, 10.0)[0])].all()
