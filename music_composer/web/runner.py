"""Runs the command of a job and writes how it ended: `python -m music_composer.web.runner FOLDER`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from music_composer.files.atomic import write_json
from music_composer.progress import FILE
from music_composer.web.jobs import EXIT, JOB, LOCK, LOG, PID, PROGRESS, held


def main(folder: Path) -> None:
    """Runs the command in the working folder, from the first to the last moment of its lock."""
    words = [str(word) for word in json.loads((folder / JOB).read_text())["words"]]
    with held(folder / LOCK) as lock, open(folder / LOG, "ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "music_composer", *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, FILE: str((folder / PROGRESS).resolve())},
            pass_fds=[lock],  # so that the lock is held as long as the command lives, even if this process is killed
            # A shell has its background jobs ignore Ctrl-C, and children inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        write_json(folder / PID, child.pid)
        code = child.wait()
        write_json(folder / EXIT, 128 - code if code < 0 else code)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
