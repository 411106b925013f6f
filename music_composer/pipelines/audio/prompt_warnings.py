"""What is said of a prompt that is heard in part, or that is unlike all that is remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from music_composer.audio.memory.analysis.heard import hear
from music_composer.audio.memory.player import MemoryPlayer
from music_composer.audio.memory.store import Remembered
from music_composer.audio.players import Player
from music_composer.audio.prompts import Prompt
from music_composer.audio.reading.recording import seconds_of
from music_composer.evaluation.audio.similarity.out_of_distribution import strangeness
from music_composer.options import MEMORY
from music_composer.training.run_folder import Run
from music_composer.values import Waveform

HEARD_SECONDS = 60.0  # of a prompt's end that is compared with what is remembered

Say = Callable[[str], None]


def note_long(here: Run, paths: Sequence[Path], heard_seconds: float, say: Say) -> None:
    """Says of which prompts the end alone is heard by a memory. Networks hear seconds of any."""
    for path in dict.fromkeys(paths if here.model.head == MEMORY else ()):
        seconds = seconds_of(path)
        if seconds > heard_seconds:
            say(f"note: {path} is {seconds / 60:.1f} minutes long: its last {heard_seconds / 60:g} are heard")


def note_strange(player: Player, prompts: Sequence[Prompt], say: Say) -> None:
    """Says which recordings that are prompts are of another kind than all that a memory holds; nothing of a network."""
    if not isinstance(player, MemoryPlayer):
        return
    frame, options = player.frame, player.options.steps
    remembered = [each.steps.levels for each in player.recordings if isinstance(each, Remembered)]
    voices = [voice for prompt in prompts for voice, _ in (prompt.voices or ((prompt, 1.0),))]
    for prompt in {voice.source: voice for voice in voices if voice.whole}.values():
        samples = prompt.samples[-round(HEARD_SECONDS * frame.rate) :]
        levels = hear(Waveform(samples, frame.rate), frame, options).steps.levels
        found = strangeness(levels, remembered, frame.frames_per_second / options.frames)
        if found > 1.0:
            say(
                f"note: {prompt.source} is unlike all that is remembered, {found:.1f} x as far as music of this folder "
                "may be: what is played from there may not go on with it"
            )
