"""What is ours is replaced, what is somebody's is not, whenever the power is cut."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from music_composer.errors import OptionError, OutputError
from music_composer.files import outputs
from music_composer.files.outputs import (
    Output,
    beside,
    claim_growing,
    clean,
    close_grown,
    is_ours,
    numbered,
    require_free,
    staged,
)


def make(path: Path, sound: bytes = b"sound", picture: bytes | None = b"picture", overwrite: bool = False) -> None:
    """One output as a command writes it."""
    with staged(path.with_suffix(".json"), overwrite) as files:
        files.file(path.name).write_bytes(sound)
        if picture is not None:
            files.file(path.with_suffix(".png").name).write_bytes(picture)
        files.commit({"seed": 1})


def test_an_output_is_named_by_the_json_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out-0.wav"
    make(path)
    assert {each.name for each in path.parent.iterdir()} == {"out-0.wav", "out-0.png", "out-0.json"}
    said = json.loads(path.with_suffix(".json").read_text())
    assert said == {"magic": outputs.MAGIC, "files": {"out-0.wav": 5, "out-0.png": 7}, "seed": 1}
    assert is_ours(path)
    assert is_ours(path.with_suffix(".png"), path.with_suffix(".json"))


def test_ours_is_replaced(tmp_path: Path) -> None:
    make(tmp_path / "out-0.wav", b"old")
    require_free([beside(tmp_path / "out-0.wav", ".png")])
    make(tmp_path / "out-0.wav", b"newer")
    assert (tmp_path / "out-0.wav").read_bytes() == b"newer"
    assert json.loads((tmp_path / "out-0.json").read_text())["files"]["out-0.wav"] == 5


@pytest.mark.parametrize("name", ["out-1.wav", "out-1.png", "out-1.json"])
def test_a_file_of_the_users_is_refused_by_name_unless_it_is_to_be_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    wanted = [beside(path, ".png") for path in numbered(str(tmp_path / "out"), 3, ".wav")]
    with pytest.raises(OutputError, match=f"{name}: already there"):
        require_free(wanted)
    require_free(wanted, overwrite=True)
    require_free([wanted[0], wanted[2]])
    with pytest.raises(OutputError, match=name):
        make(tmp_path / "out-1.wav")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [(name, "precious")]
    make(tmp_path / "out-1.wav", overwrite=True)
    assert is_ours(tmp_path / "out-1.wav")


def test_a_file_of_ours_that_somebody_changed_is_theirs(tmp_path: Path) -> None:
    make(tmp_path / "out-0.wav")
    (tmp_path / "out-0.wav").write_bytes(b"edited by hand")
    with pytest.raises(OutputError, match="changed since"):
        require_free([beside(tmp_path / "out-0.wav")])


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"name": "my web site"}',
        '{"magic": "music-composer output"}',
        '{"magic": 1, "files": {}}',
        "NaN",
    ],
)
def test_any_other_json_is_somebody_elses(tmp_path: Path, content: str) -> None:
    (tmp_path / "out-0.json").write_text(content)
    (tmp_path / "out-0.wav").write_text("precious")
    with pytest.raises(OutputError, match="out-0"):
        require_free([beside(tmp_path / "out-0.wav")])


def test_a_json_does_not_make_other_peoples_files_ours(tmp_path: Path) -> None:
    victim = tmp_path / "victim.txt"
    victim.write_text("precious")
    folder = tmp_path / "folder"
    folder.mkdir()
    names = {"../victim.txt": 8, str(victim): 8, "out-0.wav": "8", "": 8}
    (folder / "out-0.json").write_text(json.dumps({"magic": outputs.MAGIC, "files": names}))
    (folder / "out-0.wav").write_text("precious")
    assert not is_ours(folder / "out-0.wav")
    make(folder / "out-0.wav", overwrite=True)
    assert json.loads((folder / "out-0.json").read_text())["files"] == {"out-0.wav": 5, "out-0.png": 7}
    assert victim.read_text() == "precious"


def test_outputs_of_earlier_versions_are_ours(tmp_path: Path) -> None:
    old = {"number": 1, "options": {"name": "some/out"}, "versions": {"music_composer": "0.1"}}
    (tmp_path / "out-1.json").write_text(json.dumps(old | {"new_music_from_second": 1.0}))
    (tmp_path / "out-1.wav").write_text("old")
    require_free([beside(tmp_path / "out-1.wav", ".png")])
    with staged(tmp_path / "out-1.json") as files:
        files.file("out-1.mid").write_bytes(b"notes")
        files.commit()
    assert is_ours(tmp_path / "out-1.wav"), "it keeps being ours"
    (tmp_path / "other-1.json").write_text(json.dumps(old))
    (tmp_path / "other-1.wav").write_text("copied by the user")
    assert not is_ours(tmp_path / "other-1.wav")


def test_two_outputs_of_one_name_know_each_other(tmp_path: Path) -> None:
    """`generate` and `midi generate` both call theirs output-0, and a rendering lies beside its MIDI file."""
    make(tmp_path / "output-0.wav")
    with staged(tmp_path / "output-0.json") as files:
        files.file("output-0.mid").write_bytes(b"notes")
        files.commit({"seed": 2})
    with staged(tmp_path / "output-0.json") as files:
        files.file("output-0.wav").write_bytes(b"rendered")
        files.commit()
    said = json.loads((tmp_path / "output-0.json").read_text())
    assert said["seed"] == 2
    assert said["files"] == {"output-0.wav": 8, "output-0.mid": 5, "output-0.png": 7}


def test_what_is_read_is_never_replaced(tmp_path: Path) -> None:
    make(tmp_path / "out-0.wav")
    for overwrite in (False, True):
        with pytest.raises(OutputError, match="would be replaced by what is made from it"):
            require_free([beside(tmp_path / "out-0.wav")], overwrite, sources=[tmp_path / "." / "out-0.wav"])


def test_what_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "out-0.wav").mkdir()
    with pytest.raises(OutputError, match="file is not a folder"):
        require_free([beside(tmp_path / "file" / "deep" / "out-0.wav")])
    with pytest.raises(OutputError, match="out-0.wav is a folder"):
        require_free([beside(tmp_path / "out-0.wav")], overwrite=True)


class Killed(BaseException):
    """Stands for a power cut: nothing of ours runs after it."""


def cut_before(call: int, monkeypatch: pytest.MonkeyPatch, work: Callable[[], None]) -> bool:
    """Runs `work` until before its `call`-th rename; what is cleaned up by us does not count. False: it ended."""
    real, seen = os.replace, 0

    def replace(*paths: str) -> None:
        nonlocal seen
        seen += 1
        if seen >= call:
            raise Killed
        real(*paths)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)
        try:
            work()
        except Killed:
            return True
    return False


@pytest.mark.parametrize("there", [False, True])
def test_cut_before_any_rename_everything_of_ours_is_still_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    path, points = tmp_path / "out-0.wav", 0
    while True:
        for each in tmp_path.iterdir():
            each.unlink()
        if there:
            make(path, b"the old one")
        points += 1
        ended = not cut_before(points, monkeypatch, lambda: make(path))
        for each in (path, path.with_suffix(".png")):
            if each.exists():
                assert is_ours(each, path.with_suffix(".json"))
                assert each.read_bytes() in (b"sound", b"picture", b"the old one")
        require_free([beside(path, ".png")])
        if not path.exists():
            path.write_text("a recording of the user's, put there since")
            assert not is_ours(path)
            path.unlink()
        make(path)
        assert path.read_bytes() == b"sound"
        if ended:
            break
    assert points == (5 if there else 4)


def test_a_file_that_grows_is_ours_while_and_after_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "out-0.wav"
    with path.with_name("part").open("wb") as file:
        claim_growing(path, os.fstat(file.fileno()).st_ino)
        assert not path.exists()
        path.with_name("part").replace(path)
        for _ in range(3):
            file.write(b"piece")
            file.flush()
            assert is_ours(path)
    path.rename(tmp_path / "aside")
    path.write_text("a recording of the user's")
    assert not is_ours(path)
    (tmp_path / "aside").replace(path)
    close_grown(path, {"seed": 3})
    assert json.loads((tmp_path / "out-0.json").read_text()) == {
        "magic": outputs.MAGIC,
        "files": {"out-0.wav": 15},
        "seed": 3,
    }


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("out", "out-0.wav"),
        ("out/", "out/output-0.wav"),
        ("deep/out", "deep/out-0.wav"),
        (".", "output-0.wav"),
        ("..", "../output-0.wav"),
        ("/", "/output-0.wav"),
        ("a.b", "a.b-0.wav"),
    ],
)
def test_a_name_that_ends_with_a_separator_is_a_folder(name: str, first: str) -> None:
    assert numbered(name, 2, ".wav")[0] == Path(first)
    assert len(numbered(name, 2, ".wav")) == 2


def test_an_output_may_have_subfolders(tmp_path: Path) -> None:
    card = Output(tmp_path / "card" / "scorecard.json", ("page.html", "prompts/0.flac"))
    for _ in range(2):
        require_free([card])
        with staged(card.manifest) as files:
            for path in card.paths:
                files.place(path).write_text("ours")
            files.commit()
        with staged(card.manifest) as files:
            files.file("page.html").write_text("once more")
            files.commit({"distance": float("nan")})
    assert json.loads(card.manifest.read_text())["files"] == {"page.html": 9, "prompts/0.flac": 4}
    card.paths[1].write_text("edited by the user")
    with pytest.raises(OutputError, match=r"prompts/0\.flac: already there"):
        require_free([card])


def test_a_link_in_the_place_of_a_subfolder_is_left_alone(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "0.flac").write_text("1234")
    (tmp_path / "prompts").symlink_to(victim)
    (tmp_path / "card.json").write_text(json.dumps({"magic": outputs.MAGIC, "files": {"prompts/0.flac": 4}}))
    for overwrite in (False, True):
        with pytest.raises(OutputError, match="prompts is a link"):
            require_free([Output(tmp_path / "card.json", ("prompts/0.flac",))], overwrite)


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 5000, "/", ".", "..", "../x", "a/../../x", ""])
def test_a_json_may_name_what_no_file_is_called(tmp_path: Path, name: str) -> None:
    (tmp_path / "out-0.json").write_text(json.dumps({"magic": outputs.MAGIC, "files": {name: 5}}))
    make(tmp_path / "out-0.wav")
    assert json.loads((tmp_path / "out-0.json").read_text())["files"] == {"out-0.wav": 5, "out-0.png": 7}


def test_a_name_that_no_file_can_have_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"^xxx.*\.\.\. is more than 255 bytes long"):
        require_free([beside(tmp_path / ("x" * 300 + "-0.wav"))])


def test_no_name_is_refused() -> None:
    with pytest.raises(OptionError, match="is empty"):
        numbered("", 1, ".wav")


def test_a_failure_leaves_nothing_and_what_the_dead_left_is_cleaned(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), staged(tmp_path / "out-0.json") as files:
        files.file("out-0.wav").write_text("half")
        raise RuntimeError
    assert not list(tmp_path.iterdir())
    torn = tmp_path / ".out-0.000000-1-1-00000000.part.wav"
    torn.touch()
    os.utime(torn, (0, 0))
    clean([Output(tmp_path / "other-0.json", ("other-0.wav",))])
    assert torn.exists()
    clean([beside(tmp_path / "out-0.wav")])
    assert not torn.exists()
