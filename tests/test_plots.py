"""Pictures: that they are drawn, and that what is in them is where it should be."""

import numpy as np
import pytest
from matplotlib.image import imread

from music_composer import plots
from music_composer.audio import decoder
from music_composer.audio.frames import band_centres
from music_composer.options import FrameOptions
from music_composer.values import Roll

OPTIONS = FrameOptions()


def shape_of(png):
    """Height and width; fails when it is no picture, or one of a single colour."""
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
    columns = plots._columns(path, frames, OPTIONS)
    assert min(frames, limit) / 2 - 1 <= len(columns) <= min(frames, limit) + 1
    pitch = band_centres(OPTIONS)[columns.argmax(axis=1)] * OPTIONS.rate / OPTIONS.window
    third = len(columns) // 3
    assert np.allclose(pitch[1:third], 300, rtol=0.06)
    assert np.allclose(pitch[-third:-1], 3000, rtol=0.06)


HISTORY = [
    {"epoch": 0, "loss": "2.5", "held_out_loss": ""},
    {"epoch": 1, "loss": 2.0, "held_out_loss": 2.2},
    {"epoch": 2, "loss": 1.5, "held_out_loss": 2.1},
    {"epoch": 3, "loss": 0.0, "held_out_loss": -0.5},
]


@pytest.mark.parametrize("history", [HISTORY, HISTORY[:1]])
def test_a_loss_curve_is_a_picture(tmp_path, history):
    plots.plot_loss(history, tmp_path / "loss.png")
    assert shape_of(tmp_path / "loss.png") == (400, 700)


def lines_of(monkeypatch, tmp_path, history):
    """What is drawn: label, and points."""
    figures = []
    monkeypatch.setattr(plots, "_save", lambda figure, png: figures.append(figure))
    plots.plot_loss(history, tmp_path / "loss.png")
    return {line.get_label(): line.get_xydata().tolist() for line in figures[0].axes[0].lines}


def test_a_loss_curve_shows_every_epoch_and_leaves_gaps_out(tmp_path, monkeypatch):
    assert lines_of(monkeypatch, tmp_path, HISTORY) == {
        "training": [[0, 2.5], [1, 2.0], [2, 1.5], [3, 0.0]],
        "held out": [[1, 2.2], [2, 2.1], [3, -0.5]],
    }


def test_where_nothing_was_held_out_there_is_one_curve(tmp_path, monkeypatch):
    assert list(lines_of(monkeypatch, tmp_path, HISTORY[:1])) == ["training"]


def test_a_roll_shows_its_notes_where_they_are(tmp_path):
    velocity = np.zeros((32, 128), np.uint8)
    velocity[4:8, 60] = velocity[8:12, 72] = 80
    struck = np.zeros((32, 128), bool)
    struck[4, 60] = struck[8, 72] = True
    kept = np.zeros((32, 128), bool)
    kept[4:8, 60] = True
    plots.plot_roll(Roll(velocity, struck), kept, tmp_path / "a.png")
    picture = imread(tmp_path / "a.png")[..., :3]
    assert picture.shape == (300, 1000, 3)
    blue = np.abs(picture - plots.NEW).max(axis=2) < 0.02
    grey = np.abs(picture - plots.OLD).max(axis=2) < 0.02
    assert blue.sum() > 100
    assert grey.sum() > 100
    assert np.nonzero(grey)[1].mean() < np.nonzero(blue)[1].mean()  # earlier
    assert np.nonzero(grey)[0].mean() > np.nonzero(blue)[0].mean()  # lower


@pytest.mark.parametrize("pitches", [[], [0], [127], [0, 127]])
def test_any_roll_can_be_drawn(tmp_path, pitches):
    velocity = np.zeros((8 if pitches else 0, 128), np.uint8)
    velocity[:, pitches] = 80
    plots.plot_roll(Roll(velocity, velocity > 0), velocity > 0, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_densities_of_what_varies_and_of_what_does_not_are_drawn(tmp_path):
    rng = np.random.default_rng(0)
    rows = np.stack([rng.normal(size=30), np.zeros(30), np.full(30, np.nan)], axis=1)
    plots.plot_densities({"made": rows, "held_out": rows[:10]}, ["varies", "stays", "is none"], tmp_path / "a.png")
    assert shape_of(tmp_path / "a.png") == (500, 1200)


def test_thoughts_are_red_above_nought_and_blue_below(tmp_path):
    cells = np.zeros((40, 8))
    cells[:, :4], cells[:, 4:] = -1, 1
    plots.plot_thoughts(cells, cells, tmp_path / "a.png")
    picture = imread(tmp_path / "a.png")[..., :3]
    assert picture.shape[:2] == (600, 1000)
    above, below = picture[60, 500], picture[230, 500]
    assert above[0] > above[2] + 0.2 and below[2] > below[0] + 0.2
