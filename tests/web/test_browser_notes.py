"""The rooms of notes in Chromium: compose, render, the piano roll, and evolutions beside each other."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from music_composer.symbolic.notation.score_file import read_score
from tests.web.steps import entry_of, expect, open_card, press_start, state_of

pytestmark = pytest.mark.journey

TUNE = re.compile("^tune.mid$")  # and not one that an evolution has written into its folder


def evolve(tab: Any, generations: int, seed: int = 1) -> Any:
    """An evolution as the page shows it."""
    form = open_card(tab, "evolve", "Evolve")
    form.get_by_label("Files, 1").fill("tune.mid")
    form.get_by_label("--generations").fill(str(generations))
    form.get_by_label("--models").fill("20")
    form.get_by_label("--select-models").fill("10")
    form.get_by_label("--seed").fill(str(seed))
    return press_start(tab, form)


def ratings_of(job: Any) -> list[float]:
    """What the chart of an evolution draws, a point for each generation."""
    points = job.locator("canvas.chart").evaluate("(chart) => chart.lines.get('best rating')")
    assert [at for at, _ in points] == list(range(1, len(points) + 1))
    return [value for _, value in points]


def test_evolutions_are_drawn_as_they_were_and_beside_each_other(tab: Any, home: Path) -> None:
    jobs = [evolve(tab, generations, seed) for seed, generations in ((1, 12), (2, 7))]
    drawn = []
    for job in jobs:
        expect(state_of(job)).to_have_text("done")
        expect(job.locator(".file")).not_to_have_count(0)
        folder = (home / job.locator(".file .name").first.inner_text()).parent
        ratings = json.loads((folder / "evolution.json").read_text())["ratings"]
        assert ratings_of(job) == ratings
        drawn.append(ratings)
    chart = tab.locator("#room-evolve section canvas.chart")
    lines = chart.evaluate("(chart) => [...chart.lines.values()].map((line) => line.map(([, value]) => value))")
    assert lines[:2] == drawn[::-1], "the newest first"
    legend = tab.locator("#room-evolve section .legend li")
    expect(legend.first).to_contain_text("--generations=7")


def test_an_evolution_is_stopped_with_its_result_and_goes_on_from_it(tab: Any, home: Path) -> None:
    job = evolve(tab, 1_000_000)
    expect(job.locator("canvas.chart")).to_be_visible()
    job.get_by_role("button", name="Stop").click()
    expect(state_of(job)).to_have_text("stopped")
    expect(job.locator(".file")).not_to_have_count(0)
    piece = home / job.locator(".file .name").last.inner_text()
    assert piece.is_file() and (piece.parent / "models.json").is_file()
    with tab.expect_response(lambda answer: answer.url.endswith("/continue")) as answered:
        job.get_by_role("button", name="Continue").click()
    again = answered.value.json()
    assert f"--load={piece.parent.relative_to(home)}/models.json" in again["shown"]
    further = tab.locator(f'#jobs > li[data-job="{again["id"]}"]')
    expect(further.locator("canvas.chart")).to_be_visible()
    assert ratings_of(further)[0] >= 0.9 * ratings_of(job)[-1], "what was learnt is not lost"
    further.get_by_role("button", name="Stop").click()
    expect(state_of(further)).to_have_text("stopped")


def test_the_piano_roll_has_the_notes_of_the_file_and_zooms(tab: Any, home: Path) -> None:
    score = read_score(home / "tune.mid").score
    entry = entry_of(tab, "results", TUNE)
    entry.locator("summary").click()
    roll = entry.locator("canvas.roll")
    expect(roll).to_be_visible()
    drawn = roll.evaluate("(canvas) => canvas.notes")
    wanted = [(int(note["pitch"]), int(note["velocity"])) for part in score.parts for note in part.notes]
    assert [(pitch, velocity) for _, _, pitch, velocity in drawn] == wanted
    frame = entry.locator(".scroll")
    before = frame.evaluate("(frame) => frame.scrollWidth")
    entry.get_by_role("button", name="Zoom in").click()
    wide = frame.evaluate("(frame) => frame.scrollWidth")
    assert wide == pytest.approx(1.5 * before, rel=0.05)
    # What is drawn moves along with the scroll bar.
    picture = "(canvas) => canvas.toDataURL()"
    first = roll.evaluate(picture)
    frame.evaluate("(frame) => { frame.scrollLeft = 200; }")
    tab.wait_for_timeout(200)
    assert roll.evaluate(picture) != first
    entry.get_by_role("button", name="Zoom out").click()
    assert frame.evaluate("(frame) => frame.scrollWidth") == pytest.approx(before, rel=0.05)


def test_notes_are_rendered_and_the_score_is_asked_on_from(tab: Any, home: Path) -> None:
    entry = entry_of(tab, "results", TUNE)
    entry.locator("summary").click()
    entry.get_by_role("button", name="Render it").click()
    form = tab.locator('form[aria-label="Render"]')
    form.get_by_label("nes").check()
    job = press_start(tab, form)
    expect(state_of(job)).to_have_text("done")
    sound = entry_of(tab, "results", "tune.wav")
    sound.locator("summary").click()
    expect(sound.locator("canvas.wave")).to_be_visible()
    with tab.expect_download() as download:
        sound.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_bytes() == (home / "tune.wav").read_bytes()
    entry.get_by_role("button", name="Compose on from it").click()
    compose = tab.locator('form[aria-label="Compose"]')
    expect(compose.locator(".shown")).to_contain_text("--primer-midi=tune.mid")
