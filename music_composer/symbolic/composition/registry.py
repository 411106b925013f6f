"""The models of notes by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from music_composer.symbolic.models.biaxial.model import BiaxialModel
from music_composer.symbolic.models.interface import NoteModel
from music_composer.symbolic.models.pianoroll.model import PianorollModel
from music_composer.symbolic.models.polyphony.model import PolyphonyModel
from music_composer.symbolic.models.voices.model import VoicesModel

NOTE_MODELS: Mapping[str, NoteModel] = MappingProxyType(
    {
        "voices": VoicesModel(),
        "polyphony": PolyphonyModel(),
        "pianoroll": PianorollModel(),
        "biaxial": BiaxialModel(),
    }
)  # the names are those of `symbolic.options.MODELS`


def note_model(name: str) -> NoteModel:
    """The model of that name. Raises KeyError for a name that is not in `NOTE_MODELS`."""
    return NOTE_MODELS[name]
