"""The surroundings of a gap, the candidate that fits best, and a filling between two fixed edges."""

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from music_composer.audio.continuation.infill import _sound, write_filled
from music_composer.audio.gap import (
    Filling,
    Join,
    bands_of,
    best_join,
    first_new_sample,
    frames_to_end,
    places_to_join,
    prompt_before,
    read_gap,
)
from music_composer.audio.options import FrameOptions
from music_composer.audio.play_options import GenerateOptions, InfillOptions
from music_composer.errors import RecordingError

FRAME, INFILL = FrameOptions(), InfillOptions()
RATE, HOP = FRAME.rate, FRAME.hop


def sweep(seconds):
    time = np.arange(round(seconds * RATE)) / RATE
    return (0.5 * np.sin(2 * np.pi * (200 * time + 100 * time**2))).astype(np.float32)[:, None]


def gap_in(tmp_path, record, sound, start, stop, before=2.0):
    return read_gap(record(tmp_path / "a.wav", sound, subtype="FLOAT"), start, stop, before, FRAME, INFILL)


def test_the_sides_of_a_gap_are_those_of_the_recording(tmp_path, record):
    sound = sweep(25)  # longer than two blocks of reading
    gap = gap_in(tmp_path, record, sound, 10.5, 12.0)
    assert (gap.start, gap.stop, gap.total) == (463050, 529200, len(sound))
    np.testing.assert_array_equal(gap.left, sound[gap.start - 2 * RATE : gap.start])
    np.testing.assert_array_equal(gap.right, sound[gap.stop : gap.stop + len(gap.right)])


def test_no_frame_of_the_prompt_has_seen_the_gap(tmp_path, record):
    sound = sweep(6)
    clean = prompt_before(gap_in(tmp_path, record, sound, 3, 4), 2, 3, FRAME)
    sound[3 * RATE : 4 * RATE] = 0.9
    damaged = prompt_before(gap_in(tmp_path, record, sound, 3, 4), 2, 3, FRAME)
    np.testing.assert_array_equal(clean.bands, damaged.bands)
    assert clean.bands.shape[1] == 2, "the model's channels"
    assert len(clean.bands) % 3 == 0


@pytest.mark.parametrize("level", [0.5, 1e-3])
def test_what_is_not_filled_is_written_as_it_was_in_the_file(tmp_path, record, level):
    sound = sweep(25) * np.float32(2 * level)
    path = record(tmp_path / "a.wav", sound, subtype="FLOAT")
    gap = read_gap(path, 10.0, 11.0, 2.0, FRAME, INFILL)
    filling = Filling(np.full((3000, 1), 0.25, np.float32), gap.start - 100, Join(0, 0, ()), 1.0)
    write_filled(tmp_path / "b.wav", gap, filling, FRAME, "FLOAT")
    written = soundfile.read(tmp_path / "b.wav", dtype="float32", always_2d=True)[0]
    np.testing.assert_array_equal(written[: filling.first], sound[: filling.first])
    np.testing.assert_array_equal(written[filling.first + 3000 :], sound[filling.first + 3000 :])
    assert written[filling.first] * gap.gain == 0.25


def test_a_recording_that_grows_while_its_gap_is_filled_is_an_error(tmp_path, record):
    gap = gap_in(tmp_path, record, sweep(6), 3, 4)
    record(gap.path, sweep(7), subtype="FLOAT")
    filling = Filling(np.zeros((3000, 1), np.float32), gap.start, Join(0, 0, ()), 1.0)
    with pytest.raises(RecordingError, match=r"a\.wav: changed while its gap was filled"):
        write_filled(tmp_path / "b.wav", gap, filling, FRAME, "FLOAT")
    assert not (tmp_path / "b.wav").exists()


@given(start=st.integers(20000, 60000), length=st.integers(1, 80000))
def test_frames_and_samples_agree_on_where_the_gap_ends(start, length):
    gap = type("G", (), {"start": start, "stop": start + length})
    end = frames_to_end(gap, FRAME)
    assert first_new_sample(gap, FRAME) + end * HOP == pytest.approx(gap.stop)
    places = places_to_join(gap, FRAME, INFILL)
    assert len(places) >= 1
    assert all(place > 0 and abs(place - end) <= max(0.5, INFILL.max_time_stretch * end) for place in places)


@given(seed=st.integers(0, 1000), candidate=st.integers(0, 3), place=st.integers(5, 15))
def test_the_candidate_that_goes_on_like_the_right_side_wins(seed, candidate, place):
    rng = np.random.default_rng(seed)
    candidates = rng.normal(size=(4, 40, 2, 8))
    right = candidates[candidate, place : place + 10] + 0.01 * rng.normal(size=(10, 2, 8))
    join = best_join(candidates, right, range(3, 20))
    assert (join.candidate, join.frame) == (candidate, place)
    assert min(join.distances) == join.distances[candidate] < 0.2


def test_a_filling_of_the_right_bands_runs_into_the_right_side_in_phase(tmp_path, record):
    """The candidate is the original music: at both edges the sound equals the recording."""
    sound = sweep(6)
    gap = gap_in(tmp_path, record, sound, 3.0, 4.0)
    begin = first_new_sample(gap, FRAME)
    candidate = bands_of(sound[begin : gap.stop + RATE], FRAME)
    found, origin = _sound(gap, candidate, 1.0, FRAME, GenerateOptions.phase_iterations, np.random.default_rng(0))
    for at in (gap.start - 1000, gap.stop):
        piece, truth = found[at - origin : at - origin + 1000, 0], sound[at : at + 1000, 0]
        assert np.corrcoef(piece, truth)[0, 1] > 0.95
    inside = slice(gap.start + 2000, gap.stop - 2000)
    level = np.sqrt(np.mean(found[inside.start - origin : inside.stop - origin] ** 2))
    assert level == pytest.approx(np.sqrt(np.mean(sound[inside] ** 2)), rel=0.3)
