"""Notes have their pitch and the spectrum of their tone, and do not alias."""

import numpy as np
import pytest

from music_composer.cli.render import VOICES as NAMES
from music_composer.synth.tones import Envelope, Noise, Wave, hertz, render_drum, render_note
from music_composer.synth.voices import AUTO, LEVELS, TONES, VOICES, drum_of, tone_of_program

RATE = 44100
FLAT = Envelope(0.0, 1.0, 1.0, 0.0)


def spectrum(sound):
    return np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) / len(sound) * 4


@pytest.mark.parametrize("name", sorted(TONES))
@pytest.mark.parametrize("pitch", [40, 69, 88])
def test_a_note_sounds_at_its_pitch(name, pitch):
    power = spectrum(render_note(TONES[name], pitch, 0.8, 1.0, RATE)[:RATE])
    strong = np.flatnonzero(power > 0.2 * power.max())
    assert min(strong, key=lambda hz: abs(hz - hertz(pitch))) == pytest.approx(hertz(pitch), rel=0.02, abs=1.5)
    assert strong[0] > 0.95 * hertz(pitch)


@pytest.mark.parametrize(("duty", "missing"), [(0.5, 2), (0.25, 4), (0.125, 8)])
def test_a_pulse_lacks_the_partials_of_its_duty_cycle(duty, missing):
    """Of a pulse that is high for 1/n of its period every n-th partial is missing (Fourier)."""
    power = spectrum(render_note(Wave("pulse", FLAT, duty), 57, 1.0, 1.0, RATE))[220::220]
    for order in range(1, 9):
        expected = abs(2 / (np.pi * order) * np.sin(np.pi * order * duty)) * 2 / 2
        assert power[order - 1] == pytest.approx(expected, abs=0.01)
        assert (power[order - 1] < 0.005) == (order % missing == 0)


def test_a_triangle_has_odd_partials_that_fall_by_the_square():
    power = spectrum(render_note(Wave("triangle", FLAT), 57, 1.0, 1.0, RATE))[220::220]
    assert power[2] / power[0] == pytest.approx(1 / 9, rel=0.02)
    assert power[4] / power[0] == pytest.approx(1 / 25, rel=0.02)
    assert power[[1, 3, 5]].max() < 1e-3


@pytest.mark.parametrize("shape", ["pulse", "triangle", "saw"])
def test_nothing_aliases(shape):
    """At 4435 Hz everything lies on a few multiples."""
    power = spectrum(render_note(Wave(shape, FLAT, 0.25), 109, 1.0, 1.0, RATE))
    allowed = np.zeros(len(power), bool)
    for order in range(1, 6):
        at = round(order * hertz(109))
        allowed[at - 30 : at + 31] = True
    assert power[~allowed].max() < 1e-3 * power.max()


def test_detuned_waves_beat_and_keep_their_power():
    one, three = (render_note(Wave("saw", FLAT, detune=d), 57, 1.0, 4.0, RATE) for d in ((0.0,), (-0.1, 0.0, 0.1)))
    assert np.std(three) == pytest.approx(np.std(one), rel=0.1)
    powers = [np.std(part) for part in np.split(three, 40)]
    assert max(powers) > 1.3 * min(powers)


def test_vibrato_sways_by_its_semitones_and_comes_later():
    sound = render_note(Wave("saw", FLAT, vibrato=0.5), 69, 1.0, 2.0, RATE)
    rises = np.flatnonzero((sound[:-1] < 0) & (sound[1:] >= 0))
    pitch = 12 * np.log2(RATE / np.diff(rises) / 440)
    early, late = (pitch[(rises[:-1] > a * RATE) & (rises[:-1] < b * RATE)] for a, b in ((0, 0.05), (1, 2)))
    assert np.abs(early).max() < 0.25
    assert late.max() == pytest.approx(0.5, abs=0.25)
    assert late.min() == pytest.approx(-0.5, abs=0.25)


def test_louder_notes_are_louder_and_no_note_clicks():
    for name, tone in TONES.items():
        soft, loud = (render_note(tone, 60, velocity, 0.5, RATE) for velocity in (0.3, 0.9))
        assert np.std(loud) > 2 * np.std(soft)
        assert abs(loud[0]) < 0.02, name
        assert np.abs(loud[-20:]).max() < 0.01, name


def test_drums_are_the_same_each_time_and_end():
    for pitch in (36, 38, 42, 49, 99):
        one, two = render_drum(drum_of(pitch), 0.8, RATE), render_drum(drum_of(pitch), 0.8, RATE)
        assert np.array_equal(one, two)
        assert np.std(one[: len(one) // 10]) > 20 * np.std(one[-len(one) // 10 :])
    assert len({drum_of(pitch) for pitch in (36, 38, 42, 49)}) == 4
    assert isinstance(drum_of(0), Noise)


def test_every_voice_and_program_has_tones():
    assert set(NAMES) == {AUTO, *VOICES}
    for voice in VOICES.values():
        assert {*voice.upper, voice.lowest or "piano"} <= set(TONES)
    assert {tone_of_program(program) for program in range(128)} <= set(TONES)
    assert set(LEVELS) <= set(TONES)
    assert tone_of_program(0) == "piano"
    assert tone_of_program(48) == "strings"
