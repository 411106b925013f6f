"""One sample as it is being made: sound in pieces that are short at first and grow, with or without an end."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from music_composer.audio.frames import to_left_right
from music_composer.audio.generate import continue_prompts
from music_composer.audio.growing import Sink
from music_composer.audio.output import lead_of
from music_composer.audio.phase import PhaseStream
from music_composer.audio.prompts import Prompt, known_sound
from music_composer.options import FrameOptions, GenerateOptions, StreamOptions
from music_composer.stopping import requested, wait


def stream_continuation(
    model: Any,
    frame: FrameOptions,
    prompt: Prompt,
    options: GenerateOptions,
    streaming: StreamOptions,
    seed: int,
) -> Generator[np.ndarray, None, None]:
    """Yields (samples, channels) as they are ready: the prompt's end, then new music, the same frames as sample 0.

    The prompt's end comes as soon as the prompt has been listened to, and is heard while the first new music is made.
    The phase of each piece is found while the model plays on.
    """
    rate, fade = frame.rate, round(options.fade_seconds * frame.rate)
    left = float("inf") if streaming.endless else round(options.seconds * rate) + fade
    phase = PhaseStream(
        *known_sound(prompt, frame), frame, options.fade_seconds, options.phase_iterations, generator(seed, 1)
    )
    step = model.options.stack * frame.hop / rate
    frames = continue_prompts(
        model, [prompt], [generator(seed, 0)], options, max(1, round(streaming.first_seconds / step))
    )
    coming = _ahead(frames)
    yield from lead_of(prompt, options, frame, fade)
    for bands in _in_growing_pieces(coming, frame, streaming):
        piece = to_left_right(phase.push(bands))
        if left <= len(piece) + fade:
            piece = np.concatenate([piece, to_left_right(phase.rest())])[: int(left)]
        left -= len(piece)
        yield piece
        if left <= 0:
            return


def generator(seed: int, purpose: int) -> np.random.Generator:
    """The generators of sample 0: purpose 0 plays, 1 finds the phase."""
    return np.random.default_rng([seed, 0, purpose])


def at_listening_pace(pieces: Iterator[np.ndarray], rate: int, ahead_seconds: float) -> Iterator[np.ndarray]:
    """The same, held back while more than `ahead_seconds` are made that nobody can have heard yet."""
    started, made = time.monotonic(), 0
    for piece in pieces:
        yield piece
        made += len(piece)
        wait(made / rate - ahead_seconds - (time.monotonic() - started))


def play_into(out: Sink, pieces: Iterator[np.ndarray], rate: int, endless: bool, say: Callable[[str], None]) -> None:
    """Pieces to where they are heard, until there are no more, nobody reads them, or Ctrl-C ends what has no end.

    Says how much it was, how fast, and after how many seconds the first was there.
    """
    started, first = time.monotonic(), None
    try:
        for piece in pieces:
            out.write(piece)
            first = first or time.monotonic() - started
            if endless and requested():
                break
    except BrokenPipeError:
        say("nobody listens any more")
    except KeyboardInterrupt:
        if not endless:
            raise
    spent, seconds = time.monotonic() - started, out.samples / rate
    if first:
        say(f"{seconds:.1f} s of music in {spent:.1f} s, {seconds / spent:.1f} x real time, first after {first:.2f} s")


def _in_growing_pieces(
    chunks: Iterator[np.ndarray], frame: FrameOptions, streaming: StreamOptions
) -> Iterator[np.ndarray]:
    """Chunks (1, frames, channels, bands), all short, to pieces (frames, channels, bands), each longer than the last.

    Short chunks, because the compiled loop is made for one length; longer pieces, because the search for the phase
    costs the same some frames in every piece.
    """
    wanted = float(streaming.first_seconds)
    gathered: list[np.ndarray] = []
    for chunk in chunks:
        gathered.append(chunk[0])
        frames = sum(map(len, gathered))
        if frames >= frame.frames_in(wanted * 0.9):
            yield np.concatenate(gathered)
            gathered = []
            wanted = min(wanted * streaming.growth, streaming.longest_seconds)


def _ahead(items: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """The same items, each made in a thread of its own while the one before is being used; the first from now on."""
    pool = ThreadPoolExecutor(1)
    first = pool.submit(next, items)

    def made() -> Iterator[np.ndarray]:
        with pool:
            coming = first
            while True:
                item = coming.result()
                coming = pool.submit(next, items)
                yield item

    return made()
