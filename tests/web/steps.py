"""What somebody does on the page, in a few words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any


def open_card(tab: Any, room: str, card: str) -> Any:
    """The form of a card."""
    tab.click(f"#tab-{room}")
    panel = tab.locator(f"#room-{room}")
    if panel.locator("[role=tab]").count() > 1:
        panel.get_by_role("tab", name=card, exact=True).click()
    return panel.locator(f'form[aria-label="{card}"]')


def open_everything(tab: Any) -> None:
    """Makes the form of each card, and unfolds all that folds."""
    tab.evaluate("document.querySelectorAll('.cards [role=tab]').forEach((each) => each.click())")
    # Again and again: a list that is made anew meanwhile is folded.
    tab.wait_for_function(
        """() => {
            const folds = [...document.querySelectorAll("details")];
            const open = folds.every((each) => each.open && each.childElementCount > 1);
            folds.forEach((each) => (each.open = true));
            return open;
        }"""
    )


def press_start(tab: Any, form: Any) -> Any:
    """Starts the command of a form; returns the job as the page shows it."""
    with tab.expect_response(lambda answer: answer.url.endswith("/api/jobs")) as answered:
        form.get_by_role("button", name="Start").click()
    assert answered.value.ok, answered.value.text()
    return tab.locator(f'#jobs > li[data-job="{answered.value.json()["id"]}"]')


def entry_of(tab: Any, where: str, name: str | re.Pattern[str]) -> Any:
    """A file of the whole list `music` or `results`, by a part of its name or a pattern for it."""
    expect(tab.locator("#folder")).not_to_be_empty()  # the first answer of the server is on the page
    more = tab.locator(f"#more-{where}")
    if where == "results" and more.is_visible():
        more.click()
        expect(more).to_be_hidden()  # with the next answer, which brings the rest
    return tab.locator(f"#{where} > li").filter(has=tab.locator(".name", has_text=name))


def state_of(job: Any) -> Any:
    return job.locator(".state")


def expect(found: Any) -> Any:
    """Playwright's expectations, which are waited for."""
    from playwright.sync_api import expect as wanted

    wanted.set_options(timeout=120_000)
    return wanted(found)


def ran_in_a_shell(command: str, folder: Path) -> None:
    """Runs what the page has shown as somebody does who has copied it."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(["bash", "-c", command], cwd=folder, check=True, env={**os.environ, "PATH": path})
