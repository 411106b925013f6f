"""A folder of MIDI files: good ones become songs, bad ones are named."""

import numpy as np
import pytest

from music_composer.errors import ScoreError
from music_composer.symbolic.dataset.songs import read_songs
from music_composer.symbolic.midi.midi_file import write_midi
from music_composer.values import NOTE, Part, Score


def write(path, *notes, drums=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_midi(Score((Part(np.array(list(notes), NOTE), drums=drums),)), path)


def test_songs_are_sorted_by_path(tmp_path):
    write(tmp_path / "b.mid", (0, 480, 60, 80))
    write(tmp_path / "a" / "c.MIDI", (0, 960, 62, 80))
    (tmp_path / "notes.txt").write_text("not music")
    songs, remarks = read_songs(tmp_path, 2)
    assert [(song.source, song.roll.steps, song.roll.per_quarter) for song in songs] == [
        ("a/c.MIDI", 4, 2),
        ("b.mid", 2, 2),
    ]
    assert remarks == []


def test_bad_files_are_named_and_skipped(tmp_path):
    write(tmp_path / "good.mid", (0, 480, 60, 80))
    write(tmp_path / "drums.mid", (0, 480, 36, 80), drums=True)
    (tmp_path / "empty.mid").write_bytes(b"")
    (tmp_path / "text.mid").write_text("Dear diary")
    songs, remarks = read_songs(tmp_path)
    assert [song.source for song in songs] == ["good.mid"]
    assert [line.removeprefix(str(tmp_path)) for line in remarks] == [
        "/drums.mid: has nothing but drums in it",
        "/empty.mid: is empty",
        "/text.mid: is no MIDI file: it does not begin with MThd",
    ]


def test_a_folder_without_a_song_raises_and_names_every_file(tmp_path):
    (tmp_path / "empty.mid").write_bytes(b"")
    (tmp_path / "text.mid").write_text("Dear diary")
    with pytest.raises(ScoreError, match="none of the 2 files") as error:
        read_songs(tmp_path)
    assert "empty.mid: is empty" in str(error.value)
    assert "text.mid" in str(error.value)


def test_a_folder_without_files_raises_with_advice(tmp_path):
    with pytest.raises(ScoreError, match=r"has no MIDI files in it \(MID, MIDI, .*\): put some in"):
        read_songs(tmp_path)
    with pytest.raises(ScoreError, match="did not exist and has been made: put MIDI files into it"):
        read_songs(tmp_path / "new")
    assert (tmp_path / "new").is_dir()
