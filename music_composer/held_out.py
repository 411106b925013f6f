"""Which seconds of which recordings a model was trained on, and which it never heard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from music_composer.data import batches, cache
from music_composer.evaluation.hearing import Span, lengths_in
from music_composer.training.run import Run

PIECE_SECONDS = 30.0  # held-out music is read in pieces of at most so long
MOST_PIECES = 60  # half an hour
SHORTEST_PIECE = 1.0
LONGEST_WHOLE = 300.0  # a recording that is longer is read in pieces: some measures hold all of one in memory


def divided(ready: cache.Cache, here: Run, seed: int) -> tuple[list[Span], list[Span]]:
    """What of each recording was trained on, and what was held out."""
    rate = ready.options.frames_per_second
    frames = [cache.load_frames(ready, song) for song in ready.songs]
    dataset = batches.dataset_of(frames, here.window_steps, here.model.stack, here.held_out, seed)
    long = [song for song, each in zip(ready.songs, frames, strict=True) if len(each) >= dataset.window]
    short = [song for song, each in zip(ready.songs, frames, strict=True) if len(each) < dataset.window]
    training = [Span(ready.datasets / s.source, s.start / rate, s.stop / rate) for s in short]
    spared: list[Span] = []
    for regions, spans in ((dataset.training, training), (dataset.held_out, spared)):
        for region in regions:
            if region.stretch < len(long):  # the joined ones come after them
                song = long[region.stretch]
                start, stop = song.start + region.start, min(song.start + region.stop, song.stop)
                spans.append(Span(ready.datasets / song.source, start / rate, stop / rate))
    return training, spared


def spared_recordings(folder: Path, say: Callable[[str], None] = lambda line: None) -> list[Span]:
    """Recordings that were not trained on: whole, without their silent ends, or in pieces where there is very much."""
    lengths = lengths_in(folder, say)
    if max(lengths.values()) <= LONGEST_WHOLE and sum(lengths.values()) <= MOST_PIECES * PIECE_SECONDS:
        return [Span(path, trim=True) for path in lengths]
    return pieces_of([Span(path, 0.0, length) for path, length in lengths.items()])


def pieces_of(spans: Sequence[Span]) -> list[Span]:
    """The spans in pieces, evenly thinned where there are very many."""
    pieces = []
    for span in spans:
        count = max(1, round((span.stop - span.start) / PIECE_SECONDS))
        length = (span.stop - span.start) / count
        if length >= SHORTEST_PIECE:
            pieces += [Span(span.path, span.start + i * length, span.start + (i + 1) * length) for i in range(count)]
    return pieces[:: -(-len(pieces) // MOST_PIECES)] if pieces else []
