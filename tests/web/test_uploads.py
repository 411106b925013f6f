"""Uploads over HTTP that go wrong, or are large; and files that are asked for in pieces."""

from __future__ import annotations

import http.client
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from music_composer.audio.wav import wav_header
from tests.web.page import Page

pytestmark = pytest.mark.journey

DATASET = "input_music_dataset"
LARGE = 100_000_000  # bytes


def put(server: Page, name: str, body: Iterator[bytes], size: int) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {"Cookie": server.cookie, "Origin": f"http://127.0.0.1:{server.port}", "Content-Length": str(size)}
    connection.request("PUT", f"/api/dataset/{name}", body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def silence(size: int) -> Iterator[bytes]:
    """A WAV of so many bytes."""
    header = wav_header(size - 80, 44100, 2, "PCM_16")
    yield header
    left = size - len(header)
    while left:
        yield bytes(min(left, 1_000_000))
        left -= min(left, 1_000_000)


def memory_of(server: Page) -> int:
    """The most memory that the server has ever had, in bytes."""
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory of a process is not told here")
def test_a_large_upload_is_never_in_memory(server: Page, home: Path) -> None:
    assert put(server, "small.wav", silence(100_000), 100_000)[0] == 200
    before = memory_of(server)
    assert put(server, "large.wav", silence(LARGE), LARGE)[0] == 200
    assert (home / DATASET / "large.wav").stat().st_size == LARGE
    assert memory_of(server) - before < 20_000_000


def test_a_full_disk_is_one_line_and_leaves_nothing(server: Page, home: Path) -> None:
    before = set((home / DATASET).iterdir())
    limits = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (3_000_000, limits[1]))
    try:
        status, said = put(server, "full.wav", silence(9_000_000), 9_000_000)
    finally:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limits)
    assert status == 400 and b"full.wav cannot be written" in said
    assert set((home / DATASET).iterdir()) == before


def test_an_upload_that_is_cut_off_leaves_nothing(server: Page, home: Path) -> None:
    before = set((home / DATASET).iterdir())
    with socket.create_connection(("127.0.0.1", server.port)) as sent:
        head = f"PUT /api/dataset/cut.wav HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nCookie: {server.cookie}\r\n"
        head += f"Origin: http://127.0.0.1:{server.port}\r\nContent-Length: 5000000\r\n\r\n"
        sent.sendall(head.encode() + bytes(2_000_000))
        until(lambda: len(set((home / DATASET).iterdir())) > len(before))
    until(lambda: set((home / DATASET).iterdir()) == before)


def until(reached: object) -> None:
    end = time.monotonic() + 20
    while not reached():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("huge.wav", 5_000_000_000, "there is room for 4000 MB"),
        ("song 0.wav", 100, "song 0.wav is already there"),
        ("notes.txt", 100, "no name of a recording"),
        ("a.wav", None, "must be announced"),
    ],
)
def test_a_file_is_refused_before_it_is_sent(server: Page, name: str, size: int | None, words: str) -> None:
    status, answer = server.ask("POST", "/api/room", {"name": name, "bytes": size})
    assert status == 400 and words in answer["error"]


def test_a_file_that_is_to_be_replaced_may_be_sent(server: Page) -> None:
    assert server.ask("POST", "/api/room", {"name": "song 0.wav", "bytes": 100, "replace": True}) == (200, {})


def test_thousands_of_ranges_get_one_answer(server: Page, home: Path) -> None:
    """Each range of a multipart answer costs its headers: a small request would be answered by a very large one."""
    (home / "many.wav").write_bytes(bytes(100_000))
    ranges = ",".join(f"{i}-{i}" for i in range(0, 8000, 2))
    for asked in (ranges, ",".join(["0-99999"] * 2000)):
        status, _, content = server.raw("GET", "/files/many.wav", {"Cookie": server.cookie, "Range": f"bytes={asked}"})
        assert status in (200, 206, 400, 416) and len(content) <= 110_000, (status, len(content))
