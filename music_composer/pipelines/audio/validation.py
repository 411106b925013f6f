"""Which seconds of which recordings a model was trained on, and which it never heard."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from music_composer.audio.dataset import cache
from music_composer.audio.dataset.windows import Dataset, Segment, dataset_of, least_frames, window_frames
from music_composer.audio.reading.recording import sounding_seconds
from music_composer.data.split import Split, changes, everything_trained_on, extended
from music_composer.data.split_file import read_split
from music_composer.evaluation.audio.analysis import Span, lengths_in
from music_composer.evaluation.audio.similarity.frechet_distance import DistanceOptions
from music_composer.training.run_folder import Run

PIECE_SECONDS = 30.0  # held-out music is read in pieces of at most so long
MOST_PIECES = 60  # half an hour
SHORTEST_PIECE = 1.0
MOST_HEARD_SECONDS = 4 * 3600.0  # of training music that is listened to
SAID = 5  # names in a line
LONGEST_WHOLE = 300.0  # a recording that is longer is read in pieces: some measures hold all of one in memory


def split_of(ready: cache.Cache, here: Run, say: Callable[[str], None], new: bool = False) -> Split:
    """The split of a run folder, with decisions for recordings that have come since. Nothing is written.

    new: the run begins now. Says where recordings have come or gone.
    """
    stack = here.model.stack
    window, unit = window_frames(max(ready.frames, least_frames(stack)), here.window_steps, stack)
    empty = Split(here.held_out, window, unit, least_frames(stack))
    if new:
        return extended(empty, ready.tracks)
    kept = read_split(here.folder)
    if kept is None:
        say(
            f"{here.folder} was made before the split of the music was kept: all recordings count as trained on, and "
            "`evaluate` needs others, with --held-out"
        )
        return everything_trained_on(empty, ready.tracks)
    come, gone = changes(kept, ready.tracks)
    whole = extended(kept, ready.tracks)
    if come:
        contents = {track.source: track.content for track in ready.tracks}
        judged = sum(bool(whole.by_content[contents[source]].validation) for source in come)
        say(
            f"note: {len(come)} recordings have come since the last training ({_few(come)}); all or a part of {judged} "
            "is held out of it"
        )
    if gone:
        say(f"note: {len(gone)} recordings that belong to the model have changed or gone: {_few(gone)}")
    return whole


def dataset_for(ready: cache.Cache, here: Run, split: Split) -> Dataset:
    """The music of a cache as a split has it, with the channels of the model."""
    songs = [cache.load_frames(ready, song, here.channels) for song in ready.songs]
    training: list[Segment] = []
    validation: list[Segment] = []
    for number, song in enumerate(ready.songs):
        decision = split.by_content[song.fingerprint.content]
        for spans, segments in ((decision.training, training), (decision.validation, validation)):
            segments += [
                Segment(number, start - song.start, stop - song.start)
                for start, stop in within(spans, song.start, song.stop)
            ]
    return dataset_of(songs, training, validation, here.window_steps, here.model.stack)


def divided(ready: cache.Cache, split: Split) -> tuple[list[Span], list[Span]]:
    """What of each recording was trained on, and what was held out, in seconds."""
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


def heard_of(training: Sequence[Span], say: Callable[[str], None]) -> list[Span]:
    """Of very much training music as many seconds as can be listened to, evenly from all of it."""
    pieces = [piece for span in training for piece in _pieces(span, LONGEST_WHOLE)]
    total = sum(piece.stop - piece.start for piece in pieces)
    if total <= MOST_HEARD_SECONDS:
        return list(training)
    heard, seconds = [], 0.0
    for piece in sorted(pieces, key=_shuffled):
        seconds += piece.stop - piece.start
        if seconds > MOST_HEARD_SECONDS:
            break
        heard.append(piece)
    say(
        f"note: {MOST_HEARD_SECONDS / 3600:g} of {total / 3600:.1f} hours of training music are listened to, in "
        f"{len(heard)} parts from everywhere; a copy of the rest is not seen"
    )
    return sorted(heard, key=lambda piece: (piece.path, piece.start))


def spared_recordings(folder: Path, say: Callable[[str], None] = lambda line: None) -> list[Span]:
    """Recordings that were not trained on: whole, without their silent ends, or in pieces where there is very much."""
    lengths = lengths_in(folder, say)
    if max(lengths.values()) <= LONGEST_WHOLE and sum(lengths.values()) <= MOST_PIECES * PIECE_SECONDS:
        return [Span(path, trim=True) for path in lengths]
    return pieces_of([Span(path, 0.0, length) for path, length in lengths.items()])


def whole_tracks(ready: cache.Cache, split: Split) -> list[Span]:
    """Recordings of which nothing was trained on, from their first sound to their last. Of copies one."""
    rate = ready.options.frames_per_second
    tracks: dict[str, Span] = {}
    for song in ready.songs:
        decision = split.by_content[song.fingerprint.content]
        if decision.validation and not decision.training:
            span = Span(ready.datasets / song.source, song.start / rate, song.stop / rate)
            tracks.setdefault(song.fingerprint.content, span)
    return list(tracks.values())


def spared_tracks(folder: Path) -> list[Span]:
    """The same of a folder of recordings that were not trained on; those that cannot be read are left out."""
    lengths = lengths_in(folder, lambda note: None)
    return [Span(path, *sounding_seconds(path, DistanceOptions.trim_db)) for path in lengths]


def pieces_of(spans: Sequence[Span]) -> list[Span]:
    """The spans in pieces, evenly thinned where there are very many."""
    pieces = [piece for span in spans for piece in _pieces(span, PIECE_SECONDS)]
    pieces = [piece for piece in pieces if piece.stop - piece.start >= SHORTEST_PIECE]
    return pieces[:: -(-len(pieces) // MOST_PIECES)] if pieces else []


def _pieces(span: Span, seconds: float) -> list[Span]:
    """A span in equal pieces of about so many seconds."""
    count = max(1, round((span.stop - span.start) / seconds))
    length = (span.stop - span.start) / count
    return [Span(span.path, span.start + i * length, span.start + (i + 1) * length) for i in range(count)]


def within(spans: Sequence[tuple[int, int]], first: int, last: int) -> list[tuple[int, int]]:
    """Spans of frames, or what of them lies between two frames."""
    cut = [(max(start, first), min(stop, last)) for start, stop in spans]
    return [(start, stop) for start, stop in cut if start < stop]


def _shuffled(piece: Span) -> bytes:
    """An order that has nothing to do with the music, and is always the same."""
    return hashlib.blake2b(os.fsencode(f"{piece.path.name} {piece.start:.3f}"), digest_size=8).digest()


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:SAID]) + (", ..." if len(names) > SAID else "")
