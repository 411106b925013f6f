"""A file is there whole or not at all."""

import os

import pytest

from music_composer.errors import MusicComposerError
from music_composer.files import read_json, reason, whole_file, write_json


def test_a_file_gets_its_name_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "folders" / "a.txt"
    with whole_file(path) as part:
        part.write_text("content")
        assert not path.exists()
        assert part.parent == path.parent
    assert path.read_text() == "content"
    assert list(path.parent.iterdir()) == [path]


def test_the_name_while_writing_is_hidden_and_keeps_its_suffix(tmp_path):
    with whole_file(tmp_path / "song.wav") as part:
        part.touch()
        assert part.name == ".song.part.wav"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_nothing_behind(tmp_path, error):
    with pytest.raises(error), whole_file(tmp_path / "a.txt") as part:
        part.write_text("half")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_an_error_leaves_what_was_there_before(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(ValueError), whole_file(tmp_path / "a.txt") as part:  # noqa: PT011
        part.write_text("new")
        raise ValueError
    assert (tmp_path / "a.txt").read_text() == "old"


def test_what_was_there_before_is_replaced(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with whole_file(tmp_path / "a.txt") as part:
        part.write_text("new")
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.skipif(os.name != "posix", reason="an open file cannot be replaced there")
def test_who_is_reading_what_was_there_reads_it_to_its_end(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with (tmp_path / "a.txt").open() as reader:
        with whole_file(tmp_path / "a.txt") as part:
            part.write_text("new")
        assert reader.read() == "old"


def test_what_the_disk_refuses_is_an_error_that_names_the_file(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MusicComposerError, match=r"file/a\.txt cannot be written"), \
            whole_file(tmp_path / "file" / "a.txt") as part:  # fmt: skip
        part.write_text("never")


def test_a_full_disk_is_said_and_nothing_stays(tmp_path):
    with pytest.raises(MusicComposerError, match=r"a\.txt cannot be written: no space left"), \
            whole_file(tmp_path / "a.txt") as part:  # fmt: skip
        part.write_text("half")
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_json_there_and_back(tmp_path):
    content = {"name": "Ça va – ñ", "odd": "caf\udce9.wav", "numbers": [1, 2.5, None], "deep": {"er": True}}
    write_json(tmp_path / "a.json", content)
    assert read_json(tmp_path / "a.json") == content
    assert "Ça va – ñ" in (tmp_path / "a.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00"])
def test_what_is_not_json_is_a_value_error(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ValueError):  # noqa: PT011
        read_json(tmp_path / "a.json")


def test_a_missing_json_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        read_json(tmp_path / "a.json")


def test_the_reason_is_what_the_system_says():
    assert reason(OSError(13, "Permission denied", "a.txt")) == "permission denied"
    assert reason(OSError("Something")) == "something"
