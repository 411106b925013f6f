"""The music of a scorecard: short recordings whole, long ones in pieces, very long ones thinned."""

import numpy as np
import pytest

from music_composer.audio.dataset.windows import HELD_OUT_STEPS
from music_composer.audio.options import FrameOptions, ModelOptions
from music_composer.errors import RecordingError
from music_composer.evaluation.audio.analysis import Span
from music_composer.evaluation.audio.minimum_length import min_windows, windows_in
from music_composer.evaluation.audio.similarity.frechet_distance import DistanceOptions
from music_composer.pipelines.audio import validation
from music_composer.pipelines.audio.validation import held_out_recordings, pieces_of

RATE = 8000


def seconds_of_noise(path, seconds, record):
    return record(path, 0.1 * np.random.default_rng(0).standard_normal((round(seconds * RATE), 1)), rate=RATE)


def test_short_recordings_are_read_whole_without_their_silent_ends(tmp_path, record):
    for i in range(3):
        seconds_of_noise(tmp_path / f"{i}.wav", 2, record)
    assert held_out_recordings(tmp_path) == [Span(tmp_path / f"{i}.wav", trim=True) for i in range(3)]


def test_a_long_one_is_read_in_pieces_that_cover_it(tmp_path, record, monkeypatch):
    monkeypatch.setattr(validation, "LONGEST_WHOLE", 60.0)
    path = seconds_of_noise(tmp_path / "long.wav", 100, record)
    pieces = held_out_recordings(tmp_path)
    edges = [(piece.start, piece.stop) for piece in pieces]
    assert all(piece.path == path and stop - start < 40 for piece, (start, stop) in zip(pieces, edges, strict=True))
    assert (edges[0][0], edges[-1][1]) == (0, pytest.approx(100))
    assert [start for start, _ in edges[1:]] == pytest.approx([stop for _, stop in edges[:-1]])


def test_of_very_much_a_part_is_read_from_everywhere(tmp_path):
    pieces = pieces_of([Span(tmp_path / f"{i}.wav", 0, 3600) for i in range(10)])
    assert 30 <= len(pieces) <= validation.MAX_PIECES
    assert {piece.path.stem for piece in pieces} == {str(i) for i in range(10)}


def test_a_folder_without_recordings_is_an_error(tmp_path):
    with pytest.raises(RecordingError):
        held_out_recordings(tmp_path)


def test_what_three_recordings_hold_out_is_enough_to_be_judged_by():
    frame, metrics = FrameOptions(), DistanceOptions()
    unit = HELD_OUT_STEPS * ModelOptions.frames_per_step / frame.frames_per_second
    assert 3 * windows_in(unit, metrics) >= min_windows(metrics)
