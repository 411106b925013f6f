"""Signals to small programs that stop as the commands do: what is answered, saved and swept, and the exit codes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from music_composer import stopping
from music_composer.files import temporary

pytestmark = pytest.mark.journey

EACH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
BEGIN = "import hashlib, os, subprocess, sys, time\nfrom pathlib import Path\nfrom music_composer import stopping\n"


class Program:
    """Runs what is inside `with stopping.answering()` the way that __main__.py runs a command."""

    def __init__(self, body: str, cwd: Path, before: Callable[[], None] | None = None) -> None:
        lines = ["with stopping.answering():", " try:", *(f"  {line}" for line in body.splitlines())]
        code = BEGIN + "\n".join([*lines, " except KeyboardInterrupt as stopped:", "  print(stopped, flush=True)"])
        code += "\n  stopping.end(stopping.exit_code())\n"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=before or heed_ctrl_c, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip

    def until(self, word: str) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            if word in line:
                return
        raise AssertionError(self.process.communicate())

    def after(self, *numbers: signal.Signals, pause: float = 0.0) -> tuple[int, str, str]:
        """Sends signals; exit code, standard output and standard error."""
        for number in numbers:
            self.process.send_signal(number)
            time.sleep(pause)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


def heed_ctrl_c() -> None:
    """In a child: a shell starts what it runs in the background deaf to Ctrl-C, the tests too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@EACH
def test_what_has_nothing_to_save_ends_though_the_main_thread_never_comes_back(tmp_path, number):
    program = Program(
        "from music_composer.files.atomic import whole_file\n"
        "from music_composer.files.temporary import scratch_folder\n"
        "from music_composer.files.locks import locked\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        "with locked(Path('a/b')), whole_file(Path('song.wav')) as part, scratch_folder() as folder:\n"
        "    part.write_text('half'), (folder / 'x').write_text('x')\n"
        "    print('begun', child.pid, folder, flush=True)\n"
        "    hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)\n",
        tmp_path,
    )
    assert program.process.stdout
    _, child, folder = program.process.stdout.readline().split()
    code, out, said = program.after(number)
    assert (code, out) == (130, "")
    assert said.splitlines() == ["music-composer: stopping: what is written stays"]
    assert not list(tmp_path.iterdir())
    assert not Path(folder).exists()
    with pytest.raises(ProcessLookupError):
        for _ in range(1000):  # whoever takes over the orphan buries it
            os.kill(int(child), 0)
            if "Z" in Path(f"/proc/{child}/stat").read_text().rpartition(")")[2]:
                raise ProcessLookupError
            time.sleep(0.01)


SAVING = (
    "with stopping.patiently('the step is saved'):\n"
    "    print('begun', flush=True)\n"
    "    while not stopping.requested(): hashlib.pbkdf2_hmac('sha256', b'', b'', 10**5)\n"
    "    time.sleep({seconds})\n"
    "    Path('saved').write_text('all of it')\n"
)


@EACH
def test_what_has_something_to_save_saves_it_first(tmp_path, number):
    program = Program(SAVING.format(seconds=0.5), tmp_path)
    program.until("begun")
    code, _, said = program.after(number, number)  # `timeout` sends two at a time, which is still one
    assert code == 130
    assert said.splitlines() == ["music-composer: stopping: the step is saved first; once more ends at once"]
    assert (tmp_path / "saved").read_text() == "all of it"


def test_a_second_one_ends_at_once_and_says_what_that_costs(tmp_path):
    program = Program(SAVING.format(seconds=600), tmp_path)
    program.until("begun")
    code, _, said = program.after(signal.SIGINT, signal.SIGINT, pause=2 * stopping.ONE_SIGNAL_SECONDS)
    assert code == 1
    assert said.splitlines()[-1] == "music-composer: stopped at once: what was not saved yet is lost"
    assert not (tmp_path / "saved").exists()


def test_a_thread_that_polls_ends_the_work_of_a_pool(tmp_path):
    body = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "def work(number):\n"
        "    while True: stopping.check(); time.sleep(0.01)\n"
        "with stopping.patiently('what is done is kept'), ThreadPoolExecutor(2) as pool:\n"
        "    print('begun', flush=True)\n"
        "    list(pool.map(work, range(8)))\n"
    )
    program = Program(body, tmp_path)
    program.until("begun")
    assert program.after(signal.SIGTERM)[0] == 130


def test_where_being_stopped_is_the_regular_end_the_code_is_0(tmp_path):
    body = (
        "with stopping.regular_end():\n"
        "    print('begun', flush=True)\n"
        "    while not stopping.wait(600): pass\n"
        "print('notes')\n"
    )
    program = Program(body, tmp_path)
    program.until("begun")
    code, out, _ = program.after(signal.SIGINT)
    assert (code, out) == (0, "notes\n")


def test_what_the_shell_has_us_ignore_stays_ignored(tmp_path):
    program = Program(
        "print('begun', flush=True)\ntime.sleep(600)\n",
        tmp_path,
        before=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN) and None,
    )
    program.until("begun")
    program.process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        program.process.wait(timeout=0.5)
    assert program.after(signal.SIGTERM)[0] == 130


def test_the_answer_does_not_wait_for_a_standard_error_that_is_turned_away(tmp_path):
    body = (
        "kept = os.dup(2)\nos.dup2(os.open(os.devnull, os.O_WRONLY), 2)\n"
        "print('begun', flush=True)\nhashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)\n"
    )
    program = Program(body, tmp_path)
    program.until("begun")
    assert "stopping" in program.after(signal.SIGINT)[2]


def test_in_a_program_that_uses_the_package_ctrl_c_is_patient_where_it_says_so():
    def press() -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), stopping.patiently("saving"):
        press()
        assert stopping.wait(10)
        saved = True
    assert saved
    assert not stopping.requested(), "the next one may run"
    with pytest.raises(KeyboardInterrupt), stopping.patiently("saving"):
        press()
        stopping.wait(10)
        press()
        time.sleep(10)
        raise AssertionError("the second interrupts")
    before = signal.getsignal(signal.SIGINT)
    found = []
    thread = threading.Thread(target=lambda: found.append(_patient()))
    thread.start()
    thread.join()
    assert found == [True]
    assert signal.getsignal(signal.SIGINT) == before


def _patient() -> bool:
    with stopping.patiently("in a thread"):
        return not stopping.requested()


def test_leftovers_are_known_only_while_they_are_there(tmp_path):
    with temporary.noted(tmp_path / "a"):
        assert tmp_path / "a" in temporary._there
    assert tmp_path / "a" not in temporary._there
    with pytest.raises(ValueError), temporary.scratch_folder() as folder:
        assert folder.is_dir()
        raise ValueError
    assert not folder.exists()
