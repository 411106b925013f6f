"""Caches of many hours that no recording was read for: how long the program takes to find its way in them."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import soundfile

from music_composer.audio.dataset import cache
from music_composer.audio.dataset.shards import Song, shard_of
from music_composer.audio.options import FrameOptions
from music_composer.data.folder import Fingerprint
from music_composer.data.index import Index

SONG_SECONDS = 240.0


def write_cache(folder: Path, hours: float, sparse: bool) -> int:
    """Writes `music` and `train_data` of so many hours of stereo, and returns the number of recordings.

    The recordings are names of one file: the index knows them, and only excerpts for prompts are read. sparse: the
    frames take no room on the disk either, and read as zeros.
    """
    options, rng = FrameOptions(), np.random.default_rng(0)
    frames = options.frames_in(SONG_SECONDS)
    noise = rng.normal(0.0, 1.0, (frames, 2, options.bands)).astype(np.float16)
    music, data = folder / "music", folder / "train_data"
    music.mkdir(parents=True)
    data.mkdir()
    count, songs = round(hours * 3600 / SONG_SECONDS), []
    recording = folder / "recording.wav"
    soundfile.write(recording, rng.uniform(-0.1, 0.1, (round(SONG_SECONDS * options.rate), 2)), options.rate)
    status = recording.stat()
    for number in range(count):
        path = music / f"{number}.wav"
        path.hardlink_to(recording)
        content = hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest()
        fingerprint = Fingerprint(status.st_size, status.st_mtime_ns, content)
        shard = data / shard_of(fingerprint)
        if sparse:
            _write_sparse(shard, noise)
        else:
            np.save(shard, np.roll(noise, number, axis=0))
        songs.append(Song(path.name, fingerprint, shard.name, 2, frames, 0, frames, (), "", 0.0))
    label = {"magic": cache.MAGIC, "version": cache.VERSION, "options": dataclasses.asdict(options)}
    Index(data / cache.INDEX, label, Song).write(songs)
    return count


def _write_sparse(path: Path, like: np.ndarray) -> None:
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(like))
        file.truncate(file.tell() + like.nbytes)
