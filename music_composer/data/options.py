"""The folders of a job."""

from __future__ import annotations

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class FolderOptions:
    """Where things are."""

    datasets: Path = Path("input_music_dataset")
    traindata: Path = Path("train_data")
    model: Path = Path("model")
    wait: bool = False  # for another run that is at work in one of them
