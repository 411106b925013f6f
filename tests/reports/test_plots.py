"""Figures are drawn, and their content is in the right place."""

import numpy as np
import pytest
from matplotlib.image import imread

from music_composer.reports import plots


def shape_of(png):
    """Returns height and width; fails for a file without a picture, or with a single colour."""
    picture = imread(png)[..., :3]
    assert np.ptp(picture) > 0.5
    return picture.shape[:2]


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
    """Returns label and points of each line."""
    drawn = []
    monkeypatch.setattr(plots, "save", lambda figure, png: drawn.append(figure))
    plots.plot_loss(history, tmp_path / "loss.png")
    return {line.get_label(): line.get_xydata().tolist() for line in drawn[0].axes[0].lines}


def test_a_loss_curve_shows_every_epoch_and_leaves_gaps_out(tmp_path, monkeypatch):
    assert lines_of(monkeypatch, tmp_path, HISTORY) == {
        "training": [[0, 2.5], [1, 2.0], [2, 1.5], [3, 0.0]],
        "held out": [[1, 2.2], [2, 2.1], [3, -0.5]],
    }


def test_where_nothing_was_held_out_there_is_one_curve(tmp_path, monkeypatch):
    assert list(lines_of(monkeypatch, tmp_path, HISTORY[:1])) == ["training"]


def test_densities_of_what_varies_and_of_what_does_not_are_drawn(tmp_path):
    rng = np.random.default_rng(0)
    rows = np.stack([rng.normal(size=30), np.zeros(30), np.full(30, np.nan)], axis=1)
    plots.plot_densities({"made": rows, "held_out": rows[:10]}, ["varies", "stays", "is none"], tmp_path / "a.png")
    assert shape_of(tmp_path / "a.png") == (500, 1200)


def test_activations_are_red_above_zero_and_blue_below(tmp_path):
    cells = np.zeros((40, 8))
    cells[:, :4], cells[:, 4:] = -1, 1
    plots.plot_activations(cells, cells, tmp_path / "a.png")
    picture = imread(tmp_path / "a.png")[..., :3]
    assert picture.shape[:2] == (600, 1000)
    above, below = picture[60, 500], picture[230, 500]
    assert above[0] > above[2] + 0.2 and below[2] > below[0] + 0.2
