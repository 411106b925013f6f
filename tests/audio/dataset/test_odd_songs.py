"""Recordings that cannot be used, that have something odd, or an odd name."""

import numpy as np
import pytest

from music_composer.audio.dataset.cache import prepare
from music_composer.errors import RecordingError
from tests.audio.dataset.songs import done, shard_of


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
