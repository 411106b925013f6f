"""Notation is read from text."""

import pytest

from music_composer.symbolic.notation.score_file import read_notation


@pytest.fixture
def reading(tmp_path):
    def read(text: str, suffix: str = ".musicxml"):
        (tmp_path / f"a{suffix}").write_text(text)
        return read_notation(tmp_path / f"a{suffix}")

    return read
