"""What of the folder is shown, and how files come into it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from music_composer.errors import MusicComposerError
from music_composer.web import views, workspace
from music_composer.web.views import Lengths
from tests.command import tune, write
from tests.symbolic.tunes import write_tune


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def upload(folder: Path, name: str, *parts: bytes, size: int | None = None, replace: bool = False) -> Path:
    total = sum(map(len, parts)) if size is None else size
    return asyncio.run(workspace.receive(folder, name, total, replace, pieces(*parts)))


def sound_of(tmp_path: Path, suffix: str = ".wav", seconds: float = 0.1) -> bytes:
    """The bytes of some music."""
    path = tmp_path / f"made{suffix}"
    write_tune(path, 1) if suffix == ".mid" else write(path, tune(seconds))
    return path.read_bytes()


def listed(folder: Path) -> list[str]:
    return [each["path"] for each in workspace.music(folder, Lengths())]


@pytest.mark.parametrize("name", ["song.wav", 'My "best" süng.FLAC', "a'b.mid", "x.wav"])
def test_an_upload_is_there_whole(tmp_path: Path, name: str) -> None:
    content = sound_of(tmp_path, Path(name).suffix.lower())
    path = upload(tmp_path, name, content[:50], content[50:])
    assert path == tmp_path / "input_music_dataset" / name
    assert path.read_bytes() == content
    assert listed(tmp_path) == [f"input_music_dataset/{name}"]


@pytest.mark.parametrize("name", ["letter.wav", "letter.mid", "letter.ogg"])
def test_what_is_no_music_is_refused_by_its_name_and_replaces_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(MusicComposerError, match=f"^{name}: ") as refused:
        upload(tmp_path, name, b"Dear diary")
    assert ".part" not in str(refused.value)
    assert list((tmp_path / "input_music_dataset").iterdir()) == []
    whole = sound_of(tmp_path)
    upload(tmp_path, "a.wav", whole)
    with pytest.raises(MusicComposerError):
        upload(tmp_path, "a.wav", b"Dear diary", replace=True)
    assert (tmp_path / "input_music_dataset" / "a.wav").read_bytes() == whole


def test_lengths_of_many_recordings_become_known_bit_by_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(3):
        write(tmp_path / "input_music_dataset" / f"{i}.wav", tune(i + 1.0))
    (tmp_path / "input_music_dataset" / "letter.wav").write_text("Dear diary")
    write_tune(tmp_path / "input_music_dataset" / "x.mid", 1)
    lengths = Lengths()
    now = iter(range(1000))
    monkeypatch.setattr(views.time, "monotonic", lambda: 0.11 * next(now))  # there is time for one, then for one more
    found = [[each.get("seconds") for each in workspace.music(tmp_path, lengths)] for _ in range(5)]
    assert found[0] == [1.0, None, None, None, None]
    assert found[-1] == [1.0, 2.0, 3.0, None, None]


@pytest.mark.parametrize(
    "name",
    [
        "-rf.wav",
        "../a.wav",
        "a/b.wav",
        ".hidden.wav",
        "a\\b.wav",
        "a.py",
        "a",
        "",
        "x" * 300 + ".wav",
        "a\n.wav",
        "a\0.wav",
        " a.wav",
    ],
)
def test_names_that_mean_something_else_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MusicComposerError, match="no name of a recording"):
        upload(tmp_path, name, b"sound")
    assert not list(tmp_path.rglob("*.*"))


@pytest.mark.parametrize(("parts", "size", "words"), [((b"12345",), 9, "cut off"), ((b"123", b"45"), 4, "larger than")])
def test_an_upload_of_another_length_leaves_nothing(
    tmp_path: Path, parts: tuple[bytes, ...], size: int, words: str
) -> None:
    with pytest.raises(MusicComposerError, match=words):
        upload(tmp_path, "a.wav", *parts, size=size)
    assert list((tmp_path / "input_music_dataset").iterdir()) == []


def test_an_upload_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"123"
        raise ConnectionError

    with pytest.raises(MusicComposerError, match="a.wav cannot be written"):
        asyncio.run(workspace.receive(tmp_path, "a.wav", 5, False, broken()))
    assert list((tmp_path / "input_music_dataset").iterdir()) == []


def test_what_is_there_is_replaced_only_when_asked(tmp_path: Path) -> None:
    old, new = sound_of(tmp_path), sound_of(tmp_path, seconds=0.2)
    upload(tmp_path, "a.wav", old)
    with pytest.raises(MusicComposerError, match="already there"):
        upload(tmp_path, "a.wav", new)
    assert upload(tmp_path, "a.wav", new, replace=True).read_bytes() == new


def test_a_file_without_room_is_refused_before_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MusicComposerError, match="there is room for 4000 MB"):
        upload(tmp_path, "a.wav", size=5_000_000_000)
    monkeypatch.setattr(workspace.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 200_000_001}))
    with pytest.raises(MusicComposerError, match="there is room for 0 MB"):
        upload(tmp_path, "a.wav", b"12")


def test_results_recordings_and_what_a_link_in_the_dataset_leads_to_are_shown(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for path in (home / "output-0.wav", home / "input_music_dataset" / "a.wav", elsewhere / "b.wav"):
        write(path, tune(0.1))
    (home / "input_music_dataset" / "album").symlink_to(elsewhere)
    for name in ("output-0.wav", "input_music_dataset/a.wav", "input_music_dataset/album/b.wav"):
        assert workspace.shown(home, name).is_file()


@pytest.mark.parametrize(
    "name",
    ["../secret.wav", "/etc/passwd", "link/secret.wav", ".music-composer/jobs/x/a.wav", "model/options.py", "none.wav",
     "", ".", "a\0.wav", "input_music_dataset/../../secret.wav", "folder.wav"],
)  # fmt: skip
def test_nothing_else_is_shown(tmp_path: Path, name: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    write(tmp_path / "secret.wav", tune(0.1))
    (home / "link").symlink_to(tmp_path)
    (home / "folder.wav").mkdir()
    write(home / ".music-composer" / "jobs" / "x" / "a.wav", tune(0.1))
    (home / "model").mkdir()
    (home / "model" / "options.py").write_text("there is such a file")
    with pytest.raises(workspace.Missing):
        workspace.shown(home, name)


def test_only_the_dataset_loses_files(tmp_path: Path) -> None:
    for path in (tmp_path / "output-0.wav", tmp_path / "input_music_dataset" / "a.wav"):
        write(path, tune(0.1))
    with pytest.raises(workspace.Missing):
        workspace.remove(tmp_path, "output-0.wav")
    workspace.remove(tmp_path, "input_music_dataset/a.wav")
    assert [each["path"] for each in workspace.results(tmp_path)] == ["output-0.wav"]
    assert listed(tmp_path) == []


def test_results_are_not_sought_in_caches_run_folders_and_hidden_ones(tmp_path: Path) -> None:
    for folder in (".", "takes", "train_data", "other run", "other run/x", ".hidden", "input_music_dataset"):
        write(tmp_path / folder / "a.wav", tune(0.1))
    (tmp_path / "other run" / "options.json").write_text("{}")
    (tmp_path / "takes" / "card.html").write_text("a page")
    assert {each["path"] for each in workspace.results(tmp_path)} == {"a.wav", "takes/a.wav", "takes/card.html"}


def test_of_caches_and_run_folders_the_samples_of_a_training_are_shown_alone(tmp_path: Path) -> None:
    for folder in ("train_data", "runs/one/memory", "runs/one/samples/epoch-0001", "runs/one"):
        write(tmp_path / folder / "a.wav", tune(0.1))
    (tmp_path / "runs" / "one" / "options.json").write_text("{}")
    for name in ("train_data/a.wav", "runs/one/memory/a.wav", "runs/one/a.wav", "runs/one/options.json"):
        with pytest.raises(workspace.Missing):
            workspace.shown(tmp_path, name)
    assert workspace.shown(tmp_path, "runs/one/samples/epoch-0001/a.wav").is_file()
