"""Jobs: commands that run by themselves. Whatever is known of one is in its folder, for any server and any tab.

.music-composer/jobs/ID/job.json         the words of the command, and when it began
                        progress.jsonl   its events, see `progress.json_lines`
                        log              what it printed
                        pid              its process
                        lock             held by the system as long as it lives
                        exit             its exit code, once it has ended
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import re
import secrets
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from music_composer.errors import BusyError, MusicComposerError
from music_composer.files.atomic import make_folder, read_json, write_json

FOLDER = Path(".music-composer") / "jobs"
JOB, PROGRESS, LOG, PID, LOCK, EXIT = "job.json", "progress.jsonl", "log", "pid", "lock", "exit"
ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
LOG_BYTES = 20_000  # of the end of a log that are shown
MAX_EVENT_BYTES = 1_000_000  # read at once
START_SECONDS = 10.0  # for the runner to take its lock
RUNNING, DONE, FAILED, STOPPED, LOST = "running", "done", "failed", "stopped", "lost"
STOP_CODE = 130


@dataclasses.dataclass(frozen=True)
class Job:
    """state: one of RUNNING, DONE, FAILED, STOPPED, and LOST where its process was killed. code: once it has ended."""

    id: str
    words: tuple[str, ...]
    began: float
    state: str
    code: int | None = None

    @property
    def shown(self) -> str:
        """The command as one would type it."""
        return shown_of(self.words)


def shown_of(words: Sequence[str]) -> str:
    """Returns a command as one would type it."""
    return shlex.join(["music-composer", *words])


def run_folder_of(words: Sequence[str]) -> str:
    """Returns the run folder that a command trains in; nothing for one that does not train."""
    plain = [word for word in words if not word.startswith("-")]
    trains = plain[:1] in ([], ["train"]) or plain[:2] in (["midi"], ["midi", "train"])
    named = [word.partition("=")[2] for word in words if word.startswith("--model-folder-path=")]
    default = "midi_model" if plain[:1] == ["midi"] else "model"
    return os.path.normpath([default, *named][-1]) if trains else ""


def begin(workspace: Path, words: Sequence[str]) -> Job:
    """Starts a command in the workspace. It goes on when this process ends.

    Raises BusyError where a job trains in the same run folder already.
    """
    run_folder = run_folder_of(words)
    for job in jobs(workspace) if run_folder else []:
        if job.state == RUNNING and run_folder_of(job.words) == run_folder:
            raise BusyError(f"busy: {job.shown} is running")
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
    folder = workspace / FOLDER / name
    make_folder(folder)
    write_json(folder / JOB, {"words": list(words), "began": time.time()})
    # A session of its own: Ctrl-C on the server is not for the job.
    subprocess.Popen(
        [sys.executable, "-m", "music_composer.web.runner", str(folder)],
        cwd=workspace,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until = time.monotonic() + START_SECONDS
    while not (folder / PID).exists() and not (folder / EXIT).exists() and time.monotonic() < until:
        time.sleep(0.02)
    return read(workspace, name)


def jobs(workspace: Path) -> list[Job]:
    """Returns all jobs, the newest first."""
    found = []
    for each in (workspace / FOLDER).glob("*/"):
        with contextlib.suppress(MusicComposerError):
            found.append(read(workspace, each.name))
    return sorted(found, key=lambda job: -job.began)


def read(workspace: Path, name: str) -> Job:
    """Returns a job. Raises MusicComposerError where there is none of that name."""
    plain, folder = _plain(workspace, name), workspace / FOLDER / name
    words = tuple(str(word) for word in plain.get("words", []))
    # In this order: the code is there before the lock is let go.
    locked, code = _is_locked(folder / LOCK), _number(folder / EXIT)
    if code is None:
        state = RUNNING if locked else LOST
    else:
        state = DONE if code == 0 else STOPPED if code == STOP_CODE else FAILED
    return Job(name, words, float(plain.get("began", 0.0)), state, code)


def events_of(workspace: Path, name: str, since: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Returns the events behind byte `since` of a job's progress, and where the next begin."""
    _plain(workspace, name)
    since = max(0, since)
    found: list[dict[str, Any]] = []
    try:
        with open(workspace / FOLDER / name / PROGRESS, "rb") as file:
            file.seek(since)
            data = file.read(MAX_EVENT_BYTES)
    except FileNotFoundError:
        return [], since
    whole = data[: data.rfind(b"\n") + 1]
    for line in whole.splitlines():
        with contextlib.suppress(ValueError):  # of a line that a full disk has cut
            event = json.loads(line)
            found += [event] if isinstance(event, dict) else []
    return found, since + len(whole)


def all_events(workspace: Path, name: str) -> list[dict[str, Any]]:
    """Returns all events of a job."""
    found, place = events_of(workspace, name)
    while (more := events_of(workspace, name, place))[0]:
        found, place = found + more[0], more[1]
    return found


def log_of(workspace: Path, name: str) -> str:
    """Returns the end of what a job printed."""
    _plain(workspace, name)
    try:
        with open(workspace / FOLDER / name / LOG, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_BYTES))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def stop(workspace: Path, name: str) -> None:
    """Asks a job to stop, as Ctrl-C does: it saves what it can go on from. Does nothing where it has ended."""
    if read(workspace, name).state != RUNNING:
        return
    process = _number(workspace / FOLDER / name / PID)
    if process:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGINT)


@contextlib.contextmanager
def held(path: Path) -> Iterator[int]:
    """While inside, and as long as a process that has inherited the descriptor lives, a lock is held."""
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield number
    finally:
        os.close(number)


def _is_locked(path: Path) -> bool:
    try:
        number = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(number)


def _plain(workspace: Path, name: str) -> dict[str, Any]:
    if not ID.fullmatch(name):
        raise MusicComposerError("there is no such job")
    try:
        plain = read_json(workspace / FOLDER / name / JOB)
    except (OSError, ValueError) as error:
        raise MusicComposerError("there is no such job") from error
    if not isinstance(plain, dict):
        raise MusicComposerError("there is no such job")
    return plain


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
