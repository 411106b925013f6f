"""What the options of all subjects are checked with: limits, ranges and messages.

Each subject has its options beside it, as frozen records, and their defaults live there and nowhere else:

    data/options.py                                  folders
    training/options.py                              training
    audio/options.py, audio/play_options.py          frames, network and evaluation; generation
    audio/memory/options.py                          generation from memory
    symbolic/options.py, symbolic/play_options.py    the same for notes
    genetic/options.py                               evolution
    synth/options.py                                 rendering

Numbers that follow from other numbers are properties of a record, so that no two of them can disagree.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from music_composer.errors import OptionError

WIDEST, DEEPEST = 65536, 64  # of a network: neurons and layers beyond that are a slip, or a damaged file
MOST_WEIGHTS = 2_000_000_000
MOST_PIECES, MOST = 100_000, 1_000_000  # of music in one command; of anything else that is counted, or of seconds
MOST_SEED = 2**62
HOTTEST = 100.0  # temperature


def require_between(flag: str, value: float, least: float, most: float) -> None:
    """Raises OptionError, with the flag, for a value that is no number, or not between the two, both included."""
    if isinstance(value, bool) or not least <= value <= most:
        raise OptionError(f"{flag} is {shown(value)}: it must be at least {shown(least)} and at most {shown(most)}")


def require_weights(flags: str, count: int) -> None:
    """Raises OptionError for a network of so many weights if nobody could train it."""
    if count > MOST_WEIGHTS:
        raise OptionError(
            f"{flags} are about {count / 1e9:.1f} billion weights, {4 * count / 2**30:.0f} GiB and four times that in "
            f"training: at most {MOST_WEIGHTS / 1e9:g} billion are taken"
        )


def shown(value: float) -> str:
    """A number for a message, however large it is."""
    text = str(value) if isinstance(value, int) else f"{value:g}"
    return text if len(text) <= 24 else f"{text[:8]}... ({len(text)} digits)"


def require_within(record: Any, least: float, most: float, *fields: str) -> None:
    """Raises OptionError for the first of the record's fields that is not between the two, both included."""
    for field in fields:
        value = getattr(record, field)
        if not least <= value <= most:
            raise OptionError(f"{field} is {shown(value)}: it must be between {shown(least)} and {shown(most)}")


def require_one_of(flag: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise OptionError(f"{flag} is {value[:60]!r}: it must be one of {', '.join(choices)}")


def default(record: type, field: str) -> Any:
    """The default of one field, for the command line to show."""
    return next(f.default for f in dataclasses.fields(record) if f.name == field)
