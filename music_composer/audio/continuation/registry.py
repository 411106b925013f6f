"""Selects and loads the head of a run folder: its network, or its memory of the training music."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from music_composer.audio.continuation.choice_file import chosen_head
from music_composer.audio.continuation.networks import trained_network
from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.memory import store
from music_composer.audio.memory.analysis.recordings import Recording
from music_composer.audio.memory.analysis.steps import StepOptions
from music_composer.audio.memory.options import MemoryOptions, WalkOptions
from music_composer.audio.memory.player import MemoryPlayer
from music_composer.audio.options import AUTO, FLOW, MEMORY
from music_composer.audio.play_options import GenerateOptions
from music_composer.audio.players import Player
from music_composer.errors import OptionError


def check_fits(run: Run, requested: Mapping[str, Any]) -> None:
    """Raises OptionError when options that the user gave differ from those of the run folder."""
    have = dataclasses.asdict(run.model)
    if any(have[name] != value for name, value in requested.items()):
        raise OptionError(
            f"{run.folder} was made with -n {run.model.neurons} -l {run.model.layers} --head {run.model.head}: "
            "leave these options out to continue with it, give another folder with -m, or start anew with --fresh"
        )


def select_head(run: Run, requested: Mapping[str, Any]) -> Run:
    """Returns the run with the requested head; without a request, with the chosen one where the run has two.

    requested: fields of ModelOptions. Raises OptionError for options that differ from the run folder, or a head that it
    lacks.
    """
    check_fits(run, {name: value for name, value in requested.items() if name != "head"})
    head, have = requested.get("head", AUTO), run.model.head
    if head == AUTO:
        return with_head(run, chosen_head(run)) if have == AUTO else run
    if head != have and not (have == AUTO and head in (FLOW, MEMORY)):
        raise OptionError(
            f"{run.folder} was made with --head {have}, and has nothing that --head {head} plays: leave that option "
            "out, give another folder with -m, or train with --head auto --fresh, which makes a network and a memory"
        )
    return with_head(run, head)


def with_head(run: Run, head: str) -> Run:
    """Returns the run with another head."""
    return dataclasses.replace(run, model=dataclasses.replace(run.model, head=head))


@dataclasses.dataclass(frozen=True)
class LoadedHead:
    """What a head plays from, read once: a network, or the recordings of a memory and its index."""

    network: Any = None
    recordings: Sequence[Recording] = ()
    index: store.Index = store.Index(())


def load_head(run: Run, options: GenerateOptions) -> LoadedHead:
    """Reads the head of a run folder. Raises RunFolderError where it is damaged.

    options: a network depends on `flow_steps` alone, a memory on none of them.
    """
    if run.model.head != MEMORY:
        return LoadedHead(trained_network(run, options))
    index = store.read_index(run.memory, StepOptions())
    return LoadedHead(recordings=store.load_recordings(index, run.memory_files, StepOptions(), run.frame), index=index)


def player_of(run: Run, options: GenerateOptions, loaded: LoadedHead | None = None) -> Player:
    """Returns the player of a run folder. Raises RunFolderError where it is damaged.

    loaded: the result of `load_head`; None reads it now.
    """
    loaded = loaded or load_head(run, options)
    if run.model.head == MEMORY:
        index = loaded.index
        walk = WalkOptions(guard=options.guard, shared=index.shared, returned=index.returned)
        return MemoryPlayer(loaded.recordings, run.frame, MemoryOptions(walk=walk), options.chunk_seconds)
    # Imported here because it loads Keras, which a memory does not need.
    from music_composer.audio.continuation.network_player import NetworkPlayer

    return NetworkPlayer(loaded.network, run.frame, options)


def with_prompt_seconds(run: Run, options: GenerateOptions, named: bool) -> GenerateOptions:
    """Returns the options with as many seconds of prompt as the head reads. named: the user gave the prompts."""
    if run.model.head != MEMORY:
        return options
    memory = MemoryOptions()
    return dataclasses.replace(options, prompt_seconds=memory.prompt_seconds if named else memory.excerpt_seconds)
