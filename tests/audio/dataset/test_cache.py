"""The cache prepares only what is new, and survives any damage to its folder."""

import json
import os

import numpy as np
import pytest
import soundfile

from music_composer.audio.dataset import cache as station
from music_composer.audio.dataset import shards
from music_composer.audio.dataset.cache import load_frames, open_cache, prepare
from music_composer.audio.options import FrameOptions
from music_composer.audio.spectrogram import waveform_to_frames
from music_composer.errors import CacheError, RecordingError
from music_composer.values import Waveform

OPTIONS = FrameOptions()


@pytest.fixture
def music(tmp_path, sine, record):
    """A dataset of three short songs."""
    for i, name in enumerate(["a.wav", "b.wav", "c.wav"]):
        record(tmp_path / "music" / name, sine(220 * (i + 1), 0.3, level=0.5))
    return tmp_path / "music"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


def times(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def done(report):
    return report.done, report.kept, report.removed


def shard_of(cache, source):
    return cache.folder / next(song.shard for song in cache.songs if song.source == source)


def test_the_first_time_all_songs_are_cut(music, folder):
    cache, report = prepare(music, folder)
    assert done(report) == (3, 0, 0)
    assert report.remarks == ()
    assert [song.source for song in cache.songs] == ["a.wav", "b.wav", "c.wav"]
    assert len(list(folder.iterdir())) == 4


def test_frames_are_those_of_the_sound_to_float16_precision(music, folder, record):
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, (20000, 2))
    record(music / "a.wav", sound)
    cache, _ = prepare(music, folder)
    samples = soundfile.read(music / "a.wav", dtype="float32")[0]
    truth = waveform_to_frames(Waveform(samples, OPTIONS.rate), OPTIONS).bands
    song = cache.songs[0]
    frames = load_frames(cache, song)
    assert frames.shape == (song.stop - song.start, 2, OPTIONS.bands)
    assert frames[:].dtype == np.float16
    assert (song.frames, song.channels) == (len(truth), 2)
    assert np.allclose(frames, truth[song.start : song.stop], rtol=2**-10, atol=1e-3)


def test_a_cache_knows_its_channels_and_length(music, folder, sine, record):
    record(music / "d.wav", np.repeat(sine(440, 0.4), 2, axis=1))
    cache, _ = prepare(music, folder)
    assert cache.channels == 2
    assert cache.seconds == pytest.approx(3 * 0.3 + 0.4, abs=0.2)


def test_the_second_time_nothing_is_done(music, folder):
    first, _ = prepare(music, folder)
    before = times(folder)
    second, report = prepare(music, folder)
    assert done(report) == (0, 3, 0)
    assert times(folder) == before
    assert second == first


def test_a_new_song_is_all_that_is_cut(music, folder, sine, record):
    prepare(music, folder)
    before = times(folder)
    record(music / "d.wav", sine(880, 0.3))
    cache, report = prepare(music, folder)
    assert done(report) == (1, 3, 0)
    assert len(cache.songs) == 4
    assert {name: time for name, time in times(folder).items() if name in before and name != "index.json"} == {
        name: time for name, time in before.items() if name != "index.json"
    }


def test_a_changed_song_is_all_that_is_cut_again(music, folder, sine, record):
    first, _ = prepare(music, folder)
    before = times(folder)
    record(music / "b.wav", sine(3000, 0.3))
    second, report = prepare(music, folder)
    assert done(report) == (1, 2, 0)
    after = times(folder)
    assert {name for name, time in after.items() if time != before.get(name)} == {
        "index.json",
        shard_of(second, "b.wav").name,
    }
    assert set(before) - set(after) == {shard_of(first, "b.wav").name}
    assert load_frames(second, second.songs[1])[10:11][0, 0].argmax() > 70  # 3 kHz, not 440 Hz
    assert second.digest != first.digest


def test_a_removed_song_goes_with_its_shard(music, folder):
    first, _ = prepare(music, folder)
    shard = shard_of(first, "b.wav")
    (music / "b.wav").unlink()
    second, report = prepare(music, folder)
    assert done(report) == (0, 2, 1)
    assert not shard.exists()
    assert [song.source for song in second.songs] == ["a.wav", "c.wav"]
    assert second.digest != first.digest


def test_a_renamed_song_is_known_by_its_new_name_and_not_cut_again(music, folder):
    first, _ = prepare(music, folder)
    (music / "b.wav").rename(music / "z.wav")
    second, report = prepare(music, folder)
    assert done(report) == (0, 3, 1)
    assert [song.source for song in second.songs] == ["a.wav", "c.wav", "z.wav"]
    assert shard_of(second, "z.wav") == shard_of(first, "b.wav")
    assert np.array_equal(load_frames(second, second.songs[2]), np.load(shard_of(second, "z.wav")))
    assert len(list(folder.iterdir())) == 4


def test_a_touched_song_is_read_once_and_not_cut_again(music, folder, monkeypatch):
    first, _ = prepare(music, folder)
    shard = shard_of(first, "b.wav")
    before = shard.stat().st_mtime_ns
    os.utime(music / "b.wav", ns=(1, 1))
    second, report = prepare(music, folder)
    assert done(report) == (0, 3, 0)
    assert shard.stat().st_mtime_ns == before
    assert second.digest == first.digest
    monkeypatch.setattr(station, "cut_recording", lambda *_: pytest.fail("was read again"))
    prepare(music, folder)


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


def test_other_frame_options_make_all_again_and_are_said(music, folder):
    prepare(music, folder)
    messages = []
    cache, report = prepare(music, folder, FrameOptions(bands=80), say=messages.append)
    assert done(report) == (3, 0, 0)
    assert len(messages) == 1
    assert "other options" in messages[0]
    assert load_frames(cache, cache.songs[0]).shape[2] == 80


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


def test_files_that_cannot_be_used_are_named_with_the_reason(music, folder, record):
    record(music / "empty.wav", np.zeros((0, 1)))
    record(music / "one sample.wav", np.full((1, 1), 1e-4))
    record(music / "silent.wav", np.zeros((20000, 2)))
    (music / "text.wav").write_text("not music")
    cache, report = prepare(music, folder)
    assert len(cache.songs) == 3
    messages = {remark.split(": ")[0].split("/")[-1]: remark for remark in report.remarks}
    assert set(messages) == {"empty.wav", "one sample.wav", "silent.wav", "text.wav"}
    assert "no samples" in messages["empty.wav"]
    assert "nothing but silence" in messages["one sample.wav"]
    assert "nothing but silence" in messages["silent.wav"]
    assert "not a recording" in messages["text.wav"]
    assert len(list(folder.iterdir())) == 4


def test_what_was_odd_about_an_empty_file_is_said_too(music, folder, sine, record):
    path = record(music / "torn.wav", sine(440, 0.3))
    path.write_bytes(path.read_bytes()[:44])
    _, report = prepare(music, folder)
    assert "no samples; its header promises" in report.remarks[0]


def test_when_nothing_can_be_used_every_file_is_named(tmp_path, folder, record):
    record(tmp_path / "music" / "silent.wav", np.zeros((20000, 1)))
    (tmp_path / "music" / "text.wav").write_text("not music")
    with pytest.raises(RecordingError, match=r"none of the 2 files(.|\n)*silent\.wav(.|\n)*text\.wav"):
        prepare(tmp_path / "music", folder)


def test_a_song_that_became_unusable_leaves_the_cache(music, folder):
    first, _ = prepare(music, folder)
    (music / "b.wav").write_text("not music")
    second, report = prepare(music, folder)
    assert done(report) == (0, 2, 1)
    assert "b.wav" in report.remarks[0]
    assert not shard_of(first, "b.wav").exists()
    assert len(second.songs) == 2


def test_remarks_are_said_when_a_song_is_cut_and_kept_in_the_index(music, folder, record):
    record(music / "wide.wav", np.random.default_rng(0).uniform(-0.1, 0.1, (20000, 3)))
    _, report = prepare(music, folder)
    assert ["wide.wav: 3 channels" in remark for remark in report.remarks] == [True]
    cache, report = prepare(music, folder)
    assert report.remarks == ()
    assert "3 channels" in cache.songs[-1].remarks[0]


def test_subfolders_capitals_spaces_and_accents(tmp_path, folder, sine, record):
    names = ["Älbum – 1/Ça va.WAV", "Älbum – 2/Ça va.WAV", "one two.Wav"]
    for i, name in enumerate(names):
        record(tmp_path / "music" / name, sine(440 + 10 * i, 0.3))
    cache, report = prepare(tmp_path / "music", folder)
    assert [song.source for song in cache.songs] == sorted(names)
    assert len({song.shard for song in cache.songs}) == 3
    assert done(prepare(tmp_path / "music", folder)[1]) == (0, 3, 0)


def test_a_name_that_is_not_unicode(music, folder):
    try:
        (music / "a.wav").rename(music / "caf\udce9.wav")  # what Python makes of Latin-1 bytes
    except OSError:
        pytest.skip("this file system holds no such names")
    cache, _ = prepare(music, folder)
    assert "caf\udce9.wav" in [song.source for song in cache.songs]
    assert len(cache.digest) == 16
    assert done(prepare(music, folder)[1]) == (0, 3, 0)


def test_silence_around_a_song_is_trimmed_and_within_it_kept(tmp_path, folder, sine, record):
    silence, tone = np.zeros((22050, 1), np.float32), sine(440, 0.5, level=0.5)
    record(tmp_path / "music" / "a.wav", np.concatenate([silence, tone, silence, tone, silence]))
    cache, _ = prepare(tmp_path / "music", folder)
    song = cache.songs[0]
    assert song.start == pytest.approx(OPTIONS.frames_in(0.5), abs=3)
    assert song.stop == pytest.approx(OPTIONS.frames_in(2.0), abs=3)
    assert len(load_frames(cache, song)) == song.stop - song.start
    assert song.frames == pytest.approx(OPTIONS.frames_in(2.5), abs=1)


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


def test_progress_goes_from_0_to_all_bytes(music, folder):
    calls = []
    prepare(music, folder, progress=lambda read, total: calls.append((read, total)))
    sizes = sum(path.stat().st_size for path in music.iterdir())
    assert [read for read, _ in calls] == sorted(read for read, _ in calls)
    assert calls[-1] == (sizes, sizes)


def test_a_cache_is_opened_as_it_lies_there(music, folder):
    assert open_cache(music, folder) is None
    cache, _ = prepare(music, folder)
    assert open_cache(music, folder) == cache
    (music / "b.wav").unlink()
    assert [song.source for song in open_cache(music, folder).songs] == ["a.wav", "c.wav"]
    assert open_cache(music, folder, FrameOptions(bands=80)) is None


def test_a_cache_folder_that_cannot_be_made_is_said(music, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CacheError, match="cannot be made"):
        prepare(music, tmp_path / "file" / "cache")
