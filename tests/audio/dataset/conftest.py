"""A dataset of three short songs, and the place of its cache."""

import pytest


@pytest.fixture
def music(tmp_path, sine, record):
    """A dataset of three short songs."""
    for i, name in enumerate(["a.wav", "b.wav", "c.wav"]):
        record(tmp_path / "music" / name, sine(220 * (i + 1), 0.3, level=0.5))
    return tmp_path / "music"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"
