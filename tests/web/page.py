"""A running server of the page, and requests to it as a browser makes them."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from music_composer.web import jobs

# The server, which says on standard error whom it looks up: nobody.
SERVER = """
import sys
names = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
sys.addaudithook(lambda event, told: event in names and print("looked up", told, file=sys.stderr, flush=True))
from music_composer.__main__ import main
main()
"""


class Page:
    """A running server, and requests with the cookie of its page."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, "web", str(folder), "--no-browser"],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr
        line = self.process.stderr.readline()
        port, token = re.search(r"127\.0\.0\.1:(\d+)/\?token=(\S+)", line).groups()  # type: ignore[union-attr]
        self.port, self.address = int(port), line.split()[-1]
        _, headers, _ = self.raw("GET", f"/?token={token}", {})
        self.cookie = headers["set-cookie"].partition(";")[0]

    def raw(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> tuple[int, Any, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        sent = {"Cookie": self.cookie, "Origin": f"http://127.0.0.1:{self.port}", **headers}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        status, _, content = self.raw(method, path, sent, data)
        return status, json.loads(content) if content.startswith((b"{", b"[")) else content

    def until(self, job: str, state: str, seconds: float = 60.0) -> Any:
        """What is told of a job once it is in that state."""
        end = time.monotonic() + seconds
        while (told := self.ask("GET", f"/api/jobs/{job}")[1])["state"] != state:
            assert told["state"] == "running" and time.monotonic() < end, told
            time.sleep(0.05)
        return told

    def start(self, command: str, **values: Any) -> str:
        """Starts a job; returns its name."""
        status, job = self.ask("POST", "/api/jobs", {"command": command, "values": values})
        assert status == 200, job
        return str(job["id"])

    def close(self) -> None:
        """Kills the server, which must have looked up nobody, and what a test that failed has left running."""
        self.process.kill()
        for job in jobs.jobs(self.folder):
            if job.state == jobs.RUNNING:
                os.kill(int((self.folder / jobs.FOLDER / job.id / jobs.PID).read_text()), signal.SIGKILL)
        _, said = self.process.communicate()
        assert "looked up" not in said, said
