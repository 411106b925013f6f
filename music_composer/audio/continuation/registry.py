"""What plays in a run folder: its network, or what it remembers of the training music."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from music_composer.audio.continuation.choice_file import chosen_head
from music_composer.audio.continuation.networks import trained_network
from music_composer.audio.memory import store
from music_composer.audio.memory.analysis.heard import Recording
from music_composer.audio.memory.analysis.steps import StepOptions
from music_composer.audio.memory.options import MemoryOptions, WalkOptions
from music_composer.audio.memory.player import MemoryPlayer
from music_composer.audio.players import Player
from music_composer.errors import OptionError
from music_composer.options import AUTO, FLOW, MEMORY, GenerateOptions
from music_composer.training.run_folder import Run


def check_fits(here: Run, asked: Mapping[str, Any]) -> None:
    """Options that were typed must be those of the run folder."""
    have = dataclasses.asdict(here.model)
    if any(have[name] != value for name, value in asked.items()):
        raise OptionError(
            f"{here.folder} was made with -n {here.model.neurons} -l {here.model.layers} --head {here.model.head}: "
            "leave these options out to go on with it, give another folder with -m, or start anew with --fresh"
        )


def playing(here: Run, asked: Mapping[str, Any]) -> Run:
    """The run as it plays: with the head that was asked for, or else, where it has two, with the one that was chosen.

    asked: fields of ModelOptions. Raises OptionError for those that are not the run folder's, or a head that it lacks.
    """
    check_fits(here, {name: value for name, value in asked.items() if name != "head"})
    head, have = asked.get("head", AUTO), here.model.head
    if head == AUTO:
        return with_head(here, chosen_head(here)) if have == AUTO else here
    if head != have and not (have == AUTO and head in (FLOW, MEMORY)):
        raise OptionError(
            f"{here.folder} was made with --head {have}, and has nothing that --head {head} plays: leave that option "
            "out, give another folder with -m, or train with --head auto --fresh, which makes a network and a memory"
        )
    return with_head(here, head)


def with_head(here: Run, head: str) -> Run:
    return dataclasses.replace(here, model=dataclasses.replace(here.model, head=head))


@dataclasses.dataclass(frozen=True)
class LoadedHead:
    """What a head plays from, read once: a network; or the recordings of a memory, and what its index says of them."""

    network: Any = None
    recordings: Sequence[Recording] = ()
    index: store.Index = store.Index(())


def load_head(here: Run, options: GenerateOptions) -> LoadedHead:
    """Reads the head of a run folder. Raises RunFolderError where it is damaged.

    options: of them a network depends on `flow_steps` alone, a memory on nothing.
    """
    if here.model.head != MEMORY:
        return LoadedHead(trained_network(here, options))
    index = store.read_index(here.memory, StepOptions())
    return LoadedHead(recordings=store.recall(index, here.memory_files, StepOptions(), here.frame), index=index)


def player_of(here: Run, options: GenerateOptions, loaded: LoadedHead | None = None) -> Player:
    """The head of a run folder, to be asked for sound. Raises RunFolderError where it is damaged.

    loaded: what `load_head` has read; None reads it now.
    """
    loaded = loaded or load_head(here, options)
    if here.model.head == MEMORY:
        index = loaded.index
        walk = WalkOptions(guard=options.guard, shared=index.shared, returned=index.returned)
        return MemoryPlayer(loaded.recordings, here.frame, MemoryOptions(walk=walk), options.chunk_seconds)
    from music_composer.audio.continuation.network_player import NetworkPlayer

    return NetworkPlayer(loaded.network, here.frame, options)


def listening(here: Run, options: GenerateOptions, named: bool) -> GenerateOptions:
    """The options with as many seconds of a prompt as its head listens to. named: the prompts are the user's."""
    if here.model.head != MEMORY:
        return options
    memory = MemoryOptions()
    return dataclasses.replace(options, prompt_seconds=memory.heard_seconds if named else memory.excerpt_seconds)
