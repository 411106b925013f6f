"""The split of songs into training and validation: whole songs, chosen by their notes, kept in the run folder.

The rules are those of `data.split`. A song is identified by its notes up to transposition, so that copies in other
keys, at other tempos and under other names fall on the same side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from music_composer.data.split import Split, Track, changes, everything_trained_on, extended
from music_composer.data.split_file import read_split
from music_composer.symbolic.dataset.songs import Song
from music_composer.values import Roll

WHOLE_FROM = 2  # songs: of two, one is held out
MAX_NAMES = 5  # in a message


def split_of(folder: Path | None, songs: Sequence[Song], held_out: float, say: Callable[[str], None]) -> Split:
    """The split of a run folder, with new songs added. Nothing is written.

    folder: None where the run begins now. Reports songs that are new, changed or gone.
    """
    tracks, empty = [track_of(song) for song in songs], Split(held_out, window=0, unit=0, whole_from=WHOLE_FROM)
    if folder is None:
        return extended(empty, tracks)
    kept = read_split(folder)
    if kept is None:
        say(
            f"{folder} has no record of the split: all songs count as training music, and "
            "`midi evaluate` has none to compare with"
        )
        return everything_trained_on(empty, tracks)
    new, gone = changes(kept, tracks)
    if new:
        say(f"note: {len(new)} songs are new since the last training: {_few(new)}")
    if gone:
        say(f"note: {len(gone)} songs of the last training have changed or are gone: {_few(gone)}")
    return extended(kept, tracks)


def divided(songs: Sequence[Song], split: Split) -> tuple[list[Song], list[Song]]:
    """The songs of the training part, and those of the validation part."""
    held = [not split.by_content[notes_of(song.roll)].training for song in songs]
    training = [song for song, out in zip(songs, held, strict=True) if not out]
    return training, [song for song, out in zip(songs, held, strict=True) if out]


def digest_of(songs: Sequence[Song]) -> str:
    """A hash of all songs: it changes with the notes, tempos or metres of any of them."""
    digest = hashlib.blake2b(digest_size=8)
    for song in songs:
        roll = song.roll
        digest.update(repr((roll.velocity.shape, roll.per_quarter, roll.tempos, roll.metres)).encode())
        digest.update(roll.velocity.tobytes() + roll.onset.tobytes())
    return digest.hexdigest()


def track_of(song: Song) -> Track:
    """A song as the track that `data.split` divides."""
    steps = song.roll.steps
    return Track(song.source, notes_of(song.roll), 0, steps, steps)


def notes_of(roll: Roll) -> str:
    """A hash of the notes, hexadecimal: equal in any key, at any tempo, loudness and metre."""
    active = roll.active
    lowest = int(np.argmax(active.any(axis=0)))
    digest = hashlib.blake2b(repr((roll.steps, roll.per_quarter)).encode(), digest_size=16)
    # Rolled down to the lowest pitch: transposed copies have the same hash.
    for notes in (active, roll.onset & active):
        digest.update(np.packbits(np.roll(notes, -lowest, axis=1)).tobytes())
    return digest.hexdigest()


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:MAX_NAMES]) + (", ..." if len(names) > MAX_NAMES else "")
