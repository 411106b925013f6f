from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from music_composer.demo.composer import Note, Piece, Voice, compose
from music_composer.demo.harmony import Key
from music_composer.demo.synth import render
from music_composer.synth.room import place

pytestmark = pytest.mark.journey

RATE = 44100


def solo(*notes: Note, timbre: str = "pluck", pan: float = 0.0) -> Piece:
    """Notes for one voice, at one beat a second."""
    return Piece(notes, 60.0, Key(0, minor=False), 4, 1, (), (Voice("solo", timbre, pan, 0.5),))


def note(pitch: int = 69, start: float = 0.0, duration: float = 2.0, velocity: float = 0.8) -> Note:
    return Note(start, duration, pitch, velocity, "solo")


def spectrum(sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    windowed = sound * np.hanning(len(sound))
    return np.fft.rfftfreq(len(sound), 1 / RATE), np.abs(np.fft.rfft(windowed))


@pytest.mark.parametrize("timbre", ["bass", "bell", "flute", "organ", "pluck"])
@pytest.mark.parametrize(("pitch", "hertz"), [(45, 110.0), (69, 440.0), (81, 880.0)])
def test_the_lowest_strong_partial_is_the_pitch(timbre, pitch, hertz):
    frequencies, power = spectrum(render(solo(note(pitch), timbre=timbre))[:RATE].mean(axis=1))
    lowest = frequencies[np.argmax(power > 0.4 * power.max())]
    peak = frequencies[np.argmax(np.where(frequencies < 1.5 * lowest, power, 0))]
    assert peak == pytest.approx(hertz, rel=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_pieces_peak_at_minus_three_decibels_and_have_similar_loudness(seed):
    piece = compose(np.random.default_rng(seed))
    sound = render(piece)
    assert sound.dtype == np.float32
    assert sound.shape == (pytest.approx((piece.seconds + 1.5) * RATE, abs=1), 2)
    assert np.abs(sound).max() == pytest.approx(10 ** (-3 / 20), rel=1e-4)
    assert 20 * np.log10(np.sqrt(np.mean(sound**2))) == pytest.approx(-15.5, abs=1.5)
    assert abs(sound.mean()) < 1e-3


@pytest.mark.parametrize("pan", [-1.0, 0.0, 1.0])
def test_pan_sets_the_balance_of_energy(pan):
    """Many pitches, since the reverberation of each differs a little between the sides."""
    scale = [note(pitch, start=0.25 * index, duration=0.25) for index, pitch in enumerate(range(57, 73))]
    left, right = (render(solo(*scale, pan=pan)) ** 2).sum(axis=0)
    decibels = 10 * np.log10(right / left)
    assert abs(decibels) < 0.5 if pan == 0 else pan * decibels > 15


def test_pan_keeps_the_power():
    angles = [place(pan) for pan in (-1, -0.4, 0, 0.7, 1)]
    assert [float(gains @ gains) for gains in angles] == pytest.approx([1] * 5)


def test_a_note_starts_on_its_beat_and_ends_in_silence():
    sound = np.abs(render(solo(note(start=1.0, duration=0.5)))).max(axis=1)
    onset = np.argmax(sound > 0.1 * sound.max()) / RATE
    assert onset == pytest.approx(1.0, abs=0.01)
    assert sound[: RATE - 10].max() < 1e-6
    assert sound[-1] == 0
    assert sound[3 * RATE :].max() < 1e-3  # 60 dB down after the release and the room


@pytest.mark.parametrize("timbre", ["bass", "bell", "flute", "organ", "pluck"])
def test_notes_begin_and_end_without_a_click(timbre):
    """A click is energy far above the partials: there the sound must stay 54 dB below its peak at every moment."""
    sound = render(solo(note(57, start=0.5, duration=0.4), timbre=timbre)).mean(axis=1)
    heights = sosfilt(butter(6, 9000, "highpass", fs=RATE, output="sos"), sound)
    assert np.abs(heights).max() < 2e-3 * np.abs(sound).max()


@pytest.mark.parametrize("timbre", ["bass", "bell", "flute", "organ", "pluck"])
def test_louder_notes_are_brighter_and_stronger(timbre):
    soft, loud = (render(solo(note(velocity=v), note(81, 3, 1, 0.8), timbre=timbre)) for v in (0.3, 0.9))

    def brightness(sound: np.ndarray) -> float:
        frequencies, power = spectrum(sound[:RATE].mean(axis=1))
        return float((frequencies * power).sum() / power.sum())

    assert brightness(loud) > 1.05 * brightness(soft)
    assert np.std(loud[:RATE]) > 1.5 * np.std(soft[:RATE])


def test_plucked_notes_decay_and_blown_ones_last():
    def fall(timbre: str) -> float:
        sound = render(solo(note(duration=2.0), timbre=timbre))
        early, late = (np.std(sound[int(begin * RATE) :][: RATE // 5]) for begin in (0.2, 1.5))
        return float(late / early)

    assert fall("pluck") < 0.1
    assert fall("flute") > 0.7


def test_rendering_is_repeatable_and_silence_stays_silent():
    piece = compose(np.random.default_rng(1), bars=4)
    np.testing.assert_array_equal(render(piece), render(piece))
    assert not render(replace(piece, notes=())).any()


def test_high_partials_do_not_alias():
    """At 8 kHz only two of A6's partials fit below Nyquist: nothing may sound between and below them."""
    sound = render(solo(note(93, duration=3.0), timbre="flute"), rate=8000).mean(axis=1)[1000:20000]
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    frequencies = np.fft.rfftfreq(len(sound), 1 / 8000)
    allowed = (np.abs(frequencies - 1760) < 60) | (np.abs(frequencies - 3520) < 60)
    assert power[~allowed].max() < 0.01 * power.max()
