"""A file is there whole or not at all."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from music_composer.errors import MusicComposerError
from music_composer.files.atomic import (
    PART,
    final_name,
    part_name,
    read_json,
    reason,
    remove_torn,
    whole_file,
    write_json,
)


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
        assert part.name.startswith(".song.")
        assert part.suffix == ".wav"
        assert PART.fullmatch(part.name)["stem"] == "song"


def test_no_two_calls_get_the_same_name_while_writing(tmp_path):
    path = tmp_path / "song.wav"
    with whole_file(path) as one, whole_file(path) as other:
        one.write_text("one")
        other.write_text("other")
    assert path.read_text() == "one", "the one that ended last"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_as_long_as_names_can_be_is_written(tmp_path):
    path = tmp_path / ("ü" * 125 + ".wav")  # 254 bytes
    with whole_file(path) as part:
        part.write_text("content")
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_synced_then_renamed_then_its_folder_is_synced(tmp_path, monkeypatch):
    calls, opened = [], {}
    real = os.open, os.fsync, os.replace

    def traced_open(path, *more, **options):
        descriptor = real[0](path, *more, **options)
        opened[descriptor] = Path(path)
        return descriptor

    monkeypatch.setattr(os, "open", traced_open)
    monkeypatch.setattr(os, "fsync", lambda file: (calls.append(("sync", opened[file])), real[1](file)))
    monkeypatch.setattr(os, "replace", lambda a, b: (calls.append(("rename", Path(a), Path(b))), real[2](a, b)))
    folder = tmp_path / "new" / "er"
    with whole_file(folder / "a.txt") as part:
        part.write_text("content")
        made = list(calls)
    assert made == [("sync", tmp_path), ("sync", tmp_path / "new")], "new folders are synced into those above"
    assert calls[2:] == [("sync", part), ("rename", part, folder / "a.txt"), ("sync", folder)]


@pytest.mark.skipif(os.name != "posix", reason="only there it is known who lives")
def test_part_files_of_the_dead_are_removed_and_no_others(tmp_path):
    code = "from pathlib import Path; from music_composer.files.atomic import part_name; import sys; " \
        "print(part_name(Path(sys.argv[1]) / 'song.wav'))"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    dead, living = Path(done.stdout.strip()), part_name(tmp_path / "song.wav")
    match = PART.fullmatch(living.name)
    again = tmp_path / living.name.replace(f"-{match['start']}-", "-1-")  # the number was given to another process
    other_machine = tmp_path / living.name.replace(match["host"], "000000")
    users = [tmp_path / name for name in (".song.part.wav", "song.wav", ".hidden", ".part")]
    everything = [dead, living, again, other_machine, *users]
    for path in everything:
        path.touch()
    remove_torn(tmp_path, ["tune"])
    assert set(tmp_path.iterdir()) == set(everything)
    remove_torn(tmp_path, ["song"])
    gone = {dead, again} if int(match["start"]) else {dead}
    assert set(tmp_path.iterdir()) == set(everything) - gone
    os.utime(other_machine, (0, 0))
    remove_torn(tmp_path)
    assert other_machine not in set(tmp_path.iterdir())


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


def test_an_error_about_another_file_is_not_taken_for_one_about_this(tmp_path):
    for error in (FileNotFoundError(2, "No such file", "other.wav"), BrokenPipeError(32, "Broken pipe"), OSError("x")):
        with pytest.raises(OSError) as raised, whole_file(tmp_path / "a.txt"):  # noqa: PT011
            raise error
        assert raised.value is error
    with pytest.raises(MusicComposerError, match=r"a\.txt cannot be written: permission denied"), \
            whole_file(tmp_path / "a.txt") as part:  # fmt: skip
        raise PermissionError(13, "Permission denied", str(part))


def test_a_folder_in_the_way_is_an_error_that_names_it(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(MusicComposerError, match=r"a\.txt cannot be written"), whole_file(tmp_path / "a.txt") as part:
        part.write_text("never")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_file_that_the_block_did_not_write_is_an_error(tmp_path):
    with pytest.raises(MusicComposerError, match="cannot be written: no such file"), whole_file(tmp_path / "a.txt"):
        pass


def test_json_there_and_back(tmp_path):
    content = {"name": "Ça va – ñ", "odd": "caf\udce9.wav", "numbers": [1, 2.5, None], "deep": {"er": True}}
    write_json(tmp_path / "a.json", content)
    assert read_json(tmp_path / "a.json") == content
    assert "Ça va – ñ" in (tmp_path / "a.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe\x00", b"[" * 1_000_000, b"NaN", b"[-Infinity]", b"9" * 10_000, b"\xef\xbb\xbf{}"]
)
def test_what_is_not_json_is_a_value_error(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ValueError):  # noqa: PT011
        read_json(tmp_path / "a.json")


def test_json_is_bounded_and_a_regular_file(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps("x" * 100))
    with pytest.raises(ValueError, match="MB long"):
        read_json(tmp_path / "a.json", largest=99)
    os.mkfifo(tmp_path / "fifo.json")
    with pytest.raises(ValueError, match="regular"):
        read_json(tmp_path / "fifo.json")


def test_a_missing_json_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        read_json(tmp_path / "a.json")


def test_the_reason_is_what_the_system_says():
    assert reason(OSError(13, "Permission denied", "a.txt")) == "permission denied"
    assert reason(OSError("Something")) == "something"


@pytest.mark.parametrize("name", ["song.wav", "song", "a.b.wav", "s" * 60 + ".json"])
def test_a_part_of_a_part_is_one_of_the_same_file(tmp_path: Path, name: str) -> None:
    part = part_name(tmp_path / name)
    within = part_name(part)
    assert within != part
    assert final_name(within) == final_name(part)
    stem = (tmp_path / name).stem
    assert final_name(part).name == stem[:40] + (tmp_path / name).suffix


def test_a_part_of_a_part_is_named_by_what_it_was_to_become(tmp_path: Path) -> None:
    with (
        pytest.raises(MusicComposerError, match=rf"^{tmp_path}/page\.html cannot be written"),
        whole_file(tmp_path / "page.html") as outer,
        whole_file(outer) as inner,
    ):
        inner.mkdir()
        inner.write_text("")


def test_messages_name_what_was_to_be_written_and_where(tmp_path: Path) -> None:
    folder = part_name(tmp_path / "model")
    assert final_name(part_name(folder / "options.json")) == tmp_path / "model" / "options.json"
    assert final_name(tmp_path / ".part" / "x.wav") == tmp_path / ".part" / "x.wav"
