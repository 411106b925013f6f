"""A model that several journeys play, trained once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest

from tests.command import TINY, assert_accepted, music_composer, tune, write


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with one recording of 8 s and a tiny network of it, for copies. All workers share it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-") else base) / "trained-once"
    with filelock.FileLock(folder.with_suffix(".lock")):
        if not (folder / "model" / "history.csv").exists():
            write(folder / "input_music_dataset" / "song.wav", tune(8))
            assert_accepted(music_composer("train", *TINY, "--seed", "1", cwd=folder))
    return folder


@pytest.fixture(scope="module")
def copied(trained_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes a copy of that folder, which a test may change."""
    return lambda: shutil.copytree(trained_once, tmp_path_factory.mktemp("copied") / "here")
