"""The split of a dataset: which seconds of which recordings were trained on, and which were held out."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.dataset import cache
from music_composer.audio.dataset.windows import Dataset, Segment, dataset_of, min_frames, window_frames
from music_composer.audio.reading.recording import sounding_seconds
from music_composer.data.split import Split, changes, everything_trained_on, extended
from music_composer.data.split_file import read_split
from music_composer.evaluation.audio.analysis import Span, lengths_in
from music_composer.evaluation.audio.similarity.frechet_distance import DistanceOptions

PIECE_SECONDS = 30.0  # held-out music is read in pieces of at most so long
MAX_PIECES = 60  # half an hour
SHORTEST_PIECE = 1.0  # shorter pieces have too few windows of half a second
MAX_TRAINING_SECONDS = 4 * 3600.0  # of training music that is analysed
SAID = 5  # names in a message
LONGEST_WHOLE = 300.0  # longer recordings are read in pieces: some metrics hold a whole one in memory


def split_of(ready: cache.Cache, run: Run, say: Callable[[str], None], new: bool = False) -> Split:
    """Returns the split of a run folder, extended to recordings that are new. Nothing is written.

    new: the run begins now. Reports recordings that came or went.
    """
    frames_per_step = run.model.frames_per_step
    # A cache that has shrunk still has a split, so that `evaluate` can report what is missing.
    window, unit = window_frames(max(ready.frames, min_frames(frames_per_step)), run.window_steps, frames_per_step)
    empty = Split(run.held_out, window, unit, min_frames(frames_per_step))
    if new:
        return extended(empty, ready.tracks)
    kept = read_split(run.folder)
    if kept is None:
        say(
            f"{run.folder} was made before the split of the music was kept: all recordings count as trained on, and "
            "`evaluate` needs others, with --held-out"
        )
        return everything_trained_on(empty, ready.tracks)
    come, gone = changes(kept, ready.tracks)
    whole = extended(kept, ready.tracks)
    if come:
        contents = {track.source: track.content for track in ready.tracks}
        held_out = sum(bool(whole.by_content[contents[source]].validation) for source in come)
        say(
            f"note: {len(come)} recordings have come since the last training ({_few(come)}); all or a part of "
            f"{held_out} is held out of it"
        )
    if gone:
        say(f"note: {len(gone)} recordings that belong to the model have changed or gone: {_few(gone)}")
    return whole


def dataset_for(ready: cache.Cache, run: Run, split: Split) -> Dataset:
    """Returns the training and validation music of a cache, with the channels of the model."""
    songs = [cache.load_frames(ready, song, run.channels) for song in ready.songs]
    training: list[Segment] = []
    validation: list[Segment] = []
    for number, song in enumerate(ready.songs):
        decision = split.by_content[song.fingerprint.content]
        for spans, segments in ((decision.training, training), (decision.validation, validation)):
            segments += [
                Segment(number, start - song.start, stop - song.start)
                for start, stop in within(spans, song.start, song.stop)
            ]
    return dataset_of(songs, training, validation, run.window_steps, run.model.frames_per_step)


def divided(ready: cache.Cache, split: Split) -> tuple[list[Span], list[Span]]:
    """Returns the spans of training and of held-out music, in seconds."""
    rate = ready.options.frames_per_second
    training: list[Span] = []
    validation: list[Span] = []
    for song in ready.songs:
        decision = split.by_content[song.fingerprint.content]
        for parts, spans in ((decision.training, training), (decision.validation, validation)):
            spans += [
                Span(ready.datasets / song.source, start / rate, stop / rate)
                for start, stop in within(parts, song.start, song.stop)
            ]
    return training, validation


def thinned(training: Sequence[Span], say: Callable[[str], None]) -> list[Span]:
    """Selects as much training music as can be analysed, evenly from all of it."""
    pieces = [piece for span in training for piece in _pieces(span, LONGEST_WHOLE)]
    total = sum(piece.stop - piece.start for piece in pieces)
    if total <= MAX_TRAINING_SECONDS:
        return list(training)
    # In an order that depends on names alone: parts come from everywhere, and every evaluation takes the same ones.
    chosen, seconds = [], 0.0
    for piece in sorted(pieces, key=_shuffled):
        seconds += piece.stop - piece.start
        if seconds > MAX_TRAINING_SECONDS:
            break
        chosen.append(piece)
    say(
        f"note: {MAX_TRAINING_SECONDS / 3600:g} of {total / 3600:.1f} hours of training music are analysed, in "
        f"{len(chosen)} parts from everywhere; a copy of the rest is not found"
    )
    return sorted(chosen, key=lambda piece: (piece.path, piece.start))


def held_out_recordings(folder: Path, say: Callable[[str], None] = lambda line: None) -> list[Span]:
    """Returns recordings that were not trained on, whole and without silent ends.

    Long recordings, or very many of them, are cut into pieces.
    """
    lengths = lengths_in(folder, say)
    if max(lengths.values()) <= LONGEST_WHOLE and sum(lengths.values()) <= MAX_PIECES * PIECE_SECONDS:
        return [Span(path, trim=True) for path in lengths]
    return pieces_of([Span(path, 0.0, length) for path, length in lengths.items()])


def whole_tracks(ready: cache.Cache, split: Split) -> list[Span]:
    """Returns the recordings that were entirely held out, from first to last sound. Of copies one is used."""
    rate = ready.options.frames_per_second
    tracks: dict[str, Span] = {}
    for song in ready.songs:
        decision = split.by_content[song.fingerprint.content]
        if decision.validation and not decision.training:
            span = Span(ready.datasets / song.source, song.start / rate, song.stop / rate)
            tracks.setdefault(song.fingerprint.content, span)
    return list(tracks.values())


def held_out_tracks(folder: Path) -> list[Span]:
    """Returns the same for a folder of recordings that were not trained on. Unreadable ones are left out."""
    lengths = lengths_in(folder, lambda note: None)
    return [Span(path, *sounding_seconds(path, DistanceOptions.trim_db)) for path in lengths]


def pieces_of(spans: Sequence[Span]) -> list[Span]:
    """Cuts spans into pieces, and thins them evenly where there are very many."""
    pieces = [piece for span in spans for piece in _pieces(span, PIECE_SECONDS)]
    pieces = [piece for piece in pieces if piece.stop - piece.start >= SHORTEST_PIECE]
    return pieces[:: -(-len(pieces) // MAX_PIECES)] if pieces else []


def _pieces(span: Span, seconds: float) -> list[Span]:
    """Cuts a span into equal pieces of about `seconds`."""
    count = max(1, round((span.stop - span.start) / seconds))
    length = (span.stop - span.start) / count
    return [Span(span.path, span.start + i * length, span.start + (i + 1) * length) for i in range(count)]


def within(spans: Sequence[tuple[int, int]], first: int, last: int) -> list[tuple[int, int]]:
    """Cuts spans of frames to the part between two frames."""
    cut = [(max(start, first), min(stop, last)) for start, stop in spans]
    return [(start, stop) for start, stop in cut if start < stop]


def _shuffled(piece: Span) -> bytes:
    """Returns a sort key that is independent of the music and always the same."""
    return hashlib.blake2b(os.fsencode(f"{piece.path.name} {piece.start:.3f}"), digest_size=8).digest()


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:SAID]) + (", ..." if len(names) > SAID else "")
