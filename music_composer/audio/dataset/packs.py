"""Small shards to packs of about a gigabyte, so that very many clips do not become as many files.

    pack-0123456789abcdef.npy    the frames of many songs, one after the other: a plain NumPy array of one axis

A pack never changes. Its name follows from what is in it. When most of a pack belongs to songs that are gone, the rest
is packed again with others.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from music_composer import parallel
from music_composer.audio.dataset.shards import PACK, Song, header_of
from music_composer.audio.frame_arrays import FRAME_TYPE, HEADER_BYTES
from music_composer.audio.options import FrameOptions
from music_composer.errors import CacheError, MusicComposerError
from music_composer.files.atomic import reason, whole_file

PACK_BYTES = 2**30
SMALL_BYTES = 2**25  # shards below this are packed: 90 s of stereo
LEAST = 256  # of them; fewer stay files of their own
COPY_BYTES = 2**22

Say = Callable[[str], None]


def packed(
    songs: Iterable[Song], folder: Path, options: FrameOptions, executor: parallel.Executor | None, say: Say
) -> list[Song]:
    """Packs small shards, where there are many. Returns all songs, with their new places.

    What the songs leave stays until `remove_unused`. Raises CacheError when the disk refuses.
    """
    songs = list(songs)
    small = _to_be_packed(songs, folder, options)
    if not small:
        return songs
    packs = _divided(sorted(small, key=lambda song: song.source), options)
    say(f"packing the frames of {len(small)} recordings into {len(packs)} files")
    jobs = [(pack, folder, options) for pack in packs]
    names = parallel.map(write_pack, jobs, executor or parallel.Sequential())
    places: dict[str, tuple[str, int]] = {}
    for name, pack in zip(names, packs, strict=True):
        offset = 0
        for song in pack:
            places[song.fingerprint.content] = name, offset
            offset += song.bytes_of(options)
    return [_moved(song, places.get(song.fingerprint.content)) for song in songs]


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
    except CacheError:
        raise
    except OSError as error:
        raise CacheError(f"{folder / name} cannot be written: {reason(error)}") from error
    except MusicComposerError as error:
        raise CacheError(str(error)) from error
    return name


def remove_unused(folder: Path, songs: Iterable[Song], before: Iterable[Song]) -> None:
    """Removes the shards of `before` that no song names, and packs that a process made and was killed over."""
    used = {song.shard for song in songs}
    packs = {path.name for path in folder.glob("pack-*.npy") if PACK.fullmatch(path.name)}
    for shard in ({song.shard for song in before} | packs) - used:
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


def _moved(song: Song, place: tuple[str, int] | None) -> Song:
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
