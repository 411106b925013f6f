"""The cache prepares only what is new."""

import os

import numpy as np
import pytest
import soundfile

from music_composer.audio.dataset import cache as station
from music_composer.audio.dataset.cache import load_frames, open_cache, prepare
from music_composer.audio.options import FrameOptions
from music_composer.audio.spectrogram import waveform_to_frames
from music_composer.values import Waveform
from tests.audio.dataset.songs import done, shard_of

OPTIONS = FrameOptions()


def times(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


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


def test_other_frame_options_make_all_again_and_are_said(music, folder):
    prepare(music, folder)
    messages = []
    cache, report = prepare(music, folder, FrameOptions(bands=80), say=messages.append)
    assert done(report) == (3, 0, 0)
    assert len(messages) == 1
    assert "other options" in messages[0]
    assert load_frames(cache, cache.songs[0]).shape[2] == 80


def test_silence_around_a_song_is_trimmed_and_within_it_kept(tmp_path, folder, sine, record):
    silence, tone = np.zeros((22050, 1), np.float32), sine(440, 0.5, level=0.5)
    record(tmp_path / "music" / "a.wav", np.concatenate([silence, tone, silence, tone, silence]))
    cache, _ = prepare(tmp_path / "music", folder)
    song = cache.songs[0]
    assert song.start == pytest.approx(OPTIONS.frames_in(0.5), abs=3)
    assert song.stop == pytest.approx(OPTIONS.frames_in(2.0), abs=3)
    assert len(load_frames(cache, song)) == song.stop - song.start
    assert song.frames == pytest.approx(OPTIONS.frames_in(2.5), abs=1)


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
