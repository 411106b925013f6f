"""The page as a whole in Chromium: forms, tabs, other sites, accessibility, the keyboard, narrow windows."""

from __future__ import annotations

import functools
import http.server
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from music_composer.files.locks import locked
from music_composer.web.forms import forms, rooms
from tests.web.page import Page
from tests.web.steps import entry_of, expect, open_card, open_everything, press_start, ran_in_a_shell, state_of

pytestmark = pytest.mark.journey
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
FOCUSED = """(({ariaLabel, labels, innerText}) =>
    ariaLabel || [...(labels ?? [])].map((label) => label.innerText).join() || innerText)(document.activeElement)"""
RULES, COLOURS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], ["color-contrast"]


def test_the_token_leaves_the_address(tab: Any) -> None:
    assert "token" not in tab.url


def test_every_option_of_every_command_is_a_field_with_its_default(tab: Any) -> None:
    open_everything(tab)
    fields = tab.evaluate("""() => [...document.querySelectorAll('form')].map((form) => ({
        command: form.dataset.command,
        options: Object.fromEntries([...form.querySelectorAll('.field')].map((field) => {
            const control = field.querySelector('input, select');
            const flag = (field.querySelector('label code, legend code')?.textContent ?? '').trim();
            const shown = control.type === 'checkbox' ? control.checked
                : control.type === 'range' ? control.value : control.placeholder ?? control.options[0].text;
            return [flag || field.querySelector('legend, label').textContent, {shown, group: field.tagName}];
        })),
    }))""")
    wanted = {form["name"]: form for form in forms()}
    assert sorted(each["command"] for each in fields) == sorted(
        card["command"] for cards in rooms().values() for card in cards
    )
    for form in fields:
        command = wanted[form["command"]]
        options = {each["flag"]: each for section in command["sections"] for each in section["options"]}
        assert set(options) <= set(form["options"]) and len(form["options"]) == len(options) + len(command["files"])
        for flag, option in options.items():
            shown = form["options"][flag]["shown"]
            if option["kind"] == "flag":
                assert shown in (option["default"], True), "or what its card begins with"
            elif option["default"] is not None:
                assert str(shown).removesuffix(" (default)") == str(option["default"]).removesuffix(".0"), flag


def test_what_is_shown_is_what_is_copied_and_what_runs(tab: Any, home: Path) -> None:
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    form = open_card(tab, "midi", "Render")
    form.get_by_label("Files, 1").fill("tune.mid")
    form.get_by_label("nes").check()
    form.get_by_text("All options").click()
    form.get_by_label("--output").fill('out of "quotes" & ünder')
    shown = form.locator(".shown")
    expect(shown).to_contain_text("--voice=nes")
    expect(shown).to_contain_text("quotes")
    form.get_by_role("button", name="Copy").click()
    expect(form.get_by_role("status")).to_have_text("copied")
    assert tab.evaluate("navigator.clipboard.readText()") == shown.inner_text()
    form.get_by_label("organ").check()  # and Start before the page has asked what that makes of the command
    job = press_start(tab, form)
    expect(state_of(job)).to_have_text("done")
    expect(shown).to_contain_text("--voice=organ")
    assert job.locator("code").first.inner_text() == shown.inner_text()
    made = home / 'out of "quotes" & ünder' / "tune.wav"
    through_page = made.read_bytes()
    made.unlink()
    ran_in_a_shell(shown.inner_text(), home)
    assert made.read_bytes() == through_page


def test_an_answer_that_comes_late_changes_nothing(tab: Any) -> None:
    form = open_card(tab, "audio", "Train")
    expect(form.locator(".shown")).to_have_text("music-composer train")
    held: list[Any] = []
    tab.route("**/api/check", lambda route: route.continue_() if held else held.append(route))
    form.get_by_label("--epochs").fill("1")
    tab.wait_for_timeout(400)
    form.get_by_label("--epochs").fill("2")
    expect(form.locator(".shown")).to_have_text("music-composer train --epochs=2")
    held[0].continue_()
    tab.wait_for_timeout(500)
    expect(form.locator(".shown")).to_have_text("music-composer train --epochs=2")


def test_a_reload_and_other_tabs_see_the_same(open_tab: Callable[..., Any], home: Path) -> None:
    tab = open_tab()
    with locked(home / "train_data"):  # so that the job waits as long as it is looked at
        form = open_card(tab, "audio", "Train")
        form.get_by_role("button", name="No network").click()
        form.get_by_text("All options").click()
        form.get_by_label("--wait").check()
        job = press_start(tab, form)
        expect(job.locator(".words")).to_contain_text("train_data is in use")
        name, words = job.get_attribute("data-job"), job.locator(".words").inner_text()
        tab.reload()
        second, *_, twelfth = [open_tab(beside=tab, wait=number in (0, 10)) for number in range(11)]
        for each in (tab, second, twelfth):
            seen = each.locator(f'#jobs > li[data-job="{name}"]')
            expect(state_of(seen)).to_have_text("running")
            expect(seen.locator(".words")).to_have_text(words)
        seen.get_by_role("button", name="Stop").click()
        expect(state_of(tab.locator(f'#jobs > li[data-job="{name}"]'))).to_have_text("stopped")


class Hostile(http.server.SimpleHTTPRequestHandler):
    """Another site on this machine; it says nothing of what it is asked."""

    def log_message(self, *told: Any) -> None:
        pass


@pytest.fixture
def elsewhere(tmp_path: Path, server: Page) -> Iterator[str]:
    """A page of another site that tries to use ours: by a form, fetch, XMLHttpRequest, a frame and a WebSocket."""
    ours = f"http://127.0.0.1:{server.port}"
    (tmp_path / "index.html").write_text(f"""<!doctype html><title>elsewhere</title>
        <form id=form method=post enctype=text/plain action={ours}/api/jobs target=frame>
        <input name='{{"command": "info", "values": {{}}, "x": "' value='"}}'></form>
        <iframe name=frame></iframe><iframe id=framed src={ours}/></iframe>
        <script>
        const filled = JSON.stringify({{command: "info", values: {{}}}});
        const asked = (options) => fetch("{ours}/api/jobs", {{method: "POST", body: filled, credentials: "include",
            ...options}}).then((answer) => answer.text(), (error) => "refused");
        form.submit();
        const socket = new Promise((resolve) => {{
            const opened = new WebSocket("{ours.replace("http", "ws")}/api/jobs");
            opened.onopen = () => resolve("opened");
            opened.onerror = () => resolve("refused");
        }});
        const read = fetch("{ours}/api/state", {{credentials: "include"}}).then((answer) => answer.text(),
            () => "refused");
        const simple = asked({{}}), typed = asked({{headers: {{"content-type": "application/json"}}}});
        const opaque = asked({{mode: "no-cors"}}).then(() => "refused");
        window.done = Promise.all([socket, read, simple, typed, opaque]);
        </script>""")
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Hostile, directory=str(tmp_path)))
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_address[1]}/index.html"
    served.shutdown()


def test_another_site_starts_nothing_and_reads_nothing(
    open_tab: Callable[..., Any], server: Page, elsewhere: str
) -> None:
    tab = open_tab()
    before = len(tab.evaluate("fetch('/api/state').then((answer) => answer.json())")["jobs"])
    other = tab.context.new_page()
    other.goto(elsewhere)
    assert other.evaluate("window.done") == ["refused"] * 5
    assert len(tab.evaluate("fetch('/api/state').then((answer) => answer.json())")["jobs"]) == before
    framed = next(frame for frame in other.frames if f":{server.port}" in frame.url or "chrome-error" in frame.url)
    assert "music-composer" not in framed.content()


def test_no_script_of_a_result_runs(tab: Any, home: Path, server: Page) -> None:
    """A page among the results may come from elsewhere."""
    script = "parent.postMessage('ran'); top.document.title = 'ran'; document.title = 'ran'"
    (home / "report.html").write_text(f'<title>quiet</title><script>{script}</script><img src=x onerror="{script}">')
    entry = entry_of(tab, "results", "report.html")
    entry.locator("summary").click()
    entry.locator("iframe").wait_for()
    tab.wait_for_timeout(500)
    assert tab.title() == "music-composer"
    with tab.context.expect_page() as opened:
        entry.get_by_role("link", name="Open it by itself").click()
    opened.value.wait_for_load_state()
    assert opened.value.title() == "quiet"
    (home / "report.html").unlink()


def test_another_name_of_this_machine_is_refused(open_tab: Callable[..., Any], server: Page) -> None:
    """DNS rebinding: the browser takes evil.test for this machine."""
    tab = open_tab()
    other = tab.context.browser.new_context().new_page()
    answer = other.goto(server.address.replace("127.0.0.1", "evil.test"))
    assert answer.status == 421
    other.context.close()


def test_axe_finds_nothing(tab: Any) -> None:
    """Every card of every room at once, with all that folds unfolded; the colours by light and by darkness."""
    tab.evaluate(AXE.read_text(encoding="utf-8"))
    open_everything(tab)
    tab.evaluate("document.querySelectorAll('[role=tabpanel]').forEach((each) => (each.hidden = false))")
    for scheme, only in (("light", {"type": "tag", "values": RULES}), ("dark", {"type": "rule", "values": COLOURS})):
        tab.emulate_media(color_scheme=scheme)
        found = tab.evaluate("(runOnly) => axe.run({runOnly})", only)
        assert len(found["passes"]) >= len(only["values"])
        told = [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found["violations"]]
        assert told == [], scheme


def test_everything_is_done_by_the_keyboard_alone(tab: Any, home: Path) -> None:
    def tab_to(words: str) -> None:
        """Presses the tabulator until what has the focus bears these words."""
        for _ in range(400):
            tab.keyboard.press("Tab")
            if re.search(words, tab.evaluate(FOCUSED) or "", re.IGNORECASE):
                return
        raise AssertionError(f"nothing that says {words!r} can be reached")

    tab.locator("#tab-audio").focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowRight")
    expect(tab.locator("#room-evolve")).to_be_visible()
    tab_to("Files, 1")
    tab.keyboard.type("tune.mid")
    tab_to("--generations")
    tab.keyboard.type("1000000")
    tab_to("Start")
    tab.keyboard.press("Enter")
    job = tab.locator("#jobs > li").first
    expect(state_of(job)).to_have_text("running")
    tab_to("Stop")
    tab.keyboard.press("Enter")
    expect(state_of(job)).to_have_text("stopped")
    tab.locator("#tab-evolve").focus()
    tab.keyboard.press("ArrowLeft")
    tab_to("Train")
    tab.keyboard.press("ArrowRight")
    expect(tab.locator('form[aria-label="Compose"]')).to_be_visible()
    tab.wait_for_timeout(1000)  # for what the evolution has written
    if tab.locator("#more-results").is_visible():
        tab_to("Show all results")
        tab.keyboard.press("Enter")
    tab_to(r"^tune\.mid")
    tab.keyboard.press("Enter")
    tab_to("piano roll")
    before = tab.evaluate("document.activeElement.scrollWidth")
    tab.keyboard.press("+")
    assert tab.evaluate("document.activeElement.scrollWidth") > before


def test_a_narrow_window_scrolls_one_way_only(open_tab: Callable[..., Any]) -> None:
    tab = open_tab(viewport={"width": 390, "height": 800})
    open_everything(tab)
    for room in ("audio", "midi", "evolve"):
        tab.click(f"#tab-{room}")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
