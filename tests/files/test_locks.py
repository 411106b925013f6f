"""Two runs in one folder: the second says who is at work, or waits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from music_composer.data.options import FolderOptions
from music_composer.errors import BusyError
from music_composer.files.locks import LOCK, holder_of, locked, locked_output
from music_composer.pipelines.audio import compose
from music_composer.pipelines.audio.requests import PrepareRequest, TrainRequest
from tests.command import without_privileges

pytestmark = pytest.mark.journey

HOLD = """
import sys, time
from pathlib import Path
from music_composer.files.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
OUTPUT = """
import sys
from pathlib import Path
from music_composer.files.locks import locked_output
try:
    with locked_output(Path(sys.argv[1])):
        pass
except Exception as error:
    print(error)
"""
COUNT = """
import sys
from pathlib import Path
from music_composer.files.locks import locked
folder = Path(sys.argv[1])
for _ in range(40):
    with locked(folder / "locked", wait=True):
        number = int((folder / "number").read_text())
        (folder / "number").write_text(str(number + 1))
"""


def hold(folder: Path) -> subprocess.Popen[str]:
    """Another process that holds the folder until its standard input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_says_who_holds_the_folder(tmp_path: Path) -> None:
    process = hold(tmp_path)
    with (
        pytest.raises(BusyError, match=rf"in use by -c .*process {process.pid} on .*since 2.*--wait"),
        locked(tmp_path),
    ):
        pass
    process.communicate("")
    with locked(tmp_path):
        assert str(os.getpid()) in holder_of(tmp_path / LOCK)
    assert not list(tmp_path.iterdir())


def test_the_second_waits_if_it_is_to(tmp_path: Path) -> None:
    process, said = hold(tmp_path), []

    def say(line: str) -> None:
        said.append(line)
        assert process.stdin
        process.stdin.close()

    with locked(tmp_path, wait=True, say=say):
        assert process.wait() == 0
    assert len(said) == 1
    assert f"process {process.pid}" in said[0]


def test_a_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    process = hold(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (tmp_path / LOCK).exists()
    with locked(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_a_folder_that_was_made_for_the_lock_goes_with_it(tmp_path: Path) -> None:
    with locked(tmp_path / "new" / "folder"):
        assert (tmp_path / "new" / "folder").is_dir()
    assert not list(tmp_path.iterdir())
    with pytest.raises(RuntimeError), locked(tmp_path / "new" / "folder"):
        (tmp_path / "new" / "file").touch()
        raise RuntimeError
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]


def test_never_are_two_inside_though_the_lock_is_removed_each_time(tmp_path: Path) -> None:
    (tmp_path / "number").write_text("0")
    workers = [subprocess.Popen([sys.executable, "-c", COUNT, tmp_path]) for _ in range(3)]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    assert (tmp_path / "number").read_text() == "120"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["number"]


@pytest.mark.skipif(os.name != "posix", reason="permissions are others there")
def test_a_read_only_folder_needs_no_lock(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    code = "from pathlib import Path; from music_composer.files.locks import locked; import sys\n" \
        "with locked(Path(sys.argv[1])): print('inside')"  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, preexec_fn=without_privileges
    )
    tmp_path.chmod(0o755)
    assert done.stdout == "inside\n", done.stderr
    assert not list(tmp_path.iterdir())


def test_whatever_the_sidecar_holds_the_message_is_one_line(tmp_path: Path) -> None:
    process = hold(tmp_path)
    for content in ("", "[]", "[" * 100_000, '{"command": []}'):
        (tmp_path / f"{LOCK}.json").write_text(content)
        with pytest.raises(BusyError, match="another run of music-composer"), locked(tmp_path):
            pass
    process.communicate("")


def test_who_is_inside_may_enter_again_by_any_name(tmp_path: Path) -> None:
    """One folder may be both the cache and the run folder."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    with locked(tmp_path / "folder"):
        for again in (tmp_path / "folder", tmp_path / "folder" / ".." / "folder", tmp_path / "link"):
            with locked(again, wait=True):
                pass
        assert (tmp_path / "folder" / LOCK).exists(), "it is held until the first leaves"
    assert not list((tmp_path / "folder").iterdir())


def test_another_thread_is_not_inside(tmp_path: Path) -> None:
    found: list[type] = []

    def enter() -> None:
        try:
            with locked(tmp_path):
                found.append(object)
        except BusyError:
            found.append(BusyError)

    with locked(tmp_path):
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
    assert found == [BusyError]


def test_links_in_the_place_of_a_lock_lead_nowhere(tmp_path: Path) -> None:
    victim, folder = tmp_path / "victim", tmp_path / "folder"
    victim.write_text("precious")
    folder.mkdir()
    (folder / f"{LOCK}.json").symlink_to(victim)
    with locked(folder):
        pass
    assert not list(folder.iterdir())
    (folder / LOCK).symlink_to(victim)
    with pytest.raises(BusyError, match=r"music-composer.lock cannot be opened.*Remove it"), locked(folder):
        pass
    assert victim.read_text() == "precious"


def test_a_folder_in_the_place_of_a_lock_is_said(tmp_path: Path) -> None:
    (tmp_path / LOCK / "deep").mkdir(parents=True)
    with pytest.raises(BusyError, match="cannot be opened: is a directory"), locked(tmp_path):
        pass
    assert (tmp_path / LOCK / "deep").is_dir()


def test_the_lock_of_an_output_has_a_name_that_nobody_else_gives(tmp_path: Path) -> None:
    (tmp_path / ".song.lock").write_text("of an office program")
    with locked_output(tmp_path / "song-0.wav"):
        assert sorted(path.name for path in tmp_path.iterdir()) == [".song.lock", f".song{LOCK}", f".song{LOCK}.json"]
    with (
        locked_output(tmp_path / "song-1.wav"),
        subprocess.Popen(
            [sys.executable, "-c", OUTPUT, tmp_path / "song-0.wav"], stdout=subprocess.PIPE, text=True
        ) as other,
    ):
        assert other.communicate()[0].startswith(f"{tmp_path / 'song'} is in use by")
    assert [path.name for path in tmp_path.iterdir()] == [".song.lock"]


def test_nobody_prepares_in_a_cache_that_is_trained_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = FolderOptions(tmp_path / "music", tmp_path / "cache", tmp_path / "model")

    def trained(*_: object) -> tuple[None, None]:
        with ThreadPoolExecutor(1) as other, pytest.raises(BusyError):
            other.submit(compose.prepare, PrepareRequest(folders)).result()
        return None, None

    monkeypatch.setattr(compose, "_trained", trained)
    monkeypatch.setattr(compose, "_report_copying", lambda *_: None)
    assert compose.train(TrainRequest(folders)) is None


def test_what_a_killed_process_left_of_saying_who_it_is_goes(tmp_path):
    code = "from pathlib import Path; from music_composer.files.atomic import part_name; import sys; " \
        "print(part_name(Path(sys.argv[1]) / '.music-composer.lock.json'))"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    Path(done.stdout.strip()).touch()
    with locked(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
