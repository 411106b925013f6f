"""Sines appear in their rows, and transposition shifts rows."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from music_composer.audio.reading import decoder
from music_composer.errors import OptionError, RecordingError
from music_composer.evaluation.audio.signal.semitones import (
    SemitoneOptions,
    chroma,
    semitone_levels,
    semitones_of_blocks,
    semitones_of_file,
)

OPTIONS = SemitoneOptions()


def tone(pitch: float, seconds: float = 1.0, rate: int = 44100) -> np.ndarray:
    """Six harmonics, the first at `pitch` (semitones above A1, 55 Hz): (n,) float32."""
    turns = 55.0 * 2.0 ** (pitch / 12.0) * np.arange(round(seconds * rate)) / rate
    return np.sum([0.2 / k * np.sin(2 * np.pi * k * turns) for k in range(1, 7)], axis=0).astype(np.float32)


@pytest.mark.parametrize(("hertz", "row"), [(110.0, 12), (440.0, 36), (466.164, 37), (1046.502, 51), (6644.875, 83)])
def test_a_full_scale_sine_peaks_in_its_row_near_zero_db(hertz: float, row: int) -> None:
    levels = semitone_levels(np.sin(2 * np.pi * hertz * np.arange(44100) / 44100), OPTIONS)
    assert set(levels.argmax(axis=1)) == {row}
    assert levels[:, row] == pytest.approx(np.full(len(levels), 0.5), abs=1.4)
    assert levels[:, (row + 24) % 84].max() < -55.0


def test_ten_times_softer_is_twenty_db_less() -> None:
    loud, soft = (semitone_levels(gain * tone(30), OPTIONS)[0, 30] for gain in (1.0, 0.1))
    assert loud - soft == pytest.approx(20.0, abs=0.01)


@pytest.mark.parametrize("shift", [1, 2, -2])
def test_a_transposed_tone_is_the_same_picture_some_rows_higher(shift: int) -> None:
    levels, moved = (semitone_levels(tone(pitch), OPTIONS) for pitch in (24, 24 + shift))
    rows = [24, 36, 43, 48, 52, 55]  # of the harmonics: an octave, a fifth, a fourth, thirds
    assert moved[:, [row + shift for row in rows]] == pytest.approx(levels[:, rows], abs=1.0)
    assert np.abs(moved[:, rows] - levels[:, rows]).min() > 3.0


def test_silence_reads_the_floor_and_short_sound_has_no_frames() -> None:
    assert semitone_levels(np.zeros(44100), OPTIONS) == pytest.approx(np.full((9, 84), OPTIONS.floor_db))
    assert semitone_levels(np.zeros(8191), OPTIONS).shape == (0, 84)
    for samples in (8192, 8192 + 4095):
        assert semitone_levels(np.zeros(samples), OPTIONS).shape == (1, 84)
    assert semitones_of_blocks([], OPTIONS).shape == (0, 84)


def test_where_blocks_are_cut_makes_no_difference() -> None:
    stereo = np.random.default_rng(0).normal(0, 0.1, (100_000, 2)).astype(np.float32)
    whole = semitone_levels(stereo, OPTIONS)
    assert whole == pytest.approx(semitone_levels(stereo.mean(axis=1), OPTIONS))
    for cuts in ([1, 5000], [8192, 12288], list(range(0, 100_000, 333))):
        assert semitones_of_blocks(np.split(stereo, cuts), OPTIONS) == pytest.approx(whole, abs=1e-3)


def test_files_are_streamed_and_resampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "BLOCK_VALUES", 30011)
    expected = semitone_levels(tone(30, 3.0), OPTIONS)
    for rate in (44100, 48000):
        soundfile.write(tmp_path / "a.wav", tone(30, 3.0, rate), rate, subtype="FLOAT")
        levels = semitones_of_file(tmp_path / "a.wav", OPTIONS)
        assert levels[:-1, [30, 42, 49]] == pytest.approx(expected[: len(levels) - 1, [30, 42, 49]], abs=0.1)
        assert len(levels) == pytest.approx(len(expected), abs=1)
    part = semitones_of_file(tmp_path / "a.wav", OPTIONS, start=1.0, stop=2.0)
    assert len(part) == (44100 - 8192) // 4096 + 1


def test_what_is_no_recording_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    for name in ("text.wav", "missing.wav"):
        with pytest.raises(RecordingError, match=name):
            semitones_of_file(tmp_path / name, OPTIONS)


@pytest.mark.parametrize("bad", [{"rows": 0}, {"hop": 9000}, {"rows": 110}, {"lowest": 4.0}])
def test_options_that_make_no_sense_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        SemitoneOptions(**bad)  # type: ignore[arg-type]


OCTAVES = SemitoneOptions(rows=72, lowest=65.4064)  # from C2 on


def sine(note: int) -> np.ndarray:
    """Half a second of a sine on a MIDI note number."""
    return np.sin(2 * np.pi * 440.0 * 2.0 ** ((note - 69) / 12) * np.arange(22050) / 44100)


@settings(max_examples=8, deadline=None)
@given(st.integers(50, 95), st.integers(1, 11))
def test_transposing_turns_the_pitch_classes(note: int, by: int) -> None:
    classes, moved = (chroma(semitone_levels(sine(n), OCTAVES), OCTAVES) for n in (note, note + by))
    assert classes.argmax() == note % 12
    assert moved.argmax() == (note + by) % 12
    assert classes.sum() == pytest.approx(1.0)


def test_octaves_are_one_pitch_class_and_silence_is_none() -> None:
    assert chroma(semitone_levels(sum(sine(note) for note in (60, 72, 84, 96)), OCTAVES), OCTAVES)[0] > 0.9
    assert (chroma(semitone_levels(np.zeros(9000), OCTAVES), OCTAVES) == 0).all()
