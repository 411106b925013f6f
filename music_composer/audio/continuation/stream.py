"""Streams one sample while it is made: pieces that are short at first and grow, with or without an end."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator

from music_composer.audio.continuation.sinks import Sink
from music_composer.audio.continuation.writing import lead_of, note_jumps
from music_composer.audio.options import FrameOptions
from music_composer.audio.play_options import GenerateOptions, StreamOptions
from music_composer.audio.players import Player
from music_composer.audio.prompts import Prompt
from music_composer.stopping import requested
from music_composer.stopping import wait as wait_unless_stopped
from music_composer.values import Played


def stream_continuation(
    player: Player,
    frame: FrameOptions,
    prompt: Prompt,
    options: GenerateOptions,
    streaming: StreamOptions,
    seed: int,
) -> Generator[Played, None, None]:
    """Yields the end of the prompt, then new music, piece by piece as it is ready. It equals sample 0.

    The end of the prompt comes as soon as the prompt is encoded, and plays while the first new music is made.
    """
    samples = None if streaming.endless else round(options.seconds * frame.rate) + player.crossfade
    pieces = player.streamed(prompt, seed, samples, streaming)
    yield from (Played(block) for block in lead_of(prompt, options, frame, player.crossfade))
    yield from pieces


def throttled(
    pieces: Iterator[Played],
    rate: int,
    ahead_seconds: float,
    wait: Callable[[float], bool] = wait_unless_stopped,
) -> Iterator[Played]:
    """Yields the same pieces, but waits while more than `ahead_seconds` are ahead of real time.

    wait: waits for the given seconds, or less where the stream is to end.
    """
    started, made = time.monotonic(), 0
    for piece in pieces:
        yield piece
        made += len(piece)
        wait(made / rate - ahead_seconds - (time.monotonic() - started))


def write_stream(
    out: Sink, pieces: Iterator[Played], rate: int, endless: bool, say: Callable[[str], None]
) -> tuple[float, ...]:
    """Writes pieces to a sink until there are no more, the reader is gone, or Ctrl-C ends an endless stream.

    Returns the seconds at which the player jumped; of hours of music the first ones. Reports length, speed and the
    delay of the first piece.
    """
    started, first = time.monotonic(), None
    jumps: list[int] = []
    try:
        for piece in pieces:
            note_jumps(jumps, piece, out.samples)
            out.write(piece.samples)
            first = first or time.monotonic() - started
            if endless and requested():
                break
    # A player that closes its input is a normal end; the music so far is written.
    except BrokenPipeError:
        say("nobody reads standard output any more")
    except KeyboardInterrupt:
        if not endless:
            raise
    spent, seconds = time.monotonic() - started, out.samples / rate
    if first:
        say(f"{seconds:.1f} s of music in {spent:.1f} s, {seconds / spent:.1f} x real time, first after {first:.2f} s")
    return tuple(at / rate for at in jumps)
