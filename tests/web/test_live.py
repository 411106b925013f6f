"""A stream is heard while it is made, and ends when nobody listens any more."""

from __future__ import annotations

import asyncio
import http.client
import struct
import time
from pathlib import Path

import pytest

from music_composer.web import jobs, live, resuming
from tests.web.page import Page

pytestmark = pytest.mark.journey

ENDLESS = {"stream": True, "endless": True, "name": "stream", "seed": 3}


def listen(server: Page, job: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", f"/api/jobs/{job}/sound", headers={"Cookie": server.cookie})
    return connection.getresponse()


def test_a_stream_is_heard_before_it_has_ended_and_ends_with_its_last_listener(server: Page, home: Path) -> None:
    job = server.start("generate", **ENDLESS)
    first, second = listen(server, job), listen(server, job)
    assert first.getheader("content-type") == "audio/wav"
    heard = first.read(200_000)
    assert server.ask("GET", f"/api/jobs/{job}")[1]["state"] == "running"
    assert second.read(200_000) == heard
    assert heard[:4] == b"RIFF" and struct.unpack("<I", heard[76:80])[0] == 2**32 - 1, "as long as it goes on"
    first.close()
    time.sleep(live.UNHEARD_SECONDS + 1)
    assert server.ask("GET", f"/api/jobs/{job}")[1]["state"] == "running", "somebody listens"
    second.close()
    server.until(job, "done", live.UNHEARD_SECONDS + 5)
    assert (home / "stream-0.wav").read_bytes()[80:][: len(heard) - 80] == heard[80:]


def test_a_stream_with_an_end_is_heard_to_it(server: Page, home: Path) -> None:
    job = server.start("generate", stream=True, seconds=1, name="short", seed=3)
    heard = listen(server, job).read()
    server.until(job, "done")
    assert heard[80:] == (home / "short-0.wav").read_bytes()[80:]


def test_an_older_file_of_that_name_is_not_what_is_heard(server: Page, home: Path) -> None:
    for seed in (4, 5):
        job = server.start("generate", stream=True, seconds=1, name="again", seed=seed)
        heard = listen(server, job).read()
        server.until(job, "done")
        assert heard[80:] == (home / "again-0.wav").read_bytes()[80:]


def test_what_does_not_stream_has_no_sound(server: Page) -> None:
    job = server.start("info")
    assert listen(server, job).status == listen(server, "20261127-000000-abcdef").status == 404


def test_without_its_page_a_stream_ends(home: Path) -> None:
    page = Page(home)
    job = page.start("generate", **{**ENDLESS, "name": "alone"})
    assert listen(page, job).read(1000)
    page.process.terminate()
    page.process.wait(20)
    end = time.monotonic() + 20
    while jobs.read(home, job).state == jobs.RUNNING:
        assert time.monotonic() < end
        time.sleep(0.1)
    page.close()


def test_a_stream_that_nobody_ever_listens_to_is_ended(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page may be closed before its first sound, or its server killed."""
    monkeypatch.setattr(live, "START_LISTENING_SECONDS", 0.5)
    listeners = live.Listeners(home)
    job = jobs.begin(home, ["generate", "--stream", "--endless", "--output-music-name=unheard"])

    async def wait() -> None:
        for _ in range(2):
            listeners.watch(job)
        await asyncio.sleep(0.7)

    asyncio.run(wait())
    end = time.monotonic() + 30
    while jobs.read(home, job.id).state == jobs.RUNNING:
        assert time.monotonic() < end
        time.sleep(0.1)


def begun(done: int) -> list[dict[str, object]]:
    return [{"event": "progress", "stage": "training", "done": done, "total": 9}]


def test_a_training_that_began_anew_goes_on_from_its_new_weights(tmp_path: Path) -> None:
    words = ["train", "--fresh", "--epochs=9"]
    assert resuming.resumed(words, begun(3), tmp_path) == ["train", "--epochs=9"]
    assert resuming.resumed(words, begun(0), tmp_path) == words, "the old weights are still there"


def test_an_evolution_goes_on_from_the_networks_that_it_saved(tmp_path: Path) -> None:
    words = ["midi", "evolve", "--load=old.json", "--load-best=3", "--save", "--", "a.mid"]
    written = [{"event": "written", "path": f"outputs/one/output_{i}.mid"} for i in (10, 20)]
    assert resuming.resumed(words, written, tmp_path) == words, "nothing was saved"
    (tmp_path / "outputs" / "one").mkdir(parents=True)
    (tmp_path / "outputs" / "one" / "models.json").write_text("{}")
    wanted = ["midi", "evolve", "--load=outputs/one/models.json", "--save", "--", "a.mid"]
    assert resuming.resumed(words, written, tmp_path) == wanted
