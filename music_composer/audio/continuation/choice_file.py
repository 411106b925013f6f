"""Which head plays in a run folder with both a network and a memory: the choice, its figures and its file.

choice.json   magic, version, the head that plays, the figures of both, and the training after which they were judged
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal

from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.options import AUTO, FLOW, MEMORY
from music_composer.errors import RecordError, RunFolderError
from music_composer.files.atomic import read_json, reason, write_json
from music_composer.options import require_within
from music_composer.records import from_plain
from music_composer.training.checkpoint import TrainState

LABEL: dict[str, Any] = {"magic": "music-composer choice", "version": 1}
Head = Literal["flow", "memory"]
NAMES = {FLOW: "network", MEMORY: "memory"}


@dataclasses.dataclass(frozen=True)
class Figures:
    """Figures of the continuations of one head.

    own_over_others: distance from what truly follows their prompts, over the distance from other music.
    distance_over_real: distance from the training music, over that of what truly follows.
    """

    own_over_others: float
    distance_over_real: float


@dataclasses.dataclass(frozen=True)
class Choice:
    """The choice of a head.

    head: the one that plays. places: number of held-out places at which both were judged. training: the training after
    which they were judged, see `training_of`. network, memory: their figures; None where too little music is held out.
    """

    head: Head
    places: int
    training: str
    network: Figures | None = None
    memory: Figures | None = None

    def __post_init__(self) -> None:
        require_within(self, 0, 1_000_000, "places")


def training_of(state: TrainState) -> str:
    """Identifies the weights and the memory of one training among those of the same run folder."""
    return f"seed {state.seed}, epochs {state.job_first}+{state.job_epochs}, step {state.step}, music {state.music}"


def is_pending(run: Run, state: TrainState, music: str) -> bool:
    """Returns whether a training is done but its head is not chosen yet. music: digest of the current recordings."""
    if run.model.head != AUTO or not state.job_done or state.music != music:
        return False
    try:
        made = read_choice(run.choice)
    except RunFolderError:
        return True
    return made is None or made.training != training_of(state)


def write_choice(path: Path, choice: Choice) -> None:
    """Writes the choice as JSON."""
    write_json(path, {**LABEL, **dataclasses.asdict(choice)})


def read_choice(path: Path) -> Choice | None:
    """Reads a choice; None where there is none yet. Raises RunFolderError for a damaged file."""
    try:
        # A larger file is no choice, and would only fill the memory.
        plain = read_json(path, largest=65536)
        if not isinstance(plain, dict) or any(plain.get(name) != value for name, value in LABEL.items()):
            raise ValueError("not a choice, or one of another version")
        return from_plain(Choice, {name: value for name, value in plain.items() if name not in LABEL})
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunFolderError(f"{path} cannot be read: {reason(error)}") from error
    except (ValueError, RecordError) as error:
        raise RunFolderError(
            f"{path} is damaged ({str(error)[:120]}): delete it and the network plays, or train again"
        ) from error


def chosen_head(run: Run) -> str:
    """Returns the head that plays in a run folder with both; the network until a choice is made."""
    made = read_choice(run.choice)
    return FLOW if made is None else made.head


def summary(choice: Choice | None, spent: str = "") -> str:
    """Returns the choice in one line. spent: the time that it took."""
    if choice is None or choice.network is None or choice.memory is None:
        why = "nothing is judged yet" if choice is None else "too little music is held out to tell which is better"
        return f"the network plays: {why} (--head memory plays the memory)"
    figures = {FLOW: choice.network, MEMORY: choice.memory}
    ours = figures.pop(choice.head)
    ((other, theirs),) = figures.items()
    notes = [f"{choice.places} held-out places", *([spent] if spent else [])]
    return (
        f"the {NAMES[choice.head]} plays: its continuations are {ours.own_over_others:.2f} as far from what truly "
        f"follows as from other music, the {NAMES[other]}'s {theirs.own_over_others:.2f}; distance "
        f"{ours.distance_over_real:.3g} x and {theirs.distance_over_real:.3g} x that of real music "
        f"({', '.join(notes)}; --head {other} plays the {NAMES[other]})"
    )
