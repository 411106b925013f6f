"""The rooms of the page and the cards in them: what a musician does, the command that does it, and what is in front.

A card changes nothing of its command: all options that are not in front are folded below it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]  # by the names of the options
NOTHING: Values = {}


@dataclasses.dataclass(frozen=True)
class Card:
    """name: of the card in its room. says: one line for the musician. front: names of the options in front, in order.

    begins: values that the form begins with. presets: values by what a button says.
    """

    name: str
    command: str
    says: str
    front: tuple[str, ...] = ()
    begins: Values = dataclasses.field(default_factory=dict)
    presets: Mapping[str, Values] = dataclasses.field(default_factory=dict)


SMALL: Values = {"neurons": 64, "layers": 1, "epochs": 4}
CONTINUED = ("prompts", "seconds", "count", "seed")

ROOMS: dict[str, tuple[Card, ...]] = {
    "audio": (
        Card(
            "Train", "train", "Learn from your recordings. Training again goes on from where it was.",
            ("head", "epochs", "sample_every"),
            presets={
                "As much as fits the music": NOTHING,
                "Small and quick": {**SMALL, "head": "flow", "sample_every": 1},
                "No network": {"head": "memory"},
            },
        ),
        Card(
            "Continue", "generate", "New music from where a recording ends; without one, from places in your music.",
            CONTINUED,
            presets={
                "One of 10 s": {"count": 1},
                "Ten of 10 s": NOTHING,
                "One of 3 min": {"count": 1, "seconds": 180},
            },
        ),
        Card(
            "Blend", "generate", "New music that begins as a mixture of two recordings.",
            ("blend", "blend_share", "seconds", "count", "seed"), {"count": 1},
        ),
        Card(
            "Fill a gap", "generate", "New music between two moments of a recording. The rest stays as it is.",
            ("infill", "gap_start", "gap_stop", "candidates", "seed"),
        ),
        Card(
            "Stream", "generate", "Music without end that you hear while it is made. It ends with this page.",
            ("prompts", "endless", "seconds", "seed"), {"stream": True, "endless": True, "name": "stream"},
        ),
        Card(
            "Judge", "evaluate", "How near the music is to yours, how long it stays so, and how much it copies.",
            ("count", "seconds", "long_count", "held_out"),
            presets={"Thorough": NOTHING, "Quick": {"count": 4, "seconds": 10, "long_count": 0, "cut_count": 16}},
        ),
    ),
    "midi": (
        Card(
            "Train", "midi train", "Learn from your MIDI files. Training again goes on from where it was.",
            ("which", "epochs", "sample_every"),
            presets={
                "As much as is usual": NOTHING,
                "Small and quick": {"neurons": 64, "epochs": 8, "sample_every": 4},
            },
        ),
        Card(
            "Compose", "midi generate", "New pieces, from nothing, from a file, or around bars and parts that stay.",
            ("primer", "lock_tracks", "from_bar", "to_bar", "scale", "range", "steps", "count", "musicxml", "rendered",
             "seed"),
            presets={"Ten pieces": NOTHING, "One piece, with its sound": {"count": 1, "rendered": True}},
        ),
        Card("Render", "midi render", "Play MIDI files into WAV files.", ("files", "voices")),
        Card(
            "Judge", "midi evaluate", "How near new pieces are to yours.", ("count", "steps", "generated", "reference")
        ),
    ),
    "evolve": (
        Card(
            "Evolve", "midi evolve", "Networks that re-pitch your MIDI files, and become better at it.",
            ("files", "rhythm", "models", "select_models", "clones", "generations", "weight_divergence", "seed"),
            {"save": True},
            presets={
                "100 networks": {"save": True},
                "1,000 networks": {"save": True, "models": 1000, "select_models": 200, "generations": 50},
            },
        ),
    ),
}  # fmt: skip
ROOM_OF_OTHERS = {"midi": "midi"}  # by a command's first word; audio for all others


def room_of(command: str) -> str:
    """Returns the room in which a command is found that no card runs."""
    return ROOM_OF_OTHERS.get(command.partition(" ")[0], "audio")
