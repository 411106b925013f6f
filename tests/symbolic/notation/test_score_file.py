"""Notation gives the same music as MIDI; unreadable files raise ScoreError."""

import sys
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from music_composer.errors import OptionError, ScoreError
from music_composer.symbolic.notation.score_file import read_notation, read_score, write_musicxml
from music_composer.symbolic.roll import to_roll, to_score
from music_composer.values import NOTE, Part, Roll, Score
from tests.properties import cases

ABC = """X:1
T:A tune
M:3/4
L:1/4
Q:1/4=90
K:G
|: G A B | c2 d | e2 d | c2 B :|
"""


def some_score():
    melody = np.array([(0, 480, 72, 90), (480, 720, 74, 90), (720, 960, 76, 90), (960, 1920, 77, 90)], NOTE)
    chords = np.array([(0, 960, 48, 70), (0, 960, 55, 70), (960, 1920, 50, 70)], NOTE)
    return Score((Part(melody), Part(chords)), tempos=((0, 96.0),), metres=((0, 2, 4),))


def test_musicxml_round_trips(tmp_path):
    write_musicxml(some_score(), tmp_path / "a.musicxml")
    read = read_score(tmp_path / "a.musicxml").score
    assert (read.tempos, read.metres) == (some_score().tempos, some_score().metres)
    one, other = to_roll(read), to_roll(some_score())
    assert np.array_equal(one.active, other.active) and np.array_equal(one.onset, other.onset)


def test_a_roll_with_notes_of_all_lengths_round_trips(tmp_path):
    rng = np.random.default_rng(1)
    active = np.repeat(rng.random((8, 128)) < np.where(np.arange(128) < 21, 0, 0.02), 3, axis=0)
    onset = active & ~np.concatenate([np.zeros((1, 128), bool), active[:-1]])
    roll = Roll(np.where(active, 80, 0).astype(np.uint8), onset)
    write_musicxml(to_score(roll), tmp_path / "a.musicxml")
    read = to_roll(read_notation(tmp_path / "a.musicxml").score)
    assert np.array_equal(read.active, roll.active[: read.steps])
    assert np.array_equal(read.onset, roll.onset[: read.steps])


def test_a_compressed_file_is_read(tmp_path):
    write_musicxml(some_score(), tmp_path / "a.musicxml")
    with zipfile.ZipFile(tmp_path / "a.mxl", "w") as pack:
        pack.writestr("META-INF/container.xml", "<container/>")
        pack.write(tmp_path / "a.musicxml", "score.xml")
    assert np.array_equal(to_roll(read_score(tmp_path / "a.mxl").score).active, to_roll(some_score()).active)


def test_abc_with_its_repeats(tmp_path):
    (tmp_path / "tune.abc").write_text(ABC)
    read = read_score(tmp_path / "tune.abc").score
    assert read.metres[0] == (0, 3, 4) and read.tempos[0][1] == pytest.approx(90)
    assert [int(pitch) for pitch in read.parts[0].notes["pitch"]] == [67, 69, 71, 72, 74, 76, 74, 72, 71] * 2


@pytest.mark.parametrize("name", ["a.musicxml", "a.mxl", "a.abc", "a.xml"])
@pytest.mark.parametrize("content", [b"", b"Dear diary", b"<score-partwise>", b"PK\x03\x04", b"\xff\xfe\x00"])
def test_other_files_are_refused_by_name(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    try:
        assert not read_notation(tmp_path / name).score.count
    except ScoreError as error:
        assert str(tmp_path / name) in str(error)
    with pytest.raises(ScoreError, match="cannot be opened"):
        read_notation(tmp_path / "none.xml")


def assert_notes_or_our_own_error(path):
    try:
        reading = read_notation(path)
    except ScoreError as error:
        assert str(path) in str(error)
    else:
        assert all((part.notes["stop"] > part.notes["start"]).all() for part in reading.score.parts)


@pytest.mark.journey
@cases(60)
@given(at=st.integers(0, 5000), byte=st.integers(0, 255))
def test_a_damaged_byte_gives_notes_or_a_score_error(tmp_path_factory, at, byte):
    folder = tmp_path_factory.mktemp("damaged")
    write_musicxml(some_score(), folder / "a.musicxml")
    content = bytearray((folder / "a.musicxml").read_bytes())
    content[at % len(content)] = byte
    (folder / "a.musicxml").write_bytes(content)
    assert_notes_or_our_own_error(folder / "a.musicxml")


def test_damage_in_a_compressed_file_gives_notes_or_a_score_error(tmp_path):
    write_musicxml(some_score(), tmp_path / "a.musicxml")
    with zipfile.ZipFile(tmp_path / "a.mxl", "w", zipfile.ZIP_DEFLATED) as pack:
        pack.write(tmp_path / "a.musicxml", "score.xml")
    whole = (tmp_path / "a.mxl").read_bytes()
    for at in range(0, len(whole), 7):
        (tmp_path / "a.mxl").write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        assert_notes_or_our_own_error(tmp_path / "a.mxl")


def test_without_music21_reading_works_and_writing_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "tune.abc").write_text(ABC)
    monkeypatch.setitem(sys.modules, "music21", None)
    assert read_score(tmp_path / "tune.abc").score.count == 18
    with pytest.raises(OptionError, match=r"pip install 'music-composer\[notation\]'"):
        write_musicxml(some_score(), tmp_path / "a.musicxml")
