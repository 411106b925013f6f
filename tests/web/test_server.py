"""The page over HTTP, as a browser asks it: from the printed address to a result that is heard."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from music_composer.web import jobs
from tests.command import tune, write
from tests.symbolic.tunes import write_tune
from tests.web.page import Page

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("page")
    write(home / "song.wav", tune(2))
    write_tune(home / "tune.mid", 1)
    return home


@pytest.fixture(scope="module")
def page(folder: Path) -> Iterator[Page]:
    opened = Page(folder)
    yield opened
    opened.process.send_signal(signal.SIGINT)
    opened.process.wait(20)


def test_the_page_and_all_that_it_loads_are_ours(page: Page) -> None:
    status, html = page.ask("GET", "/")
    assert status == 200
    found = set(re.findall(rb'(?:href|src)="([^"]+)"', html))
    assert found == {b"/static/icon.svg", b"/static/style.css", b"/static/main.js"}
    for path in found:
        assert page.ask("GET", path.decode())[0] == 200
    script = page.ask("GET", "/static/main.js")[1]
    for path in re.findall(rb'from "([^"]+)"', script):
        assert page.ask("GET", path.decode())[0] == 200
    assert b"http://" not in html + script and b"https://" not in html + script


def test_without_the_cookie_there_is_nothing(page: Page) -> None:
    for path in ("/", "/api/state", "/static/main.js", "/files/song.wav"):
        assert page.raw("GET", path, {})[0] == 403


def test_a_form_is_checked_started_followed_and_its_result_is_seen(page: Page, folder: Path) -> None:
    filled = {"command": "midi render", "values": {"files": ["tune.mid"], "voices": ["nes"]}}
    status, checked = page.ask("POST", "/api/check", filled)
    assert (status, checked["refusal"]) == (200, "")
    assert checked["shown"] == "music-composer midi render --voice=nes -- tune.mid"
    status, job = page.ask("POST", "/api/jobs", filled)
    assert status == 200 and job["shown"] == checked["shown"]
    end = time.monotonic() + 60
    while (told := page.ask("GET", f"/api/jobs/{job['id']}")[1])["state"] == "running":
        assert time.monotonic() < end
        time.sleep(0.1)
    assert told["state"] == "done", told["log"]
    assert [event["path"] for event in told["events"] if event["event"] == "written"] == ["tune.wav"]
    state = page.ask("GET", "/api/state")[1]
    assert "tune.wav" in [each["path"] for each in state["results"]]
    assert state["jobs"][0]["id"] == job["id"]
    seen = page.ask("GET", "/api/waveform/tune.wav")[1]
    assert seen["seconds"] == pytest.approx(14.4, abs=3) and max(seen["most"]) > 0.01 > min(seen["least"])
    assert len(seen["most"]) == len(seen["least"]) <= 1200
    roll = page.ask("GET", "/api/notes/tune.mid")[1]
    assert len(roll["parts"][0]["notes"]) == 30
    status, headers, content = page.raw("GET", "/files/tune.wav", {"Cookie": page.cookie, "Range": "bytes=0-3"})
    assert (status, content, headers["content-range"][:9]) == (206, b"RIFF", "bytes 0-3")


def test_an_error_is_the_line_of_the_command(page: Page) -> None:
    wrong = {"command": "train", "values": {"epochs": 0}}
    assert "-e/--epochs is 0" in page.ask("POST", "/api/check", wrong)[1]["refusal"]
    status, answer = page.ask("POST", "/api/jobs", wrong)
    assert status == 400 and "-e/--epochs is 0" in answer["error"]
    for body in (b"no json", b"[]", b'{"values": 3}', b'{"command": "train"}', b"x" * 200_000):
        assert page.ask("POST", "/api/jobs", body)[0] == 400
    assert page.ask("GET", "/api/jobs/none")[0] == 400
    assert page.ask("GET", "/api/jobs/20261126-120000-abcdef?since=x")[0] == 400


def test_a_file_is_uploaded_seen_and_removed(page: Page, folder: Path) -> None:
    sound, name = (folder / "song.wav").read_bytes(), 'My "best" süng.wav'
    assert page.ask("PUT", f"/api/dataset/{quote(name)}", sound)[0] == 200
    assert (folder / "input_music_dataset" / name).read_bytes() == sound
    status, answer = page.ask("PUT", f"/api/dataset/{quote(name)}", sound)
    assert status == 400 and "already there" in answer["error"]
    assert page.ask("PUT", f"/api/dataset/{quote(name)}?replace=yes", sound)[0] == 200
    path = f"input_music_dataset/{name}"
    assert [(each["path"], each["seconds"]) for each in page.ask("GET", "/api/state")[1]["music"]] == [(path, 2.0)]
    assert page.ask("GET", f"/api/waveform/{quote(path)}")[1]["seconds"] == pytest.approx(2.0, abs=0.01)
    assert page.ask("DELETE", f"/api/files/{quote(path)}")[0] == 200
    assert page.ask("GET", f"/api/waveform/{quote(path)}")[0] == 404
    refused, answer = page.ask("PUT", "/api/dataset/letter.wav", b"Dear diary")
    assert refused == 400 and answer["error"].startswith("letter.wav: not a recording")


@pytest.mark.parametrize(
    "path", ["../page/song.wav", "%2e%2e/x.wav", ".music-composer/jobs", "model/options.json/..", "a%00.wav"]
)
def test_what_is_not_for_the_page_is_not_there(page: Page, path: str) -> None:
    assert page.ask("GET", f"/files/{path}")[0] == 404
    assert page.ask("GET", f"/api/waveform/{path}")[0] == 404


def test_a_killed_server_loses_nothing(folder: Path) -> None:
    first = Page(folder)
    endless = {"generations": 1000000, "models": 20, "files": ["tune.mid"]}
    job = first.ask("POST", "/api/jobs", {"command": "midi evolve", "values": endless})[1]
    first.process.kill()
    first.process.wait()
    second = Page(folder)
    try:
        assert second.ask("GET", f"/api/jobs/{job['id']}")[1]["state"] == "running"
        assert second.ask("POST", f"/api/jobs/{job['id']}/stop")[0] == 200
        end = time.monotonic() + 30
        while (told := second.ask("GET", f"/api/jobs/{job['id']}")[1])["state"] == "running":
            assert time.monotonic() < end
            time.sleep(0.1)
        assert told["state"] == "stopped"
    finally:
        second.process.kill()
        second.process.wait()


def test_the_end_of_the_page_says_what_goes_on(folder: Path) -> None:
    page = Page(folder)
    endless = {"generations": 1000000, "models": 20, "files": ["tune.mid"]}
    job = page.ask("POST", "/api/jobs", {"command": "midi evolve", "values": endless})[1]
    page.process.send_signal(signal.SIGINT)
    _, said = page.process.communicate(timeout=20)
    assert page.process.returncode == 0
    assert f"still running: {job['shown']}" in said
    assert jobs.read(folder, job["id"]).state == jobs.RUNNING
    jobs.stop(folder, job["id"])
