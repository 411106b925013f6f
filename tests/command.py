"""Runs the installed command the way a user does, and makes the small recordings that it is tried on."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType

import numpy as np
import soundfile

COMMAND = Path(sys.executable).with_name("music-composer")
TINY = ("--head", "flow", "-n", "8", "-l", "1", "-b", "4", "-e", "1")  # a network that trains in a second
SHORT = ("-s", "0.5", "-g", "2")
RATE = 44100
# After a training, continuations are compared with the recordings, which takes longer than training a tiny network.
NOT_CHECKED: Mapping[str, object] = {"music_composer.pipelines.audio.copy_check.MAX_SECONDS": 0.0}
FEW_CHECKED: Mapping[str, object] = {
    "music_composer.pipelines.audio.copy_check.CHECKED": 2,
    "music_composer.pipelines.audio.copy_check.CHECKED_SECONDS": 6.0,
}
# Random splices that a cut is compared with in scorecards.
FEW_SPLICES = {"music_composer.evaluation.audio.continuity_scores.SPLICES": 4}
LONGEST_SECONDS = 300  # of a command, before it counts as hanging
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAPABILITY_VERSION = 24, 1, 2, 0x20080522


def music_composer(
    *arguments: str | Path,
    cwd: Path,
    before: Callable[[], None] | None = None,
    constants: Mapping[str, object] = NOT_CHECKED,
) -> subprocess.CompletedProcess[str]:
    """The finished command, run by a copy of a process that has loaded it; `installed` says how a user runs it.

    before: what the copy does before the command: a function of this module, or one with its arguments
    (functools.partial). constants: numbers of the program, as `module.NAME`, that are others in the copy.
    """
    with Started(*arguments, cwd=cwd, before=before, constants=constants) as process:
        output, errors = process.communicate()
    return subprocess.CompletedProcess(process.words, process.returncode, output.decode(), errors.decode())


def kept_copy(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """As `music_composer`, by a copy that stays: it loads each model that is played once, however many commands play.

    For commands that succeed, since others end their process. They neither train nor need limits of their own.
    """
    words = [str(COMMAND), *map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder) / name for name in ("output", "errors")]
        for path in said:
            path.touch()
        _request(words[1:], cwd, said, kept=True)
        _number_from(_server(), LONGEST_SECONDS)
        code = _number_from(_server(), LONGEST_SECONDS)
        output, errors = (path.read_text(encoding="utf-8") for path in said)
    return subprocess.CompletedProcess(words, code, output, errors)


def run_python(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Code that uses the library, finished, in a copy of the process that commands are copies of."""
    with Started(cwd=cwd, code=code) as process:
        output, errors = process.communicate()
    return subprocess.CompletedProcess(process.words, process.returncode, output.decode(), errors.decode())


def installed(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The finished process of the installed command."""
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        env=_environment(),
    )


class Started:
    """A command that goes on, in a copy of a process that has loaded it. One at a time; what is left of it is killed.

    stdout, stderr: what it says, as bytes. The other names are those of subprocess.Popen.
    """

    def __init__(
        self,
        *arguments: str | Path,
        cwd: Path,
        before: Callable[[], None] | None = None,
        constants: Mapping[str, object] = MappingProxyType({}),
        code: str = "",
    ) -> None:
        """code: is run in place of the command."""
        self.words = [str(COMMAND), *map(str, arguments)]
        self.returncode: int | None = None
        with tempfile.TemporaryDirectory() as folder:
            output, errors = Path(folder) / "output", Path(folder) / "errors"
            for pipe in (output, errors):
                os.mkfifo(pipe)
            _request(self.words[1:], cwd, (output, errors), before, constants, code)
            self.pid = _number_from(_server(), LONGEST_SECONDS)
            self.stdout, self.stderr = (open(pipe, "rb") for pipe in (output, errors))  # noqa: SIM115

    def __enter__(self) -> Started:
        return self

    def __exit__(self, *error: object) -> None:
        if self.poll() is None:
            self.send_signal(signal.SIGKILL)
            self.wait()
        self.stdout.close()
        self.stderr.close()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it has ended just now
                os.kill(self.pid, number)

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it goes on."""
        if self.returncode is None and select.select([_server().stdout], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float = LONGEST_SECONDS) -> int:
        """Raises subprocess.TimeoutExpired when it goes on for longer."""
        if self.returncode is None:
            self.returncode = _number_from(_server(), timeout)
        return self.returncode

    def communicate(self, timeout: float = LONGEST_SECONDS) -> tuple[bytes, bytes]:
        """All that it says until it ends, on standard output and on standard error."""
        with ThreadPoolExecutor() as pool:
            said = pool.map(lambda pipe: pipe.read(), (self.stdout, self.stderr))
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.send_signal(signal.SIGKILL)
                raise
            output, errors = said
        return output, errors


def _request(
    arguments: Sequence[str],
    cwd: Path,
    said: Sequence[Path],
    before: Callable[[], None] | None = None,
    constants: Mapping[str, object] = MappingProxyType({}),
    code: str = "",
    kept: bool = False,
) -> None:
    """Sends a request to the server. said: where standard output and standard error go."""
    output, errors = map(str, said)
    request = {"arguments": arguments, "folder": str(cwd), "output": output, "errors": errors, "code": code}
    request |= {"environment": _environment(), "before": _named(before), "constants": dict(constants), "kept": kept}
    stdin = _server().stdin
    assert stdin
    stdin.write(json.dumps(request).encode() + b"\n")


def _environment() -> dict[str, str]:
    return os.environ | {"KERAS_BACKEND": "tensorflow"}


def _named(before: Callable[[], None] | None) -> list[object]:
    """A function of this module as JSON: its name and its arguments."""
    if isinstance(before, functools.partial):
        return [before.func.__name__, *before.args]
    return [before.__name__] if before else []


def _number_from(server: subprocess.Popen[bytes], timeout: float) -> int:
    """A line of the server, which holds a number."""
    assert server.stdout
    line = b""
    while not line.endswith(b"\n"):
        if not select.select([server.stdout], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(str(COMMAND), timeout)
        got = server.stdout.read(1)
        assert got, "the server has ended"
        line += got
    return int(line)


@functools.cache
def _server() -> subprocess.Popen[bytes]:
    """One for each process of pytest; it ends with its input, at the latest when that process ends."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fork_server"],
        cwd=Path(__file__).parents[1],
        env=_environment(),
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def kill_when(words: str, *arguments: str | Path, cwd: Path, number: int = signal.SIGKILL) -> tuple[int, str]:
    """Runs the command until it says `words`, then kills it; returns its exit code and what it said."""
    said = ""
    with Started(*arguments, cwd=cwd) as process:
        for line in process.stderr:
            said += line.decode()
            if words in said:
                process.send_signal(number)
                break
        else:
            raise AssertionError(f"never said {words!r}:\n{said}")
        said += process.stderr.read().decode()
        return process.wait(), said


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
    decay = np.resize(np.exp(-4 * (np.arange(rate) / rate * 4 % 1)), len(t))  # of one second, again and again
    sound = 0.3 * np.sin(2 * np.pi * notes[(t * 4).astype(int)] * t) * decay
    return np.stack([sound * (1 - 0.3 * c) for c in range(channels)], axis=1)


def write(path: Path, samples: np.ndarray, rate: int = RATE, subtype: str = "PCM_16") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def without_privileges() -> None:
    """In a copy: makes file permissions count even for root, as they do for every other user."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        header, sets = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
        assert libc.capget(header, sets) == 0, os.strerror(ctypes.get_errno())
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            assert libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0, os.strerror(ctypes.get_errno())  # of workers
            for i in range(3):  # effective, permitted, inherited
                sets[i] &= ~(1 << capability)
        assert libc.capset(header, sets) == 0, os.strerror(ctypes.get_errno())


def with_disk_of(size: int) -> Callable[[], None]:
    """In a copy: no file can grow beyond `size` bytes; writing fails as it does on a full disk."""
    return functools.partial(limit_files, size)


def limit_files(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
