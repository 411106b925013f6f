"""Windows of a stream, and the level of every semitone, against signals whose spectrum is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from music_composer.errors import MusicComposerError, OptionError
from music_composer.evaluation.spectra import SemitoneOptions, chroma, semitone_levels, windows_of_blocks

OPTIONS = SemitoneOptions()


def sine(note: float, seconds: float = 1.0, level: float = 1.0) -> np.ndarray:
    """A sine on a MIDI note number: float32 (n,)."""
    frequency = 440.0 * 2.0 ** ((note - 69) / 12)
    return (level * np.sin(2 * np.pi * frequency * np.arange(int(seconds * 44100)) / 44100)).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 700),
    st.integers(1, 40),
    st.integers(1, 40),
    st.lists(st.integers(0, 700), max_size=5),
    st.booleans(),
)
def test_windows_are_those_of_the_whole_however_it_is_cut(
    count: int, length: int, hop: int, cuts: list[int], empty: bool
) -> None:
    hop = min(hop, length)
    samples = np.arange(count, dtype=np.float32)
    blocks = np.split(samples, sorted(cut for cut in cuts if cut <= count)) + [samples[:0]] * empty
    windows = [window for part in windows_of_blocks(blocks, length, hop) for window in part]
    expected = [samples[at : at + length] for at in range(0, count - length + 1, hop)]
    assert len(windows) == len(expected)
    assert all(np.array_equal(one, other) for one, other in zip(windows, expected, strict=True))


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(MusicComposerError, match="not numbers"):
        list(windows_of_blocks([np.zeros(9), np.array([np.nan])], 4, 4))


@pytest.mark.parametrize("note", [40, 57, 69, 93, 107])
def test_a_full_scale_sine_reads_zero_db_at_its_note(note: int) -> None:
    levels = semitone_levels([sine(note)], OPTIONS)
    assert levels.shape == (1 + (44100 - 8192) // 4410, 72)
    assert (levels.argmax(axis=1) == note - 36).all()
    assert levels.max(axis=1) == pytest.approx(np.zeros(len(levels)), abs=3.0)
    assert semitone_levels([sine(note, level=0.1)], OPTIONS).max() == pytest.approx(levels.max() - 20.0, abs=0.01)


def test_silence_reads_the_floor_and_too_little_has_no_frames() -> None:
    assert (semitone_levels([np.zeros(9000)], OPTIONS) == OPTIONS.floor_db).all()
    assert semitone_levels([np.zeros(8191)], OPTIONS).shape == (0, 72)
    assert (chroma(semitone_levels([np.zeros(9000)], OPTIONS), OPTIONS) == 0).all()


@settings(max_examples=8, deadline=None)
@given(st.integers(50, 95), st.integers(1, 11))
def test_transposing_turns_the_pitch_classes(note: int, by: int) -> None:
    classes, moved = (chroma(semitone_levels([sine(n, 0.5)], OPTIONS), OPTIONS) for n in (note, note + by))
    assert classes.argmax() == note % 12
    assert moved.argmax() == (note + by) % 12
    assert classes.sum() == pytest.approx(1.0)


def test_octaves_are_one_pitch_class() -> None:
    classes = chroma(semitone_levels([sum(sine(note, 0.5) for note in (60, 72, 84, 96))], OPTIONS), OPTIONS)
    assert classes[0] > 0.9


def test_options_that_make_no_sense_are_refused() -> None:
    for bad in ({"hop": 9000}, {"rate": 0}, {"lowest": 60, "highest": 60}):
        with pytest.raises(OptionError):
            SemitoneOptions(**bad)
    for bad in ({"fft": 4096, "hop": 512}, {"highest": 140}):
        with pytest.raises(OptionError, match="no FFT bin"):
            semitone_levels([np.zeros(9000)], SemitoneOptions(**bad))
