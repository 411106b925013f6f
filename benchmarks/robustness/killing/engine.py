"""Children that are killed before the n-th change to a file, or at a moment, and what they leave behind."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import signal
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from music_composer.files.atomic import PART
from music_composer.training.weights import _check_sum

CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir")
COUNT = "count.txt"
WRITING = os.O_WRONLY | os.O_RDWR
VOLATILE = ("seconds", "versions", "spent", "mtime_ns")  # of JSON: they differ from run to run
STAMP = re.compile(r"\d{8}_\d{6}(_\d+)?")


def in_child(work: Callable[[], Any], log: Path, before: int | None = None, after: float | None = None) -> int | None:
    """Runs `work` in a process of its own; returns its exit code, None where it was killed.

    before: it is killed before its n-th opening for writing, rename, removal or new folder, from 0 on. after: seconds.
    """
    child = os.fork()
    if not child:
        _run(work, log, before)
    started = time.monotonic()
    while True:
        done, status = os.waitpid(child, os.WNOHANG if after is not None else 0)
        if done:
            return None if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)
        if after is not None and time.monotonic() - started > after:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        time.sleep(0.005)


def _run(work: Callable[[], Any], log: Path, before: int | None) -> None:
    """In the child: never returns."""
    code = 1
    try:
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        left = _kill_before(before) if before is not None else [0]
        work()
        code = 0
        if before is not None:
            log.with_name(COUNT).write_text(str(before - left[0]))
    except SystemExit as error:
        code = int(error.code or 0)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _kill_before(number: int) -> list[int]:
    """Returns a list with how many changes are left until then."""
    left = [number]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in CHANGES or (event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING):
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

    sys.addaudithook(hook)
    return left


def changes_of(work: Callable[[], Any], log: Path) -> int:
    """How many changes to files a command makes; it must end well."""
    code = in_child(work, log, before=10**9)
    assert code == 0, log.read_text()[-2000:]
    return int(log.with_name(COUNT).read_text())


def torn(folder: Path) -> list[str]:
    """Files under their own names that are not whole."""
    return [f"{path.relative_to(folder)}: {why}" for path in _final(folder) if (why := _why_torn(path))]


def leftovers(folder: Path) -> list[str]:
    """Hidden files that should have gone with the run that ended well."""
    hidden = [path for path in folder.rglob("*") if path.name.startswith(".")]
    return sorted(str(path.relative_to(folder)) for path in hidden)


def inputs_of(folder: Path) -> dict[str, str]:
    """The user's own files, by name."""
    return {path.name: _digest(path.read_bytes()) for path in sorted((folder / "music").iterdir())}


def state_of(folder: Path) -> dict[str, Any]:
    """Everything that a run leaves, without what differs from run to run; of folders named by time, the last."""
    found = {}
    for path in _final(folder):
        name = str(path.relative_to(folder))
        if not name.startswith("music/"):
            found[STAMP.sub("TIME", name)] = _content(path)
    return found


def _final(folder: Path) -> list[Path]:
    """Files that a user sees, or that count; what is in a part folder does not."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [
        path
        for path in files
        if not any(PART.fullmatch(part) or ".lock" in part for part in path.relative_to(folder).parts)
    ]


def _content(path: Path) -> Any:
    if path.suffix == ".json":
        return _stable(json.loads(path.read_text()))
    if path.suffix == ".csv":
        return [
            {k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(io.StringIO(path.read_text()))
        ]
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            plain = {name: arrays[name] for name in arrays.files}
        said = _stable(json.loads(str(plain.pop("state")))) if "state" in plain else None
        return said, {name: _digest(array.tobytes()) for name, array in plain.items()}
    return _digest(path.read_bytes())


def _stable(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {key: _stable(value) for key, value in plain.items() if key not in VOLATILE}
    return [_stable(each) for each in plain] if isinstance(plain, list) else plain


def _why_torn(path: Path) -> str:
    try:
        _open(path)
    except Exception as error:  # whatever a reader makes of half a file
        return repr(error)[:200]
    return ""


def _open(path: Path) -> None:
    content = path.read_bytes()
    if path.suffix in (".wav", ".flac"):
        assert soundfile.info(path).frames == len(soundfile.read(path)[0]), "fewer samples than it says"
    elif path.suffix == ".json":
        json.loads(content)
    elif path.suffix == ".npz":
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None, "a checksum is wrong"
    elif path.suffix == ".npy":
        np.load(path)
    elif path.suffix == ".h5":
        _check_sum(path)
        assert b"music-composer blake2b" in content[-64:], "no checksum"
    elif path.suffix == ".png":
        assert content.startswith(b"\x89PNG"), "no PNG"
        assert content.endswith(b"IEND\xaeB`\x82"), "cut short"
    elif path.suffix == ".mid":
        from music_composer.symbolic.midi.midi_file import read_midi

        assert not read_midi(path).remarks, "mended"
    assert content, "empty"


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()
