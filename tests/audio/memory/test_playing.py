"""From recordings and a prompt to blocks of sound."""

import dataclasses
import itertools

import numpy as np
import pytest

from music_composer.audio.memory import playing
from music_composer.audio.memory.analysis.recordings import PromptRecording
from music_composer.audio.memory.analysis.steps import Steps
from music_composer.audio.memory.player import in_pieces
from music_composer.audio.memory.playing import play
from music_composer.audio.memory.walk import start
from music_composer.errors import OptionError
from music_composer.values import Waveform
from tests.audio.memory.music import FRAME, OPTIONS, RATE, STEP, played, recording

FADE = OPTIONS.splice.crossfade
PLAIN = dataclasses.replace(OPTIONS, layered=False)


def pieces(recordings, prompt, seconds, options=OPTIONS, seed=0):
    blocks, found, count = play(recordings, Waveform(prompt, RATE), FRAME, options, np.random.default_rng(seed)), [], 0
    while count < seconds * RATE:
        found.append(next(blocks))
        count += len(found[-1])
    return found


def sound_of(recordings, prompt, seconds, options=OPTIONS, seed=0):
    found = [piece.samples for piece in pieces(recordings, prompt, seconds, options, seed)]
    return np.concatenate(found)[: round(seconds * RATE)]


def jumps_in(blocks):
    """Returns jumps as samples from the beginning of the first piece."""
    found, count = [], 0
    for block in blocks:
        assert list(block.jumps) == sorted(set(block.jumps))
        assert all(0 <= at < len(block) for at in block.jumps)
        found += [count + at for at in block.jumps]
        count += len(block)
    return found


@pytest.fixture(scope="module")
def album():
    return [recording(played(20.0, seed=i, beat=0.4)) for i in range(3)]


def level(sound):
    return 10 * np.log10(np.square(sound).mean() + 1e-12)


@pytest.mark.parametrize("options", [OPTIONS, PLAIN])
def test_music_goes_on_from_the_prompt_at_its_level(album, options):
    prompt = played(9.85, seed=9, beat=0.4)
    sound = sound_of(album, prompt, 6.0, options)
    assert sound.dtype == np.float32
    assert sound.shape == (6 * RATE, 2)
    np.testing.assert_allclose(sound[0], prompt[-FADE], atol=1e-5)
    np.testing.assert_allclose(sound[:20], prompt[-FADE:][:20], atol=0.02)
    assert abs(level(sound) - level(prompt)) < 3.0
    jump = np.abs(np.diff(np.concatenate([prompt[-RATE:-FADE], sound[:RATE]]), axis=0))
    assert jump[RATE - FADE - 3 : RATE - FADE + 3].max() < np.percentile(jump, 99.9)


@pytest.mark.parametrize("options", [OPTIONS, PLAIN])
def test_the_same_seed_gives_the_same_bytes_however_much_is_read(album, options):
    prompt = played(5.0, seed=9, beat=0.4)
    short, long = sound_of(album, prompt, 2.0, options), sound_of(album, prompt, 5.0, options)
    assert long[: len(short)].tobytes() == short.tobytes()
    assert sound_of(album, prompt, 2.0, options, seed=1).tobytes() != short.tobytes()


def test_two_walks_that_are_one_give_its_sound_back(monkeypatch, album):
    """The two layers add up to the sound that was separated, without a delay."""
    course = [(100, 140), (300, 350), (600, 640), (900, 960), (50, 99), (420, 470)]
    prompt, runs = played(5.0, seed=9), {}

    def next_run(memory, state, options, walk, rng, ahead=None):
        run = next(runs.setdefault(id(state), itertools.cycle(course)))
        if ahead is not None:  # the second walk is told what the first one plays meanwhile
            own = memory.onsets[run[0] : run[1] + 1]
            np.testing.assert_array_equal(ahead[: len(own)], own)
            assert len(ahead) >= len(own) + options.views.coming
        return run

    monkeypatch.setattr("music_composer.audio.memory.playing.next_run", next_run)
    one = sound_of(album, prompt, 6.0, PLAIN)
    amplitudes = dataclasses.replace(OPTIONS, layers=dataclasses.replace(OPTIONS.layers, power=1.0))
    np.testing.assert_allclose(sound_of(album, prompt, 6.0, amplitudes), one, atol=1e-5)


@pytest.mark.parametrize("layered", [False, True])
def test_jumps_are_where_either_walk_goes_on_elsewhere(monkeypatch, album, layered):
    """Runs of the first walk last 40 steps, of which every second one goes on where the last one ended; of the other
    walk 55. Runs are moved a little to fit, and never further than the search from their time."""
    courses = [
        itertools.cycle([(100, 139), (140, 179), (300, 339), (340, 379)]),
        itertools.cycle([(0, 54), (500, 554)]),
    ]
    states = {}

    def next_run(memory, state, *_):
        return next(states.setdefault(id(state), courses[len(states) % 2]))

    monkeypatch.setattr("music_composer.audio.memory.playing.next_run", next_run)
    blocks = pieces(album, played(5.0, seed=9), 8.0, OPTIONS if layered else PLAIN)
    due = {80 * i for i in range(1, 9)} | ({55 * i for i in range(1, 12)} if layered else set())
    found = [at for at in jumps_in(blocks) if at < 7.0 * RATE]
    wanted = [FADE + at * STEP for at in sorted(due) if FADE + at * STEP < 7.0 * RATE]
    assert len(found) == len(wanted)
    np.testing.assert_allclose(found, wanted, atol=OPTIONS.splice.search + 1)


def test_pieces_of_any_length_jump_where_blocks_do(album):
    prompt = played(5.0, seed=9, beat=0.4)
    blocks = pieces(album, prompt, 5.0)
    cut = list(in_pieces(iter(blocks), 100, 3000, 1.7))
    assert jumps_in(cut) == jumps_in(blocks) != []
    one, other = (np.concatenate([each.samples for each in found]) for found in (cut, blocks))
    np.testing.assert_array_equal(one, other)
    assert [len(each) for each in cut[:4]] == [100, 170, 289, 491]


def test_the_prompt_gives_way_to_two_layers_without_a_jump(monkeypatch, album):
    prompt, runs = played(4.85, seed=9), {}
    courses = [itertools.cycle([(100 + 300 * i, 140 + 300 * i)]) for i in range(2)]

    def next_run(memory, state, *_):
        return next(runs.setdefault(id(state), courses[len(runs) % 2]))

    monkeypatch.setattr("music_composer.audio.memory.playing.next_run", next_run)
    np.testing.assert_allclose(sound_of(album, prompt, 1.0)[:3], prompt[-FADE:][:3], atol=1e-3)


@pytest.mark.parametrize(("remembered", "wanted"), [(1, 2), (2, 1)])
def test_recordings_have_the_channels_of_the_prompt(remembered, wanted):
    album = [recording(played(10.0, seed=i, channels=remembered)) for i in range(2)]
    options = dataclasses.replace(PLAIN, walk=dataclasses.replace(OPTIONS.walk, share=0.0))
    sound = sound_of(album, played(4.0, seed=9, channels=wanted), 4.0, options)
    assert sound.shape[1] == wanted
    assert level(sound) > -40


@pytest.mark.parametrize("options", [OPTIONS, PLAIN])
@pytest.mark.parametrize("seconds", [0.25, 0.5, 1.5])
@pytest.mark.parametrize("alone", [True, False])
def test_the_shortest_prompts_go_on(album, options, seconds, alone):
    sound = sound_of([] if alone else album, played(seconds, seed=9, beat=0.2), 2.0, options)
    assert np.isfinite(sound).all()
    assert level(sound) > -50


@pytest.mark.parametrize("options", [OPTIONS, PLAIN])
def test_a_silent_prompt_goes_on_with_the_loudest_music(options):
    album = [recording(gain * played(20.0, seed=i)) for i, gain in enumerate((0.05, 1.0))]
    assert (
        abs(level(sound_of(album, np.zeros((RATE, 2), np.float32), 4.0, options)) - level(played(20.0, seed=1))) < 4.0
    )


def test_where_all_is_silent_silence_is_played():
    silence = np.zeros((RATE, 1), np.float32)
    assert not sound_of([recording(silence)], silence, 2.0).any()


def made_up(steps, seed):
    """Returns a recording whose sound is as short as its steps allow."""
    rng = np.random.default_rng(seed)
    levels = np.repeat(rng.normal(-40, 12, (steps // 9 + 1, FRAME.bands // 3)), 9, axis=0)[:steps].astype(np.float32)
    onsets = (np.arange(steps) % 18 == 0).astype(np.float32)
    return PromptRecording(Steps(levels, onsets), np.zeros((steps * STEP, 1), np.float32))


@pytest.mark.journey
@pytest.mark.parametrize(("count", "seconds"), [(1000, 5), (1, 1800), (1, 3)])
def test_many_short_recordings_or_a_long_one(count, seconds):
    album = [made_up(seconds * RATE // STEP, i) for i in range(count)]
    sound = sound_of(album, played(6.0, seed=9), 2.0)
    assert sound.shape == (2 * RATE, 2)


def test_a_prompt_that_is_too_short_is_refused():
    with pytest.raises(OptionError, match="needs 768"):
        next(play([], Waveform(np.zeros((700, 1), np.float32), RATE), FRAME, OPTIONS, np.random.default_rng(0)))


@pytest.mark.parametrize(("shared", "walks"), [(0.5, 2), (OPTIONS.uniform_from, 1)])
def test_where_recordings_share_long_runs_one_walk_is_played(monkeypatch, album, shared, walks):
    begun = []
    monkeypatch.setattr(playing, "start", lambda memory: begun.append(memory) or start(memory))
    options = dataclasses.replace(OPTIONS, walk=dataclasses.replace(OPTIONS.walk, shared=shared))
    pieces(album, played(5.0, seed=9), 1.0, options)
    assert len(begun) == walks


@pytest.mark.parametrize(
    ("shared", "returned", "share"),
    [(0.5, 0.2, 0.45), (OPTIONS.uniform_from, 0.2, 0.25), (OPTIONS.uniform_from, 0.6, 0.3), (9.0, 1.0, 0.45)],
)
def test_of_music_of_one_kind_as_much_is_the_prompts_own_as_returns_in_it(shared, returned, share):
    walk = dataclasses.replace(OPTIONS.walk, shared=shared, returned=returned)
    repeated = OPTIONS.repeated if shared >= OPTIONS.uniform_from else 0.0
    wanted = dataclasses.replace(walk, share=share, repeated=repeated)
    assert dataclasses.replace(OPTIONS, walk=walk).first_walk == wanted
