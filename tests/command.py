"""Runs the installed command the way a user does, and makes the small recordings that it is tried on."""

from __future__ import annotations

import ctypes
import functools
import json
import os
import resource
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

COMMAND = Path(sys.executable).with_name("music-composer")
TINY = ("--head", "flow", "-n", "8", "-l", "1", "-b", "4", "-e", "1")  # a network that trains in a second
SHORT = ("-s", "0.5", "-g", "2")
RATE = 44100
LONGEST_SECONDS = 300  # of a command, before it counts as hanging
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


def music_composer(
    *arguments: str | Path, cwd: Path, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """The finished command, run by a copy of a process that has loaded it; `installed` says how a user runs it.

    before: what the child does before the command; then it is the installed one.
    """
    if before is not None:
        return installed(*arguments, cwd=cwd, before=before)
    words = [str(COMMAND), *map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder) / "output", Path(folder) / "errors"
        request = {"arguments": words[1:], "folder": str(cwd), "output": str(output), "errors": str(errors)}
        code = _answer_to(request | {"environment": _environment()})
        return subprocess.CompletedProcess(words, code, output.read_text("utf-8"), errors.read_text("utf-8"))


def installed(
    *arguments: str | Path, cwd: Path, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """The finished process of the installed command; `before` runs in the child before it."""
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        env=_environment(),
        preexec_fn=before,
    )


def _environment() -> dict[str, str]:
    return os.environ | {"KERAS_BACKEND": "tensorflow"}


def _answer_to(request: dict[str, object]) -> int:
    server = _server()
    assert server.stdin and server.stdout
    server.stdin.write(json.dumps(request) + "\n")
    server.stdin.flush()
    if not select.select([server.stdout], [], [], LONGEST_SECONDS)[0]:
        server.kill()
        _server.cache_clear()
        raise subprocess.TimeoutExpired(str(request["arguments"]), LONGEST_SECONDS)
    return int(server.stdout.readline())


@functools.cache
def _server() -> subprocess.Popen[str]:
    """One for each process of pytest; it ends with its input, at the latest when that process ends."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fork_server"],
        cwd=Path(__file__).parents[1],
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def assert_refused(done: subprocess.CompletedProcess[str], *words: str, code: int = 1) -> str:
    """Checks that a command failed with one clear line that has all the words; returns that line."""
    assert done.returncode == code, (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr
    line = done.stderr[done.stderr.rindex("music-composer:") :] if "music-composer:" in done.stderr else done.stderr
    for word in words:
        assert word in line, (word, done.stderr)
    return line


def assert_accepted(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Checks that a command succeeded and said all the words."""
    assert done.returncode == 0, done.stderr
    for word in words:
        assert word in done.stderr, (word, done.stderr)


def tune(seconds: float, rate: int = RATE, channels: int = 2, seed: int = 0) -> np.ndarray:
    """A melody of decaying sines, four notes a second, shape (samples, channels)."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    notes = 220 * 2 ** (rng.choice([0, 2, 4, 7, 9, 12, 16], int(seconds * 4) + 1) / 12)
    sound = 0.3 * np.sin(2 * np.pi * notes[(t * 4).astype(int)] * t) * np.exp(-4 * (t * 4 % 1))
    return np.stack([sound * (1 - 0.3 * c) for c in range(channels)], axis=1)


def write(path: Path, samples: np.ndarray, rate: int = RATE, subtype: str = "PCM_16") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def without_privileges() -> None:
    """In a child: makes file permissions count even for root, as they do for every other user."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            assert libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0, os.strerror(ctypes.get_errno())


def with_disk_of(size: int) -> Callable[[], None]:
    """In a child: no file can grow beyond `size` bytes; writing fails as it does on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
