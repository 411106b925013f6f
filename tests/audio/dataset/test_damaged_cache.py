"""The cache survives damage, interruptions and the files of others in its folder."""

import json
import os

import numpy as np
import pytest

from music_composer.audio.dataset import cache as station
from music_composer.audio.dataset import shards
from music_composer.audio.dataset.cache import load_frames, open_cache, prepare
from music_composer.audio.options import FrameOptions
from music_composer.errors import CacheError, RecordingError
from tests.audio.dataset.songs import done, shard_of


@pytest.mark.parametrize("size", [0, 100, 3000])
def test_a_torn_shard_is_made_again(music, folder, size):
    first, _ = prepare(music, folder)
    shard = shard_of(first, "b.wav")
    whole = shard.read_bytes()
    shard.write_bytes(whole[:size])
    _, report = prepare(music, folder)
    assert done(report) == (1, 2, 0)
    assert shard.read_bytes() == whole


def test_a_missing_shard_is_made_again(music, folder):
    first, _ = prepare(music, folder)
    shard_of(first, "b.wav").unlink()
    assert done(prepare(music, folder)[1]) == (1, 2, 0)
    assert shard_of(first, "b.wav").exists()


@pytest.mark.parametrize("torn", [b"", b"torn"])
def test_a_shard_that_tears_later_is_an_error_with_the_way_out(music, folder, torn):
    cache, _ = prepare(music, folder)
    shard_of(cache, "a.wav").write_bytes(torn)
    with pytest.raises(CacheError, match="run `music-composer prepare`"):
        load_frames(cache, cache.songs[0])


def half(text):
    return text[: len(text) // 2]


def changed(**fields):
    return lambda text: json.dumps({**json.loads(text), **fields})


@pytest.mark.parametrize(
    "damage",
    [half, changed(version=99), changed(songs=["x"]), changed(songs=[{}]), changed(songs=7), lambda text: f"[{text}]"],
)
def test_an_index_that_is_damaged_is_made_again_and_said(music, folder, damage):
    first, _ = prepare(music, folder)
    index = folder / "index.json"
    index.write_text(damage(index.read_text()))
    messages = []
    second, report = prepare(music, folder, say=messages.append)
    assert done(report) == (3, 0, 0)
    assert len(messages) == 1
    assert "index.json" in messages[0]
    assert second == first
    assert done(prepare(music, folder, say=messages.append)[1]) == (0, 3, 0)
    assert len(messages) == 1


@pytest.mark.parametrize("name", ["index.json", "index.jsonl"])
@pytest.mark.parametrize("text", ['{"magic": "other"}', "[]", '["a.html"]', "var pages = 3;", "7"])
def test_an_index_that_is_not_ours_is_left_alone(music, folder, name, text):
    folder.mkdir()
    index = folder / name
    index.write_text(text)
    with pytest.raises(CacheError, match=f"{name} is not ours.*-t"):
        prepare(music, folder)
    assert index.read_text() == text
    assert list(folder.iterdir()) == [index]


def test_shards_with_other_bands_than_the_index_says_are_made_again(music, folder):
    cache, _ = prepare(music, folder)
    other, _ = prepare(music, folder.with_name("other"), FrameOptions(bands=80))
    shard_of(cache, "b.wav").write_bytes(shard_of(other, "b.wav").read_bytes())
    assert done(prepare(music, folder)[1]) == (1, 2, 0)


def test_foreign_files_in_the_cache_folder_are_left_alone(music, folder):
    folder.mkdir()
    for name in ["notes.txt", "frames-mine.npy", "frames.npy"]:
        (folder / name).write_text("mine")
    prepare(music, folder)
    (music / "a.wav").unlink()
    prepare(music, folder)
    assert [(folder / name).read_text() for name in ["notes.txt", "frames-mine.npy", "frames.npy"]] == ["mine"] * 3


def test_an_interrupted_prepare_is_completed_by_the_next(music, folder, monkeypatch):
    cut = station.cut_recording

    def cut_until_c(source, *rest):
        if source == "c.wav":
            raise KeyboardInterrupt
        return cut(source, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(station, "cut_recording", cut_until_c)
        patch.setattr(os, "cpu_count", lambda: 1)
        with pytest.raises(KeyboardInterrupt):
            prepare(music, folder)
    assert [song.source for song in open_cache(music, folder).songs] == ["a.wav", "b.wav"]
    cache, report = prepare(music, folder)
    assert done(report) == (1, 2, 0)
    assert len(cache.songs) == 3


def test_an_interruption_within_a_song_leaves_no_half_shard(music, folder, monkeypatch):
    def broken(blocks, options):
        yield np.zeros((5, 1, options.bands))
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(shards.spectrogram, "blocks_to_bands", broken)
        with pytest.raises(RecordingError, match=r"b\.wav: cannot be used: ZeroDivisionError"):
            prepare(music, folder)
    assert [path.name for path in folder.iterdir()] == ["index.json"]
    assert done(prepare(music, folder)[1]) == (3, 0, 0)


def test_a_cache_folder_that_cannot_be_made_is_said(music, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CacheError, match="cannot be made"):
        prepare(music, tmp_path / "file" / "cache")
