"""Options of rendering notes, and their defaults."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from music_composer.synth.voices import AUTO


@dataclasses.dataclass(frozen=True)
class RenderOptions:
    """What plays MIDI files.

    voices: layered, all of them at once. soundfont: played instead of them. overwrite: other people's WAVs too.
    """

    voices: tuple[str, ...] = (AUTO,)
    soundfont: Path | None = None
    overwrite: bool = False
