"""How soon the page is there, and what it needs; the figures of docs/results.md.

    python benchmarks/web/page_speed.py [--upload 500]

Serves an empty folder. Prints the seconds from the command to the first answer, to the page drawn in Chromium, and to
twelve tabs drawn; the memory of the server; what an upload of so many MB adds to it; and how soon a training that is
stopped has answered and has ended. Needs Debian's Chromium and
Playwright's Python package; Linux only, for the memory.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from music_composer.audio.wav import HEADER_BYTES, wav_header
from music_composer.demo.dataset import write_dataset

TABS = 12
PIECE = 1_000_000  # bytes that are sent at once
DRAWN = "#room-audio form"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upload", type=int, default=500, help="MB")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        words = [sys.executable, "-m", "music_composer", "web", folder, "--no-browser"]
        server = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        try:
            assert server.stderr
            address = server.stderr.readline().split()[-1]
            port, cookie = _cookie(address)
            print(f"first answer after {time.monotonic() - started:.1f} s")
            _tabs(address, started)
            before = _memory(server.pid)
            print(f"memory of the server {before / 1e6:.0f} MB")
            seconds = _upload(port, cookie, options.upload * 1_000_000)
            print(f"upload of {options.upload} MB: {seconds:.1f} s, {(_memory(server.pid) - before) / 1e6:.1f} MB more")
            (Path(folder) / "few").mkdir()
            write_dataset(Path(folder) / "few", seed=1, minutes=0.5)
            answered, ended = _stop(port, cookie)
            print(f"Stop of a training: answered after {answered:.2f} s, ended after {ended:.1f} s")
        finally:
            server.kill()


def _stop(port: int, cookie: str) -> tuple[float, float]:
    """Seconds until Stop is answered, and until a training that has begun to learn has saved and ended."""

    def ask(method: str, path: str, body: str | None = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request(method, path, body, {"Cookie": cookie, "Origin": f"http://127.0.0.1:{port}"})
        return json.loads(connection.getresponse().read())

    values = {"datasets": "few", "head": "flow", "epochs": 1000}
    job = f"/api/jobs/{ask('POST', '/api/jobs', json.dumps({'command': 'train', 'values': values}))['id']}"
    while not any(event.get("values") for event in ask("GET", job)["events"]):
        time.sleep(0.1)
    started = time.monotonic()
    ask("POST", f"{job}/stop")
    answered = time.monotonic() - started
    while ask("GET", job)["state"] == "running":
        time.sleep(0.05)
    return answered, time.monotonic() - started


def _cookie(address: str) -> tuple[int, str]:
    match = re.search(r":(\d+)(/\S+)", address)
    assert match
    connection = http.client.HTTPConnection("127.0.0.1", int(match[1]))
    connection.request("GET", match[2])
    return int(match[1]), (connection.getresponse().getheader("set-cookie") or "").partition(";")[0]


def _tabs(address: str, started: float) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        window, opened = browser.new_context(), time.monotonic()
        for number in range(TABS):
            tab = window.new_page()
            tab.goto(address)
            tab.wait_for_selector(DRAWN)
            if not number:
                print(f"page drawn {time.monotonic() - opened:.1f} s after it was opened")
        print(f"{TABS} tabs drawn after {time.monotonic() - opened:.1f} s")
        browser.close()


def _memory(process: int) -> int:
    """The most memory that a process has had, in bytes."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _upload(port: int, cookie: str, size: int) -> float:
    """Seconds to upload silence."""
    connection, started = http.client.HTTPConnection("127.0.0.1", port), time.monotonic()
    headers = {"Cookie": cookie, "Origin": f"http://127.0.0.1:{port}", "Content-Length": str(size)}
    connection.request("PUT", "/api/dataset/large.wav", _silence(size), headers)
    assert connection.getresponse().status == 200
    return time.monotonic() - started


def _silence(size: int) -> Iterator[bytes]:
    yield wav_header(size - HEADER_BYTES, 44100, 2, "PCM_16")
    for first in range(HEADER_BYTES, size, PIECE):
        yield bytes(min(PIECE, size - first))


if __name__ == "__main__":
    main()
