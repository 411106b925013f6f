"""A small album of noises, with its cache, run and split."""

from __future__ import annotations

import pytest

from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.dataset import cache
from music_composer.audio.options import FrameOptions, ModelOptions
from music_composer.data.split import Split
from music_composer.pipelines.audio.validation import split_of
from tests.command import write
from tests.pipelines.audio.noises import sound


@pytest.fixture(scope="session")
def album(tmp_path_factory: pytest.TempPathFactory) -> tuple[cache.Cache, Run, Split]:
    """Four recordings of half a minute, of which nearly half is held out."""
    folder = tmp_path_factory.mktemp("album")
    for i in range(4):
        write(folder / "music" / f"{i}.wav", sound(30, i)[:, None])
    ready = cache.prepare(folder / "music", folder / "cache")[0]
    run = Run(folder / "model", FrameOptions(), ModelOptions(), 1, window_steps=32, held_out=0.5)
    return ready, run, split_of(ready, run, lambda line: None, new=True)
