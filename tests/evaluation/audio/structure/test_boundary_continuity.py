"""Cuts with a known step in level, timbre or key, and the comparison with splices."""

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from music_composer.errors import MusicComposerError, OptionError
from music_composer.evaluation.audio.structure import boundary_continuity
from music_composer.evaluation.audio.structure.boundary_continuity import (
    ContinuityOptions,
    Discontinuity,
    at_cut,
    discontinuity,
    harmonic_change,
    random_splices,
    share_better,
)
from tests.evaluation.audio.tunes import REEDS, tune
from tests.properties import cases

OPTIONS = ContinuityOptions()
RATE = 44100


def chord(notes: tuple[int, ...], seconds: float, slope: float = 1.5, level: float = 0.1, start: float = 0.0):
    """Harmonics that fall with power `slope`, all in phase at second 0: (n,) float32."""
    time = start + np.arange(int(seconds * RATE)) / RATE
    tones = [440.0 * 2.0 ** ((note - 69) / 12) for note in notes]
    parts = [np.sin(2 * np.pi * tone * k * time) / k**slope for tone in tones for k in range(1, 13)]
    return (level * sum(parts)).astype(np.float32)


@lru_cache
def ringing(note: int, slope: float) -> np.ndarray:
    return chord((note,), 2.0, slope) * np.exp(-1.5 * np.arange(2 * RATE) / RATE).astype(np.float32)


@lru_cache
def song(seed: int, key: int, seconds: int = 16) -> np.ndarray:
    """Triads of one major key, one a second, each ringing on into the next; its own loudness and timbre."""
    rng = np.random.default_rng(seed)
    slope, gain = (1.0, 1.5, 2.0)[seed % 3], np.float32(10 ** (rng.uniform(-10, 0) / 20))
    out = np.zeros((seconds + 1) * RATE, np.float32)
    for second in range(seconds):
        root = key + int(rng.choice([0, 5, 7]))
        triad = sum(ringing(root + third, slope) for third in (0, 4, 7))
        out[second * RATE : (second + 2) * RATE] += gain * triad
    return out[: seconds * RATE]


C_MAJOR, F_SHARP_MAJOR = (60, 64, 67), (66, 70, 73)


def test_a_held_chord_has_no_step() -> None:
    step = at_cut(chord(C_MAJOR, 4.0), 2.0, OPTIONS)
    assert step.level < 0.5
    assert step.spectrum < 1e-2
    assert step.key < 1e-3


@settings(max_examples=8, deadline=None)
@given(st.floats(-30.0, 30.0))
def test_a_step_in_level_reads_its_size_and_nothing_else(gain: float) -> None:
    noise = (0.01 * np.random.default_rng(0).normal(size=2 * RATE)).astype(np.float32)
    step = discontinuity(noise[::-1], noise * np.float32(10 ** (gain / 20)), OPTIONS)
    assert step.level == pytest.approx(abs(gain), abs=1e-3)
    assert step.spectrum < 0.2
    assert step.key < 0.1


def test_another_key_is_seen_in_the_key_and_another_timbre_is_not() -> None:
    before = chord(C_MAJOR, 2.0)
    level = 0.1 * np.std(before) / np.std(chord(C_MAJOR, 2.0, slope=0.2))
    dull, bright = chord(C_MAJOR, 2.0, start=2.0), chord(C_MAJOR, 2.0, slope=0.2, level=level, start=2.0)
    other = chord(F_SHARP_MAJOR, 2.0)
    steps = [discontinuity(before, after, OPTIONS) for after in (dull, bright, other)]
    assert steps[2].key > 0.7
    assert steps[1].key < 0.3
    assert steps[1].spectrum > steps[0].spectrum + 0.05
    assert steps[2].spectrum > 0.5


def test_a_step_reads_the_same_backwards() -> None:
    music = song(0, 60)
    forwards, backwards = at_cut(music, 5.0, OPTIONS), at_cut(music[::-1], 11.0, OPTIONS)
    assert forwards.level == pytest.approx(backwards.level, abs=1e-3)
    assert forwards.spectrum == pytest.approx(backwards.spectrum, abs=0.02)
    assert forwards.key == pytest.approx(backwards.key, abs=0.02)


def test_harmony_changes_as_often_as_chords_do_and_not_with_what_stands_still() -> None:
    still, rest = harmonic_change(chord(C_MAJOR, 4.0), OPTIONS), np.zeros(2 * RATE)
    fast = harmonic_change(np.concatenate([chord(notes, 0.5) for notes in (C_MAJOR, F_SHARP_MAJOR) * 2]), OPTIONS)
    slow = harmonic_change(np.concatenate([chord(notes, 1.0) for notes in (C_MAJOR, F_SHARP_MAJOR)]), OPTIONS)
    assert still < 0.01
    assert fast > 0.7
    assert slow == pytest.approx(fast / 3, abs=0.1)
    assert harmonic_change(rest[: RATE // 2], OPTIONS) == harmonic_change(rest, OPTIONS) == 0.0


def test_silence_is_like_silence_and_unlike_music() -> None:
    silence, music = np.zeros(RATE), chord(C_MAJOR, 1.0)
    assert discontinuity(silence, silence, OPTIONS) == Discontinuity(0.0, 0.0, 0.0)
    step = discontinuity(music, silence, OPTIONS)
    assert step.level > 60.0
    assert (step.spectrum, step.key) == (1.0, 1.0)


def test_only_two_seconds_on_either_side_count() -> None:
    near, far = song(1, 60), song(2, 66)
    expected = at_cut(near, 8.0, OPTIONS)
    padded = np.concatenate([far, near[6 * RATE : 10 * RATE], far])
    found = at_cut(padded, 18.0, OPTIONS)
    assert (found.level, found.spectrum, found.key) == (expected.level, expected.spectrum, expected.key)
    assert at_cut(near[7 * RATE : 9 * RATE], 1.0, OPTIONS).level == expected.level


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.99, 15.01, 16.0, 20.0])
def test_a_cut_too_near_an_end_names_the_file(seconds: float) -> None:
    music = np.zeros(16 * RATE)
    with pytest.raises(MusicComposerError, match=r"song.wav: 16.00 s long.*1 s of music are needed"):
        at_cut(music, seconds, OPTIONS, name="song.wav")
    with pytest.raises(MusicComposerError, match=r"song.wav"):
        random_splices(music, seconds, [music], 1, np.random.default_rng(0), OPTIONS, name="song.wav")


def test_too_short_sides_and_too_short_others_are_refused() -> None:
    with pytest.raises(MusicComposerError, match=r"2.00 s before and 0.50 s after.*on both sides"):
        discontinuity(np.zeros(2 * RATE), np.zeros(RATE // 2), OPTIONS)
    for others in ([], [np.zeros(RATE)]):
        with pytest.raises(MusicComposerError, match=r"None of . recordings has 2.0 s"):
            random_splices(np.zeros(4 * RATE), 2.0, others, 1, np.random.default_rng(0), OPTIONS)


def test_splices_are_drawn_evenly_from_every_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others of 3, 1 (too short) and 5 places; their samples say where they are."""
    options = ContinuityOptions(rate=100, fft=64, hop=32)
    mono = np.arange(1000.0)
    others = [1000.0 + np.arange(202), 2000.0 + np.arange(199), 3000.0 + np.arange(204)]
    taken: list[float] = []

    def note(before: np.ndarray, after: np.ndarray, _: ContinuityOptions) -> Discontinuity:
        assert before[-1] == 499.0
        assert len(after) == 200
        assert after[-1] - after[0] == 199.0
        taken.append(float(after[0]))
        return Discontinuity(0.0, 0.0, 0.0)

    monkeypatch.setattr(boundary_continuity, "_Before", lambda samples, _: samples)
    monkeypatch.setattr(boundary_continuity, "_step", note)
    assert len(random_splices(mono, 5.0, others, 8000, np.random.default_rng(0), options)) == 8000
    places, counts = np.unique(taken, return_counts=True)
    assert places.tolist() == [1000.0, 1001.0, 1002.0, 3000.0, 3001.0, 3002.0, 3003.0, 3004.0]
    assert counts == pytest.approx(np.full(8, 1000), rel=0.12)


def test_the_same_generator_state_gives_the_same_splices() -> None:
    music, others = song(3, 60), [song(4, 65), song(5, 70)]
    draws = [random_splices(music, 6.0, others, 4, np.random.default_rng(seed), OPTIONS) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    assert len(set(draws[0])) == 4


@pytest.mark.journey
def test_music_that_goes_on_beats_splices() -> None:
    rng = np.random.default_rng(0)
    songs = [song(seed, 60 + 5 * seed % 12) for seed in range(6)]
    cuts = [(i, at) for i in range(6) for at in rng.uniform(2.0, 14.0, 3)]
    own = [at_cut(songs[i], at, OPTIONS) for i, at in cuts]
    spliced = [random_splices(songs[i], at, songs[:i] + songs[i + 1 :], 4, rng, OPTIONS) for i, at in cuts]
    assert share_better(own, spliced).combined > 0.9
    strangers = [random_splices(songs[i], at, songs[:i] + songs[i + 1 :], 1, rng, OPTIONS)[0] for i, at in cuts]
    assert share_better(strangers, spliced).combined == pytest.approx(0.5, abs=0.15)


def test_shares_are_counted_pair_by_pair() -> None:
    one = Discontinuity(1.0, 0.5, 0.3)
    splices = [Discontinuity(2.0, 0.4, 0.3), Discontinuity(3.0, 0.6, 0.3)]
    share = share_better([one], [splices])
    assert (share.level, share.spectrum, share.key) == (1.0, 0.5, 0.5)
    assert share.combined == 0.75  # mean ranks 5/3, against 5/3 (a tie) and 8/3
    two_of_three = share_better([one], [[Discontinuity(2.0, 0.6, 0.2)]])
    assert (two_of_three.key, two_of_three.combined) == (0.0, 1.0)
    worse = share_better([one, Discontinuity(9.0, 9.0, 9.0)], [splices * 3, splices[:1]])
    assert (worse.level, worse.spectrum, worse.key) == (0.5, 0.25, 0.25)


def test_the_pulse_counts_where_it_was_read() -> None:
    one, splices = Discontinuity(1.0, 0.5, 0.3, 0.2), [Discontinuity(2.0, 0.4, 0.4, 0.1)]
    share = share_better([one, Discontinuity(9.0, 9.0, 9.0)], [splices, splices])
    assert share.pulse == 0.0
    assert share.level == 0.5
    assert share.combined == 0.25, "of the first by four ranks, a tie; of the second by three"
    assert share_better([Discontinuity(9.0, 9.0, 9.0)], [splices]).pulse is None


def test_who_goes_on_in_phase_beats_who_goes_on_off_the_beat() -> None:
    sound = tune(REEDS, 0, 16.0, beat=0.5)
    at = 9 * RATE
    steps = [
        discontinuity(sound[:at], sound[at + off : at + off + 2 * RATE], OPTIONS).pulse
        for off in (0, RATE, round(0.1 * RATE), round(0.3 * RATE))
    ]
    assert max(steps[:2]) + 0.2 < min(steps[2:])
    assert np.isnan(discontinuity(sound[: 5 * RATE], sound[at:], OPTIONS).pulse), "less than six seconds before it"
    assert discontinuity(np.zeros(7 * RATE), np.zeros(2 * RATE), OPTIONS).pulse == 1.0


@cases(50)
@given(st.lists(st.tuples(*[st.floats(0.0, 9.0)] * 3), min_size=2, max_size=2))
def test_changing_places_changes_the_share(pair: list[tuple[float, float, float]]) -> None:
    one, other = (Discontinuity(*figures) for figures in pair)
    forth, back = share_better([one], [[other]]), share_better([other], [[one]])
    shares = ("level", "spectrum", "key", "combined")
    assert [getattr(forth, name) + getattr(back, name) for name in shares] == [1.0] * 4


def test_nothing_to_compare_is_refused() -> None:
    one = Discontinuity(1.0, 1.0, 1.0)
    for continuations, splices in (([], []), ([one], []), ([one], [[]]), ([one, one], [[one]])):
        with pytest.raises(MusicComposerError, match="at least one splice"):
            share_better(continuations, splices)


def test_options_that_make_no_sense_are_refused() -> None:
    for bad in ({"level_seconds": 2.0}, {"most_seconds": 0.5}, {"fft": 65536}, {"hop": 0}, {"range_db": 0.0}):
        with pytest.raises(OptionError):
            ContinuityOptions(**bad)
