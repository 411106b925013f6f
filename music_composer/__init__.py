"""Learns music from a folder of recordings or MIDI files, and continues it.

    import music_composer as mc

    model = mc.train("recordings")
    for number, music in enumerate(model.generate(prompt="song.wav", seconds=30, count=4, seed=1)):
        music.write(f"continuation-{number}.wav")

Importing this loads neither NumPy nor Keras: what they are needed for is imported when it is first used. See
docs/library.md.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from music_composer.context import Context, Progress
    from music_composer.errors import (
        BusyError,
        CacheError,
        MusicComposerError,
        OptionError,
        OutputError,
        RecordingError,
        RunFolderError,
        ScoreError,
    )
    from music_composer.library import midi
    from music_composer.library.audio import Model, evaluate, evolve, load, prepare, render, train
    from music_composer.pipelines.audio.loaded import Continuation
    from music_composer.pipelines.results import NotesScorecard, Prepared, Scorecard
    from music_composer.pipelines.symbolic.loaded import Composition
    from music_composer.progress import json_lines, terminal
    from music_composer.stopping import Stopped
    from music_composer.values import Waveform

__version__ = "0.1.0"
__all__ = [
    "BusyError",
    "CacheError",
    "Composition",
    "Context",
    "Continuation",
    "Model",
    "MusicComposerError",
    "NotesScorecard",
    "OptionError",
    "OutputError",
    "Prepared",
    "Progress",
    "RecordingError",
    "RunFolderError",
    "ScoreError",
    "Scorecard",
    "Stopped",
    "Waveform",
    "evaluate",
    "evolve",
    "json_lines",
    "load",
    "midi",
    "prepare",
    "render",
    "terminal",
    "train",
]
_MODULES = {
    "music_composer.context": ("Context", "Progress"),
    "music_composer.errors": (
        "BusyError", "CacheError", "MusicComposerError", "OptionError", "OutputError", "RecordingError",
        "RunFolderError", "ScoreError",
    ),
    "music_composer.library.audio": ("Model", "evaluate", "evolve", "load", "prepare", "render", "train"),
    "music_composer.pipelines.audio.loaded": ("Continuation",),
    "music_composer.pipelines.results": ("NotesScorecard", "Prepared", "Scorecard"),
    "music_composer.pipelines.symbolic.loaded": ("Composition",),
    "music_composer.progress": ("json_lines", "terminal"),
    "music_composer.stopping": ("Stopped",),
    "music_composer.values": ("Waveform",),
}  # fmt: skip
_PLACES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Imports what is asked for when it is first asked for (PEP 562)."""
    if name == "midi":
        return importlib.import_module("music_composer.library.midi")
    if name not in _PLACES:
        raise AttributeError(f"module 'music_composer' has no attribute {name!r}")
    found = getattr(importlib.import_module(_PLACES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
