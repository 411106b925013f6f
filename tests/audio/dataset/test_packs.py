"""Very many short recordings share files: the same frames, whatever comes, goes or is damaged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from music_composer.audio.dataset import packs
from music_composer.audio.dataset.cache import load_frames, prepare
from music_composer.audio.dataset.shards import header_of
from music_composer.audio.frame_arrays import HEADER_BYTES
from music_composer.errors import CacheError
from tests.audio.dataset.songs import done

COUNT, RATE = 12, 44100


@pytest.fixture
def clips(tmp_path, record):
    """Clips of different lengths, mono and stereo; two of them are equal."""
    rng = np.random.default_rng(0)
    for i in range(COUNT):
        sound = rng.uniform(-0.5, 0.5, (RATE // 10 + 1000 * i, 1 + i % 2))
        record(tmp_path / "music" / f"{i:02d}.wav", sound)
    (tmp_path / "music" / "copy.wav").write_bytes((tmp_path / "music" / "03.wav").read_bytes())
    return tmp_path / "music"


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(packs, "LEAST", 5)
    monkeypatch.setattr(packs, "PACK_BYTES", 100_000)


def frames_of(cache):
    return {song.source: np.asarray(load_frames(cache, song, 2)) for song in cache.songs}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for source in one:
        np.testing.assert_array_equal(one[source], other[source], err_msg=source)


def test_packed_frames_are_those_of_shards_of_their_own(clips, folder, tmp_path, monkeypatch):
    said = []
    cache, report = prepare(clips, folder, say=said.append)
    assert done(report) == (COUNT + 1, 0, 0)
    assert any(line.startswith(f"packing the frames of {COUNT} recordings into") for line in said)
    names = {path.name for path in folder.iterdir()}
    assert names == {"index.json", *(song.shard for song in cache.songs)}
    assert 1 < len(names) - 1 < COUNT / 2
    assert all(name.startswith("pack-") for name in names - {"index.json"})
    monkeypatch.setattr(packs, "LEAST", 100)
    assert_same(frames_of(cache), frames_of(prepare(clips, tmp_path / "other")[0]))
    numbers = np.load(folder / cache.songs[0].shard)
    assert (numbers.dtype, numbers.ndim) == (np.float16, 1)


def test_a_second_time_nothing_is_packed(clips, folder):
    first, _ = prepare(clips, folder)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    second, report = prepare(clips, folder)
    assert done(report) == (0, COUNT + 1, 0)
    assert second == first
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_what_comes_later_is_packed_with_others_and_old_packs_stay(clips, folder, record, sine):
    first, _ = prepare(clips, folder)
    for i in range(4):
        record(clips / f"new-{i}.wav", sine(200 + 50 * i, 0.2))
    second, _ = prepare(clips, folder)  # too few of them
    assert sum(song.is_packed for song in second.songs) == COUNT + 1
    record(clips / "new-4.wav", sine(500, 0.2))
    third, _ = prepare(clips, folder)
    assert all(song.is_packed for song in third.songs)
    assert {song.shard for song in first.songs} < {song.shard for song in third.songs}
    assert not list(folder.glob("frames-*"))
    assert_same(
        frames_of(first), {source: frames for source, frames in frames_of(third).items() if "new" not in source}
    )


def test_a_pack_of_songs_that_are_mostly_gone_is_packed_again(clips, folder):
    first, _ = prepare(clips, folder)
    before = frames_of(first)
    for path in sorted(clips.iterdir())[1:-2]:
        path.unlink()
    second, report = prepare(clips, folder)
    assert done(report) == (0, 3, COUNT - 2)
    assert_same(frames_of(second), {song.source: before[song.source] for song in second.songs})
    size = sum(path.stat().st_size for path in folder.glob("*.npy"))
    kept = {song.fingerprint.content: song.bytes_of(second.options) for song in second.songs}
    assert size <= 2 * sum(kept.values()) + HEADER_BYTES * len(kept)


@pytest.mark.parametrize("damage", ["cut", "gone", "header"])
def test_songs_of_a_damaged_pack_are_cut_again(clips, folder, damage):
    first, _ = prepare(clips, folder)
    before = frames_of(first)
    pack = folder / first.songs[0].shard
    if damage == "gone":
        pack.unlink()
    elif damage == "cut":
        pack.write_bytes(pack.read_bytes()[:-1000])
    else:
        pack.write_bytes(b"x" + pack.read_bytes()[1:])
    second, report = prepare(clips, folder)
    assert 0 < report.done < COUNT
    assert_same(frames_of(second), before)


def test_where_the_disk_has_no_room_for_packs_frames_stay_where_they_are(clips, folder, monkeypatch):
    def refuse(songs, folder, options):
        if len(written) == 1:
            raise CacheError("no space left")
        written.append(write(songs, folder, options))
        return written[-1]

    write, written, said = packs.write_pack, [], []
    monkeypatch.setattr(packs, "write_pack", refuse)
    monkeypatch.setattr(packs, "AT_A_TIME", 1)
    cache, report = prepare(clips, folder, say=said.append)
    assert "note: no space left; the frames of short recordings stay in files of their own" in said
    assert {song.shard for song in cache.songs if song.is_packed} == set(written)
    assert {path.name for path in folder.iterdir()} == {"index.json", *(song.shard for song in cache.songs)}
    monkeypatch.setattr(packs, "write_pack", write)
    again, report = prepare(clips, folder)
    assert (again, report.done) == (cache, 0)
    frames_of(again)


def test_a_process_killed_while_it_packs_loses_nothing(clips, folder, monkeypatch):
    class Killed(BaseException):
        pass

    def killed(*songs):
        write(*songs)
        raise Killed

    write = packs.write_pack
    monkeypatch.setattr(packs, "write_pack", killed)
    with pytest.raises(Killed):
        prepare(clips, folder)
    monkeypatch.setattr(packs, "write_pack", write)
    for kind in ("pack", "frames"):
        (folder / f"{kind}-0123456789abcdef.npy").write_bytes(b"of an earlier process")
    (folder / "pack-mine.npy").write_bytes(b"of somebody else")
    cache, report = prepare(clips, folder)
    assert report.done == 0
    assert {path.name for path in folder.iterdir()} == {
        "index.json", "pack-mine.npy", *(song.shard for song in cache.songs)
    }  # fmt: skip


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=3))
def test_headers_are_those_of_numpy(shape):
    from io import BytesIO

    written = BytesIO()
    described = {"descr": "<f2", "fortran_order": False, "shape": tuple(shape)}
    np.lib.format.write_array_header_1_0(written, described)
    assert header_of(*shape) == written.getvalue()
    assert len(written.getvalue()) == HEADER_BYTES
