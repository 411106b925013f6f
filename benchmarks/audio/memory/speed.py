"""How fast one sample is played, and how soon it is heard, once its player is loaded."""

import time
from pathlib import Path

from memory.cuts import RATE
from memory.figures import Row
from music_composer.audio.continuation import run_folder
from music_composer.audio.continuation.registry import player_of, with_head, with_prompt_seconds
from music_composer.audio.play_options import GenerateOptions, StreamOptions
from music_composer.audio.prompts import read_prompt, whole_recording

SECONDS = 30.0


def speed_row(model: Path, head: str, prompt: Path) -> Row:
    """CPU seconds of all threads, which others at work on the machine do not lengthen much; and seconds of the clock.

    The first piece has `StreamOptions.first_seconds` of new music, or as much as comes at once.
    """
    here = with_head(run_folder.read_run(model), head)
    options = with_prompt_seconds(here, GenerateOptions(count=1, seed=1), named=True)
    player = player_of(here, options)
    heard = read_prompt(
        whole_recording(prompt, options.prompt_seconds), here.channels, here.model.frames_per_step, here.frame
    )
    samples = round(SECONDS * RATE)
    cpu, clock = time.process_time(), time.monotonic()
    pieces = player.streamed(heard, 1, samples, StreamOptions())
    played = len(next(pieces))
    first, first_clock = time.process_time() - cpu, time.monotonic() - clock
    played += sum(map(len, pieces))
    spent, spent_clock = time.process_time() - cpu, time.monotonic() - clock
    seconds = played / RATE
    return {
        "speed": seconds / spent, "first": first, "speed, clock": seconds / spent_clock, "first, clock": first_clock,
    }  # fmt: skip
