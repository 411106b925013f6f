"""Which songs a symbolic model is trained on: whole songs, chosen by their notes, kept in the run folder.

The rules are those of `data.split`. A song is known by its notes up to transposition, so copies in other keys, at other
tempos and under other names follow it.
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

WHOLE_FROM = 2  # songs: one of two is held out
SAID = 5  # names in a line


def split_of(folder: Path | None, songs: Sequence[Song], held_out: float, say: Callable[[str], None]) -> Split:
    """The split of a run folder, with decisions for songs that have come since. Nothing is written.

    folder: None where the run begins now. Says where songs have come or gone.
    """
    tracks, empty = [track_of(song) for song in songs], Split(held_out, window=0, unit=0, whole_from=WHOLE_FROM)
    if folder is None:
        return extended(empty, tracks)
    kept = read_split(folder)
    if kept is None:
        say(
            f"{folder} was made before the split of the music was kept: all songs count as trained on, and "
            "`midi evaluate` has none to judge by"
        )
        return everything_trained_on(empty, tracks)
    come, gone = changes(kept, tracks)
    if come:
        say(f"note: {len(come)} songs have come since the last training: {_few(come)}")
    if gone:
        say(f"note: {len(gone)} songs that belong to the model have changed or gone: {_few(gone)}")
    return extended(kept, tracks)


def divided(songs: Sequence[Song], split: Split) -> tuple[list[Song], list[Song]]:
    """What is trained on, and what is held out."""
    held = [not split.by_content[notes_of(song.roll)].training for song in songs]
    training = [song for song, out in zip(songs, held, strict=True) if not out]
    return training, [song for song, out in zip(songs, held, strict=True) if out]


def digest_of(songs: Sequence[Song]) -> str:
    """Changes when the notes, tempos or metres of any song do."""
    digest = hashlib.blake2b(digest_size=8)
    for song in songs:
        roll = song.roll
        digest.update(repr((roll.velocity.shape, roll.per_quarter, roll.tempos, roll.metres)).encode())
        digest.update(roll.velocity.tobytes() + roll.struck.tobytes())
    return digest.hexdigest()


def track_of(song: Song) -> Track:
    steps = song.roll.steps
    return Track(song.source, notes_of(song.roll), 0, steps, steps)


def notes_of(roll: Roll) -> str:
    """Hash of the notes, hexadecimal: the same in any key, at any tempo, loudness and metre."""
    sounding = roll.sounding
    lowest = int(np.argmax(sounding.any(axis=0)))
    digest = hashlib.blake2b(repr((roll.steps, roll.per_quarter)).encode(), digest_size=16)
    for notes in (sounding, roll.struck & sounding):
        digest.update(np.packbits(np.roll(notes, -lowest, axis=1)).tobytes())
    return digest.hexdigest()


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:SAID]) + (", ..." if len(names) > SAID else "")
