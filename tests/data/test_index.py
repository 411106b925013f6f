"""An index is not trusted: whatever stands in it, nothing outside its folder is read, written or deleted."""

import json
import os
import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from music_composer.audio.dataset import cache as station
from music_composer.audio.dataset.cache import load_frames, open_cache, prepare
from music_composer.audio.dataset.shards import Cancelled, Meter, cut_recording
from music_composer.audio.options import FrameOptions
from music_composer.errors import CacheError

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(2**62, 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory, sine, record):
    """A dataset of two songs and its cache, beside a file of the user's."""
    top = tmp_path_factory.mktemp("made")
    for i in range(2):
        record(top / "music" / f"{i}.wav", sine(220 * (i + 1), 0.2, level=0.5))
    (top / "mine.npy").write_bytes(b"mine")
    prepare(top / "music", top / "cache")
    return top


def places(plain, path=()):
    """Where in JSON there is something to be changed."""
    yield path
    for key, value in plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ():
        yield from places(value, (*path, key))


def put(plain, path, value):
    if not path:
        return value
    plain[path[0]] = put(plain[path[0]], path[1:], value)
    return plain


@pytest.mark.journey
@given(data=st.data())
@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
def test_any_change_of_the_index_is_mended_or_refused(made, tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(made / "cache", folder / "cache")
    index = folder / "cache" / "index.json"
    plain = json.loads(index.read_text())
    where = data.draw(st.sampled_from(list(places(plain))))
    index.write_text(json.dumps(put(plain, where, data.draw(ANYTHING))))
    changed = index.read_text()
    try:
        cache, _ = prepare(made / "music", folder / "cache")
    except CacheError as error:
        assert "not ours" in str(error)
        assert index.read_text() == changed
        return
    assert [song.source for song in cache.songs] == ["0.wav", "1.wav"]
    assert all(load_frames(cache, song)[:].shape == load_frames(cache, song).shape for song in cache.songs)
    assert (made / "mine.npy").read_bytes() == b"mine"


@pytest.mark.parametrize("shard", ["../mine.npy", "{top}/mine.npy", "index.json", "frames-0123456789abcdeg.npy", ""])
@pytest.mark.parametrize("journal", [False, True])
def test_no_file_that_an_index_names_is_deleted_but_shards_of_the_folder(made, tmp_path, shard, journal):
    shutil.copytree(made / "cache", tmp_path / "cache")
    (tmp_path / "mine.npy").write_bytes(b"mine")
    index = tmp_path / "cache" / "index.json"
    plain = json.loads(index.read_text())
    lie = plain["songs"][0] | {"shard": shard.format(top=tmp_path), "source": "gone.wav"}
    if journal:
        label = {name: plain[name] for name in ("magic", "version", "options")}
        index.with_suffix(".jsonl").write_text(json.dumps(label) + "\n" + json.dumps(lie) + "\n")
    else:
        plain["songs"].append(lie)
        index.write_text(json.dumps(plain))
    said = []
    prepare(made / "music", tmp_path / "cache", say=said.append)
    assert (tmp_path / "mine.npy").read_bytes() == b"mine"
    assert len(said) == 1


@pytest.mark.parametrize("source", ["../mine.npy", "/etc/passwd", "a/../../mine.npy", "", "a\0b", ".", "x" * 5000])
def test_no_file_outside_the_dataset_is_a_source(made, tmp_path, source):
    shutil.copytree(made / "cache", tmp_path / "cache")
    index = tmp_path / "cache" / "index.json"
    plain = json.loads(index.read_text())
    plain["songs"][0]["source"] = source
    index.write_text(json.dumps(plain))
    assert [song.source for song in open_cache(made / "music", tmp_path / "cache").songs] == ["1.wav"]


def test_nobody_elses_shard_is_taken_for_a_recordings_own(made, tmp_path):
    shutil.copytree(made / "cache", tmp_path / "cache")
    index = tmp_path / "cache" / "index.json"
    plain = json.loads(index.read_text())
    plain["songs"][0]["shard"] = plain["songs"][1]["shard"]
    index.write_text(json.dumps(plain))
    cache, report = prepare(made / "music", tmp_path / "cache")
    assert (report.done, report.kept) == (1, 1)
    assert len({song.shard for song in cache.songs}) == 2


@pytest.mark.parametrize("content", [b"", bytes(500)])
def test_an_index_with_nothing_in_it_is_made_again(made, tmp_path, content):
    shutil.copytree(made / "cache", tmp_path / "cache")
    (tmp_path / "cache" / "index.json").write_bytes(content)
    assert open_cache(made / "music", tmp_path / "cache") is None
    assert prepare(made / "music", tmp_path / "cache")[1].done == 2


def test_an_index_of_nothing_is_whole(tmp_path):
    index, said = station._index(tmp_path, FrameOptions()), []
    index.write([])
    assert json.loads(index.path.read_text())["songs"] == []
    assert index.read(said.append) == {}
    assert said == []


def test_a_pipe_in_the_place_of_a_shard_is_not_waited_for(made, tmp_path):
    shutil.copytree(made / "cache", tmp_path / "cache")
    shard = next(iter((tmp_path / "cache").glob("frames-*.npy")))
    shard.unlink()
    os.mkfifo(shard)
    assert prepare(made / "music", tmp_path / "cache")[1].done == 1
    assert shard.is_file()


@pytest.mark.journey
def test_every_byte_of_a_header_is_looked_at(made, tmp_path):
    shutil.copytree(made / "cache", tmp_path / "cache")
    shard = next(iter((tmp_path / "cache").glob("frames-*.npy")))
    whole = shard.read_bytes()
    for at in range(0, 128, 3):
        shard.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        _, report = prepare(made / "music", tmp_path / "cache")
        assert (report.done, report.kept) == (1, 1)
        assert shard.read_bytes() == whole


def test_what_was_done_when_it_was_killed_is_kept(made, tmp_path, monkeypatch):
    def killed(self, entries):
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr("music_composer.data.index.Index.write", killed)
        prepare(made / "music", tmp_path / "cache")
    journal = tmp_path / "cache" / "index.jsonl"
    with journal.open("a") as file:
        file.write('{"source": "torn')
    _, report = prepare(made / "music", tmp_path / "cache")
    assert (report.done, report.kept) == (0, 2)
    assert not journal.exists()


def test_a_new_journal_replaces_the_old_one_when_it_is_whole(made, tmp_path, monkeypatch):
    """Also a link in its place: what that leads to is not written."""
    shutil.copytree(made / "cache", tmp_path / "cache")
    known = station._index(tmp_path / "cache", FrameOptions())
    songs = known.read().values()
    known.journal.symlink_to(tmp_path / "victim")
    with known.adding(songs):
        assert not known.journal.is_symlink()
    assert not (tmp_path / "victim").exists()
    (tmp_path / "cache" / "index.json").unlink()
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt), known.adding([]):
        pass
    assert list(known.read().values()) == list(songs), "the journal before it is there until then"


def test_a_name_that_no_file_can_have_is_no_song(made, tmp_path):
    shutil.copytree(made / "cache", tmp_path / "cache")
    index = tmp_path / "cache" / "index.json"
    plain = json.loads(index.read_text())
    plain["songs"][0]["source"] = "9" * 5000
    index.write_text(json.dumps(plain))
    assert len(open_cache(made / "music", tmp_path / "cache").songs) == 1


def test_no_file_is_held_open(made):
    cache, _ = prepare(made / "music", made / "cache")
    before = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
    songs = [load_frames(cache, song) for song in cache.songs * 100]
    assert all(np.isfinite(song[5:7]).all() for song in songs)
    assert not before or len(os.listdir("/proc/self/fd")) <= before + 1


def test_cutting_stops_between_blocks_when_it_is_cancelled(made, tmp_path):
    asked = []

    def cancelled():
        asked.append(True)
        return len(asked) > 1

    with pytest.raises(Cancelled):
        path, meter = made / "music" / "0.wav", Meter(1, lambda done, total: None)
        cut_recording("0.wav", path, {}, tmp_path, FrameOptions(), meter, cancelled)
    assert len(asked) == 2
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_keeps_what_is_done(made, tmp_path, monkeypatch):
    cut = station.cut_recording

    def interrupted(source, path, known, folder, options, meter, cancelled):
        if source == "1.wav":
            raise KeyboardInterrupt
        return cut(source, path, known, folder, options, meter, cancelled)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(station, "cut_recording", interrupted)
        prepare(made / "music", tmp_path / "cache")
    cache, report = prepare(made / "music", tmp_path / "cache")
    assert report.done + report.kept == 2
    assert report.kept <= 1
    assert len(cache.songs) == 2
