"""The sound of a stream while its WAV grows, for as long as anybody listens."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from music_composer.audio.wav import HEADER_BYTES
from music_composer.errors import MusicComposerError
from music_composer.files.outputs import DEFAULT_NAME, numbered
from music_composer.web import jobs

PIECE = 65536  # bytes that are read at once
POLL_SECONDS = 0.1
START_LISTENING_SECONDS = 60.0  # that a stream waits for its first listener: TensorFlow may be slow to load
UNHEARD_SECONDS = 2.0  # that a stream goes on after its last listener: a reload of the page takes less
CLOCK_SECONDS = 0.1  # by which the time of a file may lag behind the clock
UNKNOWN = b"\xff" * 4  # in place of a size: players then play until the end


def is_stream(words: Sequence[str]) -> bool:
    """Whether a command plays while it makes."""
    return "--stream" in words


class Listeners:
    """Who listens to which job. A stream that nobody listens to any more is stopped."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._count: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()  # the event loop itself keeps only weak references
        self._watched: set[str] = set()

    async def sound_of(self, job: jobs.Job) -> AsyncIterator[bytes]:
        """Yields the WAV of a stream from its beginning, as it grows. Raises MusicComposerError for any other job."""
        if not is_stream(job.words):
            raise MusicComposerError("that job plays nothing while it runs")
        self._count[job.id] += 1
        try:
            async for piece in _growing(self._workspace, job):
                yield piece
        finally:
            self._count[job.id] -= 1
            self.end_unheard(job.id, UNHEARD_SECONDS)

    def watch(self, job: jobs.Job) -> None:
        """Sees to it that a stream has a listener soon, whoever has started it."""
        if job.state == jobs.RUNNING and is_stream(job.words) and job.id not in self._watched:
            self._watched.add(job.id)
            self.end_unheard(job.id, START_LISTENING_SECONDS)

    def end_unheard(self, name: str, seconds: float) -> None:
        """Stops a stream in so many seconds, unless somebody listens to it then."""

        async def end() -> None:
            await asyncio.sleep(seconds)
            if not self._count[name]:
                jobs.stop(self._workspace, name)

        task = asyncio.get_running_loop().create_task(end())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def stop_streams(workspace: Path) -> None:
    """Stops all streams: without the page nobody hears them."""
    for job in jobs.jobs(workspace):
        if job.state == jobs.RUNNING and is_stream(job.words):
            jobs.stop(workspace, job.id)


def path_of(words: Sequence[str]) -> Path:
    """Returns the WAV that a streaming command writes, in its working folder."""
    names = [word.partition("=")[2] for word in words if word.startswith("--output-music-name=")]
    return numbered([DEFAULT_NAME, *names][-1], 1, ".wav")[0]


async def _growing(workspace: Path, job: jobs.Job) -> AsyncIterator[bytes]:
    """The header without sizes, then samples until the job has ended and all of them are read."""
    path = workspace / path_of(job.words)
    with contextlib.ExitStack() as opened:
        file = None
        while True:
            running = jobs.read(workspace, job.id).state == jobs.RUNNING  # asked before the read, so nothing is missed
            if file is None and _is_of(path, job):
                file = opened.enter_context(open(path, "rb"))
                header = file.read(HEADER_BYTES)
                yield header[:4] + UNKNOWN + header[8:-4] + UNKNOWN
            while file and (piece := file.read(PIECE)):
                yield piece
            if not running:
                return
            await asyncio.sleep(POLL_SECONDS)


def _is_of(path: Path, job: jobs.Job) -> bool:
    """Whether the file is there and not from before the job."""
    try:
        return os.stat(path).st_mtime > job.began - CLOCK_SECONDS
    except OSError:
        return False
