"""Small shards to packs of about a gigabyte, so that very many clips do not become as many files.

    pack-0123456789abcdef.npy    the frames of many songs, one after the other: a plain NumPy array of one axis

A pack never changes. Its name follows from what is in it. When most of a pack belongs to songs that are gone, the rest
is packed again with others.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from music_composer import parallel
from music_composer.audio.dataset.shards import OURS, Song, header_of
from music_composer.audio.frame_arrays import FRAME_TYPE, HEADER_BYTES
from music_composer.audio.options import FrameOptions
from music_composer.errors import CacheError, MusicComposerError
from music_composer.files.atomic import reason, whole_file

PACK_BYTES = 2**30
SMALL_BYTES = 2**22  # shards below this are packed: a minute of stereo
LEAST = 1000  # of them; fewer stay files of their own
AT_A_TIME = 8  # packs that are written before the shards of their songs go: the room that packing needs
COPY_BYTES = 2**22

Songs = dict[str, Song]  # by source


def pack(
    songs: Songs,
    folder: Path,
    options: FrameOptions,
    executor: parallel.Executor | None,
    say: Callable[[str], None],
    keep: Callable[[Songs], None],
) -> Songs:
    """Packs small shards, where there are many. Returns all songs, with their new places.

    keep: writes the index; it is called before the shards of songs go that have moved. Where the disk refuses, it is
    said, and the other songs stay where they are.
    """
    small = _to_be_packed(list(songs.values()), folder, options)
    packs = _divided(sorted(small, key=lambda song: song.source), options)
    if packs:
        say(f"packing the frames of {len(small)} recordings into {len(packs)} files")
    for at in range(0, len(packs), AT_A_TIME):
        some = packs[at : at + AT_A_TIME]
        try:
            names = parallel.map(
                write_pack, [(each, folder, options) for each in some], executor or parallel.Sequential()
            )
        except MusicComposerError as error:  # a worker process may have died, too
            say(f"note: {error}; the frames of short recordings stay in files of their own")
            break
        places: dict[str, tuple[str, int]] = {}
        for name, each in zip(names, some, strict=True):
            offset = 0
            for song in each:
                places[song.fingerprint.content] = name, offset
                offset += song.bytes_of(options)
        before, songs = songs, {source: _moved(song, places) for source, song in songs.items()}
        keep(songs)
        _remove({song.shard for song in before.values()} - {song.shard for song in songs.values()}, folder)
    return songs


def write_pack(songs: Sequence[Song], folder: Path, options: FrameOptions) -> str:
    """Writes the frames of songs, in order, and returns the name of the pack."""
    made_of = "".join(song.fingerprint.content for song in songs)
    name = f"pack-{hashlib.blake2b(made_of.encode(), digest_size=8).hexdigest()}.npy"
    total = sum(song.bytes_of(options) for song in songs)
    try:
        with whole_file(folder / name) as part, part.open("wb") as file:
            file.write(header_of(total // FRAME_TYPE.itemsize))
            for song in songs:
                with (folder / song.shard).open("rb") as shard:
                    shard.seek(HEADER_BYTES + song.offset)
                    left = song.bytes_of(options)
                    while left:
                        block = shard.read(min(left, COPY_BYTES))
                        if not block:
                            raise CacheError(f"{folder / song.shard} is cut short: run this again")
                        left -= file.write(block)
    except OSError as error:
        raise CacheError(f"{folder / name} cannot be written: {reason(error)}") from error
    return name


def remove_unused(folder: Path, songs: Iterable[Song]) -> None:
    """Removes shards and packs that no song names, also those that a killed process has left."""
    used = {song.shard for song in songs}
    with contextlib.suppress(OSError):  # it may be for reading only
        _remove([name for name in os.listdir(folder) if name not in used and OURS.fullmatch(name)], folder)


def _remove(shards: Iterable[str], folder: Path) -> None:
    for shard in shards:
        (folder / shard).unlink(missing_ok=True)


def _to_be_packed(songs: Sequence[Song], folder: Path, options: FrameOptions) -> list[Song]:
    """Returns songs with small shards, and those of packs that are mostly unused; of equal content one."""
    kept: Counter[str] = Counter()  # bytes
    different = {song.fingerprint.content: song for song in reversed(songs)}.values()
    for song in different:
        if song.is_packed:
            kept[song.shard] += song.bytes_of(options)
    loose = {shard for shard, size in kept.items() if size < (folder / shard).stat().st_size / 2}
    small = [song for song in different if not song.is_packed and song.bytes_of(options) < SMALL_BYTES]
    if len(small) < LEAST and not loose:
        return []
    return small + [song for song in different if song.shard in loose]


def _moved(song: Song, places: Mapping[str, tuple[str, int]]) -> Song:
    place = places.get(song.fingerprint.content)
    return dataclasses.replace(song, shard=place[0], offset=place[1]) if place else song


def _divided(songs: Sequence[Song], options: FrameOptions) -> list[list[Song]]:
    """Divides songs, in order, into packs of about PACK_BYTES."""
    packs: list[list[Song]] = []
    room = 0
    for song in songs:
        size = song.bytes_of(options)
        if not packs or size > room:
            packs.append([])
            room = PACK_BYTES
        packs[-1].append(song)
        room -= size
    return packs
