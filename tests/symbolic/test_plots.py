"""Pictures of rolls: notes are drawn at their places."""

import numpy as np
import pytest
from matplotlib.image import imread

from music_composer.symbolic import plots
from music_composer.values import Roll


def test_notes_are_drawn_at_their_places(tmp_path):
    velocity = np.zeros((32, 128), np.uint8)
    velocity[4:8, 60] = velocity[8:12, 72] = 80
    onset = np.zeros((32, 128), bool)
    onset[4, 60] = onset[8, 72] = True
    fixed = np.zeros((32, 128), bool)
    fixed[4:8, 60] = True
    plots.plot_roll(Roll(velocity, onset), fixed, tmp_path / "a.png")
    picture = imread(tmp_path / "a.png")[..., :3]
    assert picture.shape == (300, 1000, 3)
    blue = np.abs(picture - plots.NEW_COLOUR).max(axis=2) < 0.02
    grey = np.abs(picture - plots.FIXED_COLOUR).max(axis=2) < 0.02
    assert blue.sum() > 100
    assert grey.sum() > 100
    assert np.nonzero(grey)[1].mean() < np.nonzero(blue)[1].mean()  # earlier
    assert np.nonzero(grey)[0].mean() > np.nonzero(blue)[0].mean()  # lower


@pytest.mark.parametrize("pitches", [[], [0], [127], [0, 127]])
def test_any_roll_is_drawn(tmp_path, pitches):
    velocity = np.zeros((8 if pitches else 0, 128), np.uint8)
    velocity[:, pitches] = 80
    plots.plot_roll(Roll(velocity, velocity > 0), velocity > 0, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000
