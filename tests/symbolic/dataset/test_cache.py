"""Only changed files are read again, and the cache returns what was read."""

import json
import os

import numpy as np
import pytest

from music_composer.errors import CacheError, ScoreError
from music_composer.symbolic.dataset import cache
from music_composer.symbolic.dataset.cache import prepare
from music_composer.symbolic.dataset.songs import read_songs
from music_composer.symbolic.midi.midi_file import write_midi
from music_composer.values import NOTE, Part, Score


def write(path, pitch, **more):
    path.parent.mkdir(parents=True, exist_ok=True)
    notes = np.array([(0, 480, pitch, 80), (960, 1200, pitch + 4, 70)], NOTE)
    write_midi(Score((Part(notes),), **more), path)


@pytest.fixture
def music(tmp_path):
    for i, name in enumerate(("a", "b", "sub/c")):
        write(tmp_path / "music" / f"{name}.mid", 60 + i, tempos=((0, 100.0),), metres=((0, 3, 4), (1440, 4, 4)))
    (tmp_path / "music" / "broken.mid").write_bytes(b"MThd")
    return tmp_path / "music"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


def done(report):
    return report.done, report.kept, report.removed


def assert_same(songs, others):
    assert [song.source for song in songs] == [song.source for song in others]
    for one, other in zip((song.roll for song in songs), (song.roll for song in others), strict=True):
        assert np.array_equal(one.velocity, other.velocity) and np.array_equal(one.onset, other.onset)
        assert one.onset.dtype == bool and one.velocity.dtype == np.uint8
        assert (one.per_quarter, one.tempos, one.metres) == (other.per_quarter, other.tempos, other.metres)


def test_the_cache_returns_what_was_read(music, folder, monkeypatch):
    first, report = prepare(music, folder, 4)
    assert done(report) == (3, 0, 0)
    assert len(report.remarks) == 1 and "broken.mid" in report.remarks[0]
    monkeypatch.setattr(
        cache,
        "read_song",
        lambda path, per_quarter: (
            pytest.fail(f"{path} was read again")
            if "broken" not in path.name
            else (_ for _ in ()).throw(ScoreError(f"{path}: is damaged"))
        ),
    )
    second, report = prepare(music, folder, 4)
    assert done(report) == (0, 3, 0)
    assert len(report.remarks) == 1
    assert_same(first, second)
    assert_same(second, read_songs(music, 4)[0])


def test_only_changed_files_are_read(music, folder):
    prepare(music, folder, 4)
    write(music / "b.mid", 72)
    (music / "a.mid").unlink()
    write(music / "d.mid", 50)
    songs, report = prepare(music, folder, 4)
    assert done(report) == (2, 1, 1)
    assert_same(songs, read_songs(music, 4)[0])
    assert len(list(folder.glob("roll-*.npz"))) == 3


def test_a_touched_file_is_not_read_again(music, folder):
    prepare(music, folder, 4)
    os.utime(music / "a.mid", (1, 1))
    assert done(prepare(music, folder, 4)[1]) == (0, 3, 0)


def test_another_grid_reads_all_files_again(music, folder):
    prepare(music, folder, 4)
    songs, report = prepare(music, folder, 2)
    assert done(report)[0] == 3
    assert songs[0].roll.per_quarter == 2


@pytest.mark.parametrize("damage", [b"", b"PK", b"not a zip"])
def test_a_damaged_roll_is_read_again(music, folder, damage):
    prepare(music, folder, 4)
    next(iter(folder.glob("roll-*.npz"))).write_bytes(damage)
    songs, report = prepare(music, folder, 4)
    assert done(report) == (1, 2, 0)
    assert_same(songs, read_songs(music, 4)[0])


@pytest.mark.journey
def test_a_roll_damaged_at_any_byte_is_read_again_or_intact(music, folder):
    songs, _ = prepare(music, folder, 4)
    shard = next(iter(folder.glob("roll-*.npz")))
    whole = shard.read_bytes()
    for at in range(0, len(whole), 11):
        shard.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        assert_same(prepare(music, folder, 4)[0], songs)


@pytest.mark.parametrize("damage", ["half", "version", "songs", "unknown field"])
def test_a_damaged_index_is_rebuilt_with_a_remark(music, folder, damage):
    prepare(music, folder, 4)
    text = (folder / "scores.json").read_text()
    plain = json.loads(text)
    if damage == "unknown field":
        plain["songs"] = [song | {"more": 1} for song in plain["songs"]]
    elif damage != "half":
        plain[damage] = 0
    (folder / "scores.json").write_text(text[: len(text) // 2] if damage == "half" else json.dumps(plain))
    songs, report = prepare(music, folder, 4)
    assert done(report)[0] == 3
    assert sum("scores.json" in remark for remark in report.remarks) == 1


@pytest.mark.parametrize("text", ["[]", "{}", "tunes", '["a.mid"]'])
def test_an_index_without_our_magic_is_not_touched(music, folder, text):
    folder.mkdir()
    (folder / "scores.json").write_text(text)
    with pytest.raises(CacheError, match="is not ours, and is left alone"):
        prepare(music, folder, 4)
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("scores.json", text)]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RecursionError, OverflowError])
def test_a_fault_in_one_file_keeps_the_others(music, folder, monkeypatch, error):
    read = cache.read_song

    def failing(path, per_quarter):
        if path.name == "c.mid":
            raise error
        return read(path, per_quarter)

    with monkeypatch.context() as patch:
        patch.setattr(cache, "read_song", failing)
        if error is KeyboardInterrupt:
            with pytest.raises(KeyboardInterrupt):
                prepare(music, folder, 4)
        else:
            _, report = prepare(music, folder, 4)
            assert any("c.mid: cannot be used" in remark for remark in report.remarks)
    assert done(prepare(music, folder, 4)[1]) == (1, 2, 0)


def test_an_interrupted_prepare_keeps_finished_songs(music, folder, monkeypatch):
    def killed(self, entries):
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr("music_composer.data.index.Index.write", killed)
        prepare(music, folder, 4)
    assert not (folder / "scores.json").exists()
    assert done(prepare(music, folder, 4)[1]) == (0, 3, 0)
    assert not (folder / "scores.jsonl").exists()


def test_an_index_names_only_its_own_files(music, folder):
    prepare(music, folder, 4)
    plain = json.loads((folder / "scores.json").read_text())
    plain["songs"][0]["shard"] = "../../elsewhere.npz"
    (folder / "scores.json").write_text(json.dumps(plain))
    assert len(cache.read_index(folder, 4)) == 2


def test_another_programs_index_is_not_touched(music, folder):
    folder.mkdir()
    (folder / "scores.json").write_text('{"magic": "tune list"}')
    with pytest.raises(CacheError, match="is not ours, and is left alone"):
        prepare(music, folder, 4)
    assert (folder / "scores.json").read_text() == '{"magic": "tune list"}'


def test_a_folder_that_cannot_be_written_raises(music, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match="cannot be written"):
        prepare(music, tmp_path / "file" / "cache", 4)
