"""The page in a real browser: Debian's Chromium, where it and Playwright's Python package are installed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.command import tune, write
from tests.symbolic.tunes import write_tune
from tests.web.test_server import Page

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright's Python package is not installed")
CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.journey, pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed")]

QUIET = (  # looks up nothing by itself
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
SECONDS = 30_000  # milliseconds until a journey counts as hanging


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("browser")
    write(home / "input_music_dataset" / "song.wav", tune(4))
    write_tune(home / "tune.mid", 1)
    return home


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture
def tab(browser: Any, folder: Path) -> Iterator[Any]:
    """A tab with the page; it must not ask anybody else for anything, nor fail."""
    server = Page(folder, keep_token=True)
    asked, failed = set(), []
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    tab = context.new_page()
    tab.on("request", lambda request: asked.add(urlsplit(request.url).hostname))
    tab.on("pageerror", lambda error: failed.append(str(error)))
    tab.goto(server.address, timeout=SECONDS)
    tab.wait_for_selector("#room-audio details", timeout=SECONDS)
    yield tab
    context.close()
    server.process.kill()
    server.process.wait()
    assert asked <= {"127.0.0.1"} and failed == []


def open_form(tab: Any, room: str, command: str) -> Any:
    tab.click(f"#tab-{room}")
    tab.get_by_text(f"music-composer {command}".strip(), exact=True).first.click()
    return tab.locator(f'form[data-command="{command}"]')


def test_the_token_leaves_the_address(tab: Any) -> None:
    assert tab.url.endswith("/") and "token" not in tab.url


def test_networks_are_evolved_stopped_and_seen_after_a_reload(tab: Any, folder: Path) -> None:
    form = open_form(tab, "evolve", "midi evolve")
    form.locator("input").first.fill("tune.mid")
    form.get_by_text("Evolution", exact=True).click()
    form.get_by_label("--generations").fill("1000000")
    playwright.expect(form.locator("code")).to_have_text("music-composer midi evolve --generations=1000000 -- tune.mid")
    form.get_by_role("button", name="Start").click()
    job = tab.locator("#jobs > li").first
    playwright.expect(job.locator("strong")).to_have_text("running", timeout=SECONDS)
    playwright.expect(job.locator("canvas")).to_be_visible(timeout=SECONDS)
    tab.reload()
    job = tab.locator("#jobs > li").first
    playwright.expect(job.locator("canvas")).to_be_visible(timeout=SECONDS)
    job.get_by_role("button", name="Stop").click()
    playwright.expect(job.locator("strong")).to_have_text("stopped", timeout=SECONDS)
    assert list(folder.glob("outputs/*/*.mid"))


def test_an_option_out_of_range_gets_the_line_of_the_command_beside_it(tab: Any) -> None:
    form = open_form(tab, "audio", "train")
    form.get_by_role("button", name="Small and quick").click()
    playwright.expect(form.locator("code")).to_have_text(re.compile("--epochs=4"))
    form.get_by_label("-e").or_(form.get_by_label("--epochs")).first.fill("0")
    playwright.expect(form.get_by_role("alert")).to_have_text(re.compile("-e/--epochs is 0"))


def test_a_recording_is_added_seen_and_a_gap_is_dragged_on_it(tab: Any, folder: Path) -> None:
    sound = {"name": 'My "best" süng.wav', "mimeType": "audio/wav"}
    data = (folder / "input_music_dataset" / "song.wav").read_bytes()
    tab.set_input_files("#upload", [{**sound, "buffer": data}])
    entry = tab.locator("#recordings > li", has_text="süng.wav")
    entry.locator("summary").click(timeout=SECONDS)
    playwright.expect(entry.get_by_label("from, seconds")).to_be_visible(timeout=SECONDS)
    box = entry.locator("canvas").bounding_box()
    tab.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 20)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
    tab.mouse.up()
    assert float(entry.get_by_label("from, seconds").input_value()) == pytest.approx(1.0, abs=0.02)
    assert float(entry.get_by_label("to, seconds").input_value()) == pytest.approx(2.0, abs=0.02)
    entry.get_by_role("button", name="Fill the gap").click()
    form = tab.locator('form[data-command="generate"]')
    playwright.expect(form.locator("code")).to_have_text(re.compile("--infill=.* --from=1.* --to=2"), timeout=SECONDS)


def test_a_text_that_is_called_a_recording_says_so(tab: Any) -> None:
    tab.set_input_files("#upload", [{"name": "letter.wav", "mimeType": "audio/wav", "buffer": b"Dear diary"}])
    tab.locator("#recordings > li", has_text="letter.wav").locator("summary").click(timeout=SECONDS)
    playwright.expect(tab.locator("#upload-said")).to_have_text(re.compile("letter.wav"), timeout=SECONDS)
