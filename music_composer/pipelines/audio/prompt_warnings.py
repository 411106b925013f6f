"""Warnings about prompts that are too long for a memory, or unlike all of its recordings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.memory.analysis.recordings import analyze_prompt
from music_composer.audio.memory.player import MemoryPlayer
from music_composer.audio.memory.store import StoredPart
from music_composer.audio.options import MEMORY
from music_composer.audio.players import Player
from music_composer.audio.prompts import Prompt
from music_composer.audio.reading.recording import seconds_of
from music_composer.values import Waveform

COMPARED_SECONDS = 60.0  # of a prompt's end, compared with the memory

Say = Callable[[str], None]


def warn_truncated(run: Run, paths: Sequence[Path], prompt_seconds: float, say: Say) -> None:
    """Warns of prompts whose end alone a memory uses. Networks read only seconds of any prompt."""
    for path in dict.fromkeys(paths if run.model.head == MEMORY else ()):
        seconds = seconds_of(path)
        if seconds > prompt_seconds:
            say(f"note: {path} is {seconds / 60:.1f} minutes long: its last {prompt_seconds / 60:g} are used")


def warn_out_of_distribution(player: Player, prompts: Sequence[Prompt], say: Say) -> None:
    """Warns of whole recordings as prompts that are unlike all recordings of a memory. Networks need no warning."""
    if not isinstance(player, MemoryPlayer):
        return
    # Imported here: it takes a second, which a network's first sound need not wait for.
    from music_composer.evaluation.audio.similarity.out_of_distribution import distance_ratio

    frame, options = player.frame, player.options.steps
    remembered = [each.steps.levels for each in player.recordings if isinstance(each, StoredPart)]
    voices = [voice for prompt in prompts for voice, _ in (prompt.blended or ((prompt, 1.0),))]
    # One warning for each file. Random excerpts need none: they come from the dataset.
    for prompt in {voice.source: voice for voice in voices if voice.whole}.values():
        samples = prompt.samples[-round(COMPARED_SECONDS * frame.rate) :]
        levels = analyze_prompt(Waveform(samples, frame.rate), frame, options).steps.levels
        found = distance_ratio(levels, remembered, frame.frames_per_second / options.frames)
        if found > 1.0:
            say(
                f"note: {prompt.source} is unlike all recordings of the memory, {found:.1f} x as far as music of this "
                "folder may be: the continuation may not fit it"
            )
