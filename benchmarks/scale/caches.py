"""Caches of many hours that no recording was read for: how long the program takes to find its way in them."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
import time
from pathlib import Path

import numpy as np
import soundfile

from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.dataset import cache
from music_composer.audio.dataset.shards import Song, shard_of
from music_composer.audio.dataset.windows import epoch_windows
from music_composer.audio.options import FrameOptions, ModelOptions
from music_composer.data.fingerprints import BANDS, PLACES, text_of
from music_composer.data.folder import Fingerprint
from music_composer.data.index import Index
from music_composer.pipelines.audio.validation import dataset_for, split_of

SONG_SECONDS = 240.0
CLIP_SECONDS = 1.0, 30.0
IN_A_FOLDER = 1000  # clips
MOST_LINKS = 30_000  # names of one file: file systems have no room for many more


def write_cache(folder: Path, hours: float, sparse: bool) -> int:
    """Writes `music` and `train_data` of so many hours of stereo, and returns the number of recordings.

    The recordings are names of one file: the index knows them, and only excerpts for prompts are read. sparse: the
    frames take no room on the disk either, and read as zeros.
    """
    options = FrameOptions()
    frames = options.frames_in(SONG_SECONDS)
    noise = np.random.default_rng(0).normal(0.0, 1.0, (frames, 2, options.bands)).astype(np.float16)
    count, songs = round(hours * 3600 / SONG_SECONDS), []
    recording = _laid_out(folder, SONG_SECONDS)
    for number in range(count):
        song = _entry(folder, f"{number}.wav", recording, number, frames, 2)
        shard = folder / "train_data" / song.shard
        if sparse:
            _write_sparse(shard, noise.shape)
        else:
            np.save(shard, np.roll(noise, number, axis=0))
        songs.append(song)
    _write_index(folder, songs)
    return count


def write_clips(folder: Path, count: int) -> float:
    """Writes the same of so many clips, in folders, of mixed lengths, mono and stereo. Returns their hours.

    Their frames read as zeros, but each has an acoustic fingerprint of its own, as recordings have.
    """
    options, rng = FrameOptions(), np.random.default_rng(0)
    recording, songs = _laid_out(folder, CLIP_SECONDS[1]), []
    for number in range(count):
        frames, channels = options.frames_in(rng.uniform(*CLIP_SECONDS)), int(rng.integers(1, 3))
        acoustic = text_of(rng.uniform(0, 40, (PLACES, BANDS)))
        name = f"{number // IN_A_FOLDER}/{number}.wav"
        song = dataclasses.replace(_entry(folder, name, recording, number, frames, channels), acoustic=acoustic)
        _write_sparse(folder / "train_data" / song.shard, (frames, channels, options.bands))
        songs.append(song)
    _write_index(folder, songs)
    return sum(song.frames for song in songs) / options.frames_per_second / 3600


def window_list(folder: Path) -> float:
    """Seconds of listing the windows of an epoch of a folder that `write_cache` or `write_clips` has written."""
    ready = cache.open_cache(folder / "music", folder / "train_data")
    assert ready
    run = Run(folder / "model", ready.options, ModelOptions(), ready.channels)
    dataset = dataset_for(ready, run, split_of(ready, run, lambda line: None, new=True))
    started = time.monotonic()
    assert epoch_windows(dataset, 1, 0)
    return time.monotonic() - started


def _laid_out(folder: Path, seconds: float) -> Path:
    """Makes the folders, and returns the recording that all names stand for."""
    (folder / "music").mkdir(parents=True)
    (folder / "train_data").mkdir()
    recording, rate = folder / "recording.wav", FrameOptions().rate
    samples = np.random.default_rng(1).uniform(-0.1, 0.1, (round(seconds * rate), 2))
    soundfile.write(recording, samples, rate)
    return recording


def _entry(folder: Path, name: str, recording: Path, number: int, frames: int, channels: int) -> Song:
    """The entry of a recording, and its name in the folder of music."""
    path, status = folder / "music" / name, recording.stat()
    path.parent.mkdir(exist_ok=True)
    if status.st_nlink > MOST_LINKS:
        content = recording.read_bytes()
        recording.unlink()
        recording.write_bytes(content)
        os.utime(recording, ns=(status.st_atime_ns, status.st_mtime_ns))
    path.hardlink_to(recording)
    digest = hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest()
    fingerprint = Fingerprint(status.st_size, status.st_mtime_ns, digest)
    return Song(name, fingerprint, shard_of(fingerprint), channels, frames, 0, frames, (), "", 0.0)


def _write_index(folder: Path, songs: list[Song]) -> None:
    label = {"magic": cache.MAGIC, "version": cache.VERSION, "options": dataclasses.asdict(FrameOptions())}
    Index(folder / "train_data" / cache.INDEX, label, Song).write(songs)


def _write_sparse(path: Path, shape: tuple[int, ...]) -> None:
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f2", "fortran_order": False, "shape": shape})
        file.truncate(file.tell() + 2 * math.prod(shape))
