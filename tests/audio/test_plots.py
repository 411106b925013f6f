"""Spectrograms are drawn, and their content is in the right place."""

import numpy as np
import pytest
from matplotlib.image import imread

from music_composer.audio import plots
from music_composer.audio.options import FrameOptions
from music_composer.audio.reading import decoder
from music_composer.audio.spectrogram import band_centres

OPTIONS = FrameOptions()


def shape_of(png):
    """Returns height and width; fails for a file without a picture, or with a single colour."""
    picture = imread(png)[..., :3]
    assert np.ptp(picture) > 0.5
    return picture.shape[:2]


@pytest.mark.parametrize("cuts", [(), (0.5,), (0.25, 0.5)])
def test_a_spectrogram_is_a_picture(tmp_path, sine, record, cuts):
    plots.plot_spectrogram(record(tmp_path / "a.wav", sine(440)), tmp_path / "new" / "a.png", OPTIONS, cuts)
    assert shape_of(tmp_path / "new" / "a.png") == (300, 1000)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.png"]


def test_hardly_any_sound_can_be_drawn_too(tmp_path, record):
    plots.plot_spectrogram(record(tmp_path / "a.wav", np.zeros((1, 2))), tmp_path / "a.png", OPTIONS)
    assert shape_of(tmp_path / "a.png") == (300, 1000)


@pytest.mark.parametrize("seconds", [0.5, 3.0])
@pytest.mark.parametrize("limit", [20, 50, 1000])
def test_a_long_recording_has_no_more_columns_than_fit(tmp_path, sine, record, monkeypatch, seconds, limit):
    monkeypatch.setattr(plots, "COLUMNS", limit)
    monkeypatch.setattr(decoder, "BLOCK_SECONDS", 0.3)
    path = record(tmp_path / "a.wav", np.concatenate([sine(300, seconds), sine(3000, seconds)]))
    frames = round(2 * seconds * OPTIONS.frames_per_second)
    columns = plots.columns_of(path, OPTIONS)
    assert min(frames, limit) / 2 - 1 <= len(columns) <= min(frames, limit) + 1
    pitch = band_centres(OPTIONS)[columns.argmax(axis=1)] * OPTIONS.rate / OPTIONS.window
    third = len(columns) // 3
    assert np.allclose(pitch[1:third], 300, rtol=0.06)
    assert np.allclose(pitch[-third:-1], 3000, rtol=0.06)
