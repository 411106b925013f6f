"""Which files are recordings, what is said when there are none, and how a file is known again."""

import os

import pytest

from music_composer.data import folder as station
from music_composer.data.folder import fingerprint_of, recordings_in
from music_composer.errors import RecordingError


def touch(path, content=b"x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_recordings_are_found_in_subfolders_with_any_case_and_any_name(tmp_path):
    names = ["B.WAV", "a song with spaces.wav", "Café/Ñandú – 1.Flac", "deep/er/still/x.mp3", "y.aiff"]
    paths = [touch(tmp_path / name) for name in names]
    assert recordings_in(tmp_path) == sorted(paths)


def test_other_files_and_hidden_ones_are_not_looked_at(tmp_path):
    song = touch(tmp_path / "song.wav")
    for name in ["cover.jpg", "notes.txt", "wav", "song.wav.bak", "._song.wav", ".hidden.wav"]:
        touch(tmp_path / name)
    assert recordings_in(tmp_path) == [song]


def test_a_folder_that_is_missing_is_made_and_said(tmp_path):
    with pytest.raises(RecordingError, match="put recordings into it"):
        recordings_in(tmp_path / "new" / "music")
    assert (tmp_path / "new" / "music").is_dir()


def test_a_folder_that_is_missing_is_not_made_when_one_only_looks(tmp_path):
    with pytest.raises(RecordingError, match="music does not exist"):
        recordings_in(tmp_path / "music", make=False)
    assert not (tmp_path / "music").exists()


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    touch(tmp_path / "file")
    with pytest.raises(RecordingError, match="cannot be made"):
        recordings_in(tmp_path / "file" / "music")


def test_a_folder_without_recordings_is_said(tmp_path):
    touch(tmp_path / "notes.txt")
    with pytest.raises(RecordingError, match="no recordings in it"):
        recordings_in(tmp_path)


def test_a_file_instead_of_a_folder_is_said(tmp_path):
    with pytest.raises(RecordingError, match=r"a\.wav is a file"):
        recordings_in(touch(tmp_path / "a.wav"))


def test_other_content_of_the_same_size_has_another_fingerprint(tmp_path):
    path = touch(tmp_path / "a.wav", b"one")
    before = fingerprint_of(path)
    touch(path, b"two")
    os.utime(path, ns=(before.mtime_ns + 10**9, before.mtime_ns + 10**9))
    after = fingerprint_of(path, before)
    assert after.size == before.size
    assert after.content != before.content


def test_the_same_content_has_the_same_hash_whatever_its_time(tmp_path):
    path = touch(tmp_path / "a.wav", b"one")
    before = fingerprint_of(path)
    os.utime(path, ns=(0, 0))
    assert fingerprint_of(path, before).content == before.content
    assert fingerprint_of(path, before).mtime_ns == 0


def test_an_unchanged_file_is_not_read(tmp_path, monkeypatch):
    path = touch(tmp_path / "a.wav")
    before = fingerprint_of(path)
    monkeypatch.setattr(station, "_content_hash", lambda path: pytest.fail("was read"))
    assert fingerprint_of(path, before) == before


def test_all_of_a_file_counts_not_its_beginning_only(tmp_path, monkeypatch):
    monkeypatch.setattr(station, "HASH_BLOCK", 4)
    first, second = touch(tmp_path / "a.wav", b"same...1"), touch(tmp_path / "b.wav", b"same...2")
    assert fingerprint_of(first).content != fingerprint_of(second).content


def test_a_file_that_went_away_is_an_error_that_names_it(tmp_path):
    with pytest.raises(RecordingError, match=r"gone\.wav: cannot be read: no such file"):
        fingerprint_of(tmp_path / "gone.wav")
