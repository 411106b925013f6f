"""Draws the pictures of docs/guide-web.md: `python docs/draw_page.py`.

It serves a folder with songs of the demonstration, trains, composes and evolves on the page in Chromium, and takes
pictures of it. Needs Debian's Chromium and Playwright's Python package; takes about two minutes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import expect, sync_playwright

from music_composer.demo.dataset import write_dataset
from music_composer.demo.score import write_scores

HERE = Path(__file__).parent
SECONDS = 180_000  # milliseconds for the longest job


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "my music"
        _write_music(home)
        words = [sys.executable, "-m", "music_composer", "web", str(home), "--no-browser"]
        server = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        assert server.stderr
        try:
            address = server.stderr.readline().split()[-1]
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
                _draw(browser, address)
        finally:
            server.kill()


def _write_music(home: Path) -> None:
    dataset = home / "input_music_dataset"
    dataset.mkdir(parents=True)
    write_dataset(dataset, seed=1, minutes=1.5)
    write_scores(dataset, seed=1, count=3)


def _draw(browser: Any, address: str) -> None:
    expect.set_options(timeout=SECONDS)
    tab = browser.new_context(viewport={"width": 1280, "height": 860}, color_scheme="dark").new_page()
    tab.goto(address)
    _audio(tab)
    tab.emulate_media(color_scheme="light")
    _evolve(tab)
    phone = tab.context.browser.new_context(viewport={"width": 390, "height": 780}, color_scheme="dark").new_page()
    phone.goto(address)
    phone.wait_for_selector("#room-audio form")
    phone.screenshot(path=HERE / "page-phone.png")


def _card(tab: Any, room: str, card: str) -> Any:
    tab.click(f"#tab-{room}")
    tabs = tab.locator(f"#room-{room} .cards [role=tab]")
    if tabs.count() > 1:
        tabs.get_by_text(card, exact=True).click()
    return tab.locator(f'#room-{room} form[aria-label="{card}"]')


def _run(tab: Any, form: Any) -> Any:
    """Starts the command of a form and waits for its end."""
    with tab.expect_response(lambda answer: answer.url.endswith("/api/jobs")) as answered:
        form.get_by_role("button", name="Start").click()
    job = tab.locator(f'#jobs > li[data-job="{answered.value.json()["id"]}"]')
    expect(job.locator(".state")).to_have_text("done")
    return job


def _audio(tab: Any) -> None:
    """A network is trained and continues a recording."""
    form = _card(tab, "audio", "Train")
    form.get_by_role("button", name="Small and quick").click()
    form.get_by_label("--epochs").fill("12")
    form.get_by_label("--sample-every").fill("6")
    _run(tab, form)
    form = _card(tab, "audio", "Continue")
    form.get_by_role("button", name="One of 10 s").click()
    form.get_by_label("--prompt, 1").fill("input_music_dataset/piece-01.wav")
    _run(tab, form)
    tab.locator("#results summary").first.click()
    expect(tab.locator("#results canvas.spectrum")).to_be_visible()
    tab.wait_for_timeout(1500)
    tab.evaluate("scrollTo(0, 0)")
    tab.screenshot(path=HERE / "page-audio.png")


def _evolve(tab: Any) -> None:
    """Two evolutions beside each other, and the roll of the better piece."""
    form = _card(tab, "evolve", "Evolve")
    form.get_by_label("Files, 1").fill("input_music_dataset/piece-01.mid")
    for generations, divergence in (("60", "0.05"), ("60", "0.2")):
        form.get_by_label("--generations").fill(generations)
        form.get_by_label("--weight-divergence").fill(divergence)
        job = _run(tab, form)
    job.locator(".file summary").last.click()
    expect(job.locator("canvas.roll")).to_be_visible()
    tab.set_viewport_size({"width": 1280, "height": 1500})
    tab.evaluate("scrollTo(0, 0)")
    tab.wait_for_timeout(1000)
    tab.screenshot(path=HERE / "page-evolve.png")


if __name__ == "__main__":
    main()
