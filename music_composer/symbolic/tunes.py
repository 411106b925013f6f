"""ABC tune books to scores, with music21, where that is installed: all tunes, one after another."""

from __future__ import annotations

from music_composer.errors import ScoreError
from music_composer.symbolic.midi import Reading

MISSING = "ABC is read, and MusicXML is written, with music21: pip install 'music-composer[notation]'"


def read_tunes(text: str, name: str) -> Reading:
    raise ScoreError(f"{name}: {MISSING}")
