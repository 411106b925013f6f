"""The course of signals with known loudness and spectrum, and their stability in an envelope."""

import tracemalloc

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from music_composer.errors import MusicComposerError, OptionError
from music_composer.evaluation.audio.signal.drift import (
    Course,
    DriftOptions,
    Envelope,
    course_of_blocks,
    envelope_of,
    loudness_slope,
    silence_seconds,
    stability,
)
from tests.partials import falling, harmonics

pytestmark = pytest.mark.journey

OPTIONS = DriftOptions()
RATE = 44100


def noise(seed: int, seconds: float, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(seed).normal(size=int(seconds * RATE))).astype(np.float32)


def sine(frequency: float, seconds: float) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * np.arange(int(seconds * RATE)) / RATE).astype(np.float32)


def tune(seed: int, seconds: float) -> np.ndarray:
    """Harmonic notes with some breath that die away, two a second: (n,) float32."""
    rng = np.random.default_rng(seed)
    time = np.arange(RATE // 2) / RATE
    notes = []
    for _ in range(int(2 * seconds)):
        pitch = 220.0 * 2.0 ** (rng.integers(0, 24) / 12.0)
        breath = 10 ** (rng.uniform(-45.0, -35.0) / 20.0) * rng.normal(size=len(time))
        tone = harmonics(pitch, len(time), falling(24, 1.5))
        notes.append(0.1 * rng.uniform(0.5, 1.0) * np.exp(-3 * time) * (tone + breath))
    return np.concatenate(notes).astype(np.float32)


def course(*blocks: np.ndarray) -> Course:
    return course_of_blocks(blocks, OPTIONS)


def flat_course(loudness: np.ndarray) -> Course:
    return Course(np.asarray(loudness, float), np.full(len(loudness), -40.0), np.full(len(loudness), -20.0))


@pytest.fixture(scope="module")
def envelope() -> Envelope:
    return envelope_of([course(tune(seed, 30.0)) for seed in range(3)], OPTIONS)


def test_white_noise_is_flat_and_a_sine_is_not() -> None:
    assert course(noise(0, 5.0)).flatness == pytest.approx(np.zeros(10), abs=0.3)
    assert (course(sine(1000.0, 5.0)).flatness < -45.0).all()


def test_what_nobody_hears_does_not_count() -> None:
    music = sine(1000.0, 5.0)
    for below, least, most in ((60, 0.0, 1.0), (30, 5.0, 99.0)):
        hiss = noise(1, 5.0, level=float(music.std()) * 10 ** (-below / 20))
        change = (course(music + hiss).flatness - course(music).flatness).mean()
        assert least <= change <= most


def test_levels_of_known_signals() -> None:
    assert course(sine(441.0, 2.0)).loudness == pytest.approx(np.full(4, -3.01), abs=0.01)
    assert course(np.full(RATE, 0.1)).loudness == pytest.approx(np.full(2, -20.0), abs=1e-4)


@pytest.mark.parametrize("share", [0.5, 0.1, 1e-4])
def test_high_ratio_is_the_share_of_power_above_4_khz(share: float) -> None:
    mixed = np.sqrt(1 - share) * sine(1000.0, 1.0) + np.sqrt(share) * sine(8000.0, 1.0)
    assert course(mixed).high_ratio == pytest.approx(np.full(2, 10 * np.log10(share)), abs=0.05)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.01, 2.0))
def test_a_gain_moves_the_loudness_and_nothing_else(gain: float) -> None:
    music = tune(1, 2.0)
    before, after = course(music), course(music * np.float32(gain))
    assert after.loudness - before.loudness == pytest.approx(np.full(4, 20 * np.log10(gain)), abs=1e-3)
    assert after.flatness == pytest.approx(before.flatness, abs=1e-2)
    assert after.high_ratio == pytest.approx(before.high_ratio, abs=1e-2)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 3 * RATE), max_size=6))
def test_where_blocks_are_cut_makes_no_difference(cuts: list[int]) -> None:
    music = tune(2, 3.2)
    whole, pieces = course(music), course(*np.split(music, sorted(cuts)))
    assert len(whole) == 6
    for name, values in vars(whole).items():
        assert getattr(pieces, name) == pytest.approx(values, abs=1e-3)


def test_silence_reads_the_floor_and_is_finite() -> None:
    read = course(np.zeros(RATE), np.full(RATE, 1e-5), noise(3, 1.0, level=1e-3))
    assert np.isfinite([*vars(read).values()]).all()
    for values in vars(read).values():
        assert (values[:4] == OPTIONS.floor_db).all()
        assert (values[4:] > OPTIONS.floor_db).all()
    assert len(course(np.zeros(10))) == len(course()) == 0


def test_memory_does_not_grow_with_the_length() -> None:
    def peak(seconds: int) -> int:
        tracemalloc.start()
        course_of_blocks((noise(second, 1.0) for second in range(seconds)), OPTIONS)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(2)
    assert peak(40) < peak(10) + 30 * RATE * 4 / 10


def test_an_envelope_holds_all_but_the_outliers_and_no_spectrum_of_silence() -> None:
    rising = np.arange(101.0)
    loud = Course(rising - 110.0, rising - 200.0, rising - 300.0)
    envelope = envelope_of([loud], OPTIONS)
    assert envelope.loudness == pytest.approx((-109.0, -11.0))
    assert envelope.silence == -110.0  # 50 dB below the median, -60: all of it sounds
    assert envelope.flatness == pytest.approx((-199.0, -101.0))
    rests = Course(np.full(50, -115.0), np.zeros(50), np.zeros(50))
    with_rests = envelope_of([loud, rests], DriftOptions(silence_db=-25.0))
    assert with_rests.loudness[0] == pytest.approx(-115.0)
    assert (with_rests.flatness, with_rests.high_ratio) == (envelope.flatness, envelope.high_ratio)


def test_silence_makes_no_envelope() -> None:
    for courses in ([], [course()], [course(np.zeros(RATE))]):
        with pytest.raises(MusicComposerError, match="silent or shorter"):
            envelope_of(courses, OPTIONS)


def test_music_survives_among_its_own_kind(envelope: Envelope) -> None:
    music = tune(9, 30.0)
    rest = np.concatenate([music[: 12 * RATE], np.zeros(2 * RATE, "f4"), music[14 * RATE :]])
    for each in (music, rest):
        read = stability(course(each), envelope, OPTIONS)
        assert read.stable
        assert read.segments == 41


@pytest.mark.parametrize("figure", ["loudness", "flatness", "high_ratio"])
def test_damage_in_one_stretch_is_fatal_and_named(envelope: Envelope, figure: str) -> None:
    music = tune(10, 40.0)
    spoiled = music[15 * RATE : 25 * RATE].copy()
    if figure == "loudness":
        spoiled *= np.float32(30.0)
    elif figure == "flatness":
        spoiled += scipy.signal.sosfilt(scipy.signal.butter(4, 3500.0, fs=RATE, output="sos"), noise(0, 10.0, 0.02))
    else:
        spoiled += np.float32(0.02) * sine(7000.0, 10.0)
    read = stability(course(music[: 15 * RATE], spoiled, music[25 * RATE :]), envelope, OPTIONS)
    assert not read.stable
    assert 0 < getattr(read, figure) < read.segments
    if figure != "flatness":  # noise below 4 kHz lowers the high ratio
        assert getattr(read, figure) == read.loudness + read.flatness + read.high_ratio


def test_falling_silent_for_ten_seconds_is_fatal_even_where_silence_is_common(envelope: Envelope) -> None:
    music = course(tune(11, 12.0), np.zeros(12 * RATE))
    assert stability(music, envelope, OPTIONS).loudness > 0
    lenient = Envelope((-100.0, 0.0), envelope.flatness, envelope.high_ratio, envelope.silence)
    read = stability(music, lenient, OPTIONS)
    assert read.loudness == 0
    assert read.flatness == read.high_ratio == 5  # the stretches that are silent throughout
    assert not read.stable


def test_too_little_music_is_refused(envelope: Envelope) -> None:
    with pytest.raises(MusicComposerError, match="9.5 s.*at least 10 s"):
        stability(flat_course(np.zeros(19)), envelope, OPTIONS)
    with pytest.raises(MusicComposerError, match="19.5 s.*at least 20 s"):
        loudness_slope(flat_course(np.zeros(39)), OPTIONS)


@settings(max_examples=30, deadline=None)
@given(st.floats(-20.0, 20.0), st.integers(40, 200))
def test_the_slope_of_a_ramp_is_the_ramp(slope: float, windows: int) -> None:
    ramp = flat_course(-30.0 + slope * np.arange(windows) / 120.0)
    assert loudness_slope(ramp, OPTIONS) == pytest.approx(slope, abs=1e-6)


def test_a_gain_ramp_on_sound_is_measured() -> None:
    sound = noise(4, 60.0) * 10 ** (3.0 * np.arange(60 * RATE) / (60 * RATE) / 20)
    assert loudness_slope(course(sound), OPTIONS) == pytest.approx(3.0, abs=0.05)


def test_rests_and_a_soft_ending_do_not_bend_the_slope() -> None:
    loudness = -30.0 + 3.0 * np.arange(1200) / 120.0
    loudness[300:310] = -80.0
    loudness[600:640] = -80.0
    loudness[1180:] = -60.0
    assert loudness_slope(flat_course(loudness), OPTIONS) == pytest.approx(3.0, abs=0.3)


def test_the_slope_is_of_power_so_that_rests_within_a_stretch_are_carried() -> None:
    steady, halting = np.full(120, -30.0 - 10 * np.log10(2)), np.tile([-30.0, -80.0], 60)
    assert loudness_slope(flat_course(np.concatenate([steady, halting])), OPTIONS) == pytest.approx(0.0, abs=0.01)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans(), max_size=60))
def test_silence_is_the_longest_run(silent: list[bool]) -> None:
    longest = max((len(run) for run in "".join("s" if each else " " for each in silent).split()), default=0)
    assert silence_seconds(flat_course(np.where(silent, -79.0, -20.0)), -70.0, OPTIONS) == longest / 2


def test_falling_silent_is_seen(envelope: Envelope) -> None:
    assert silence_seconds(course(tune(12, 10.0), np.zeros(7 * RATE)), envelope.silence, OPTIONS) == 7.0
    assert silence_seconds(course(tune(12, 10.0)), envelope.silence, OPTIONS) == 0.0


def test_options_that_make_no_sense_are_refused() -> None:
    for bad in ({"fft": 32768}, {"hop": 0}, {"segment_seconds": 0.1}, {"high_hz": 30000.0}, {"outliers": 50.0}):
        with pytest.raises(OptionError):
            DriftOptions(**bad)
