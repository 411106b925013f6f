"""A folder with a model that plays without TensorFlow, and tabs of a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.command import assert_accepted, music_composer, tune, write
from tests.symbolic.tunes import write_tune
from tests.web.page import Page

QUIET = (  # looks up nothing by itself
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--host-resolver-rules=MAP evil.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
SECONDS = 120_000  # milliseconds until a journey counts as hanging


@pytest.fixture(scope="session")
def remembered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a memory was made of two recordings; for copies."""
    home = tmp_path_factory.mktemp("remembered")
    for i in range(2):
        write(home / "input_music_dataset" / f"song {i}.wav", tune(20, seed=i))
    write_tune(home / "tune.mid", 1)
    assert_accepted(music_composer("train", "--head", "memory", "--seed", "1", cwd=home))
    return home


@pytest.fixture(scope="module")
def home(remembered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of its own for each module."""
    return shutil.copytree(remembered, tmp_path_factory.mktemp("home") / "my music")


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Page]:
    """The server of that folder."""
    opened = Page(home)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's Chromium; its tests are skipped without it, or without Playwright's Python package.

    It ends with each module: while it is driven, no other event loop can run in this thread.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright's Python package is not installed")
    # Without a window it takes two thirds of the processor time.
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if not path:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=path, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture
def open_tab(chromium: Any, server: Page) -> Iterator[Callable[..., Any]]:
    """open_tab() opens the page in a tab. No tab may ask anybody else for anything, nor fail."""
    asked, failed = set(), []
    contexts = []

    def watch(tab: Any) -> None:
        tab.on("request", lambda request: asked.add(urlsplit(request.url).hostname))
        tab.on("pageerror", lambda error: failed.append(str(error)))
        tab.on("console", lambda said: failed.append(said.text) if "Content Security Policy" in said.text else None)
        tab.set_default_timeout(SECONDS)

    def opened(beside: Any = None, wait: bool = True, **options: Any) -> Any:
        """beside: a tab of the same browser window. wait: until it is drawn. options: of the window."""
        context = beside.context if beside else chromium.new_context(**{"viewport": WIDE, **options})
        contexts.append(context)
        tab = context.new_page()
        watch(tab)
        tab.goto(server.address, wait_until="load" if wait else "commit")
        if wait:
            tab.wait_for_selector("#room-audio form")
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert asked <= {"127.0.0.1"} and failed == []


WIDE = {"width": 1200, "height": 900}


@pytest.fixture
def tab(open_tab: Callable[..., Any]) -> Any:
    return open_tab()
