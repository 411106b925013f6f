"""The audio room in Chromium: record, train and listen meanwhile, continue, blend, fill a gap, stream, judge."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from music_composer.files.locks import locked
from tests.command import RATE, assert_accepted, music_composer, tune, write
from tests.web.page import Page
from tests.web.steps import entry_of, expect, open_card, press_start, state_of

pytestmark = pytest.mark.journey
DATASET = "input_music_dataset"


def test_a_training_is_heard_stopped_and_ends_with_the_weights_of_one_that_was_not(tab: Any, home: Path) -> None:
    for i in range(2):
        write(home / "few" / f"{i}.wav", tune(6, seed=i, channels=1))
    options = (
        "-d",
        "few",
        "-t",
        "few_data",
        "--head",
        "flow",
        "-n",
        "8",
        "-l",
        "1",
        "-b",
        "4",
        "-e",
        "12",
        "--seed",
        "1",
    )
    assert_accepted(music_composer("train", *options, "-m", "whole", cwd=home))
    form = open_card(tab, "audio", "Train")
    form.get_by_role("button", name="Small and quick").click()
    form.get_by_label("--epochs").fill("12")
    form.get_by_label("--sample-every").fill("3")
    form.get_by_text("All options").click()
    for label, value in (("--hidden-layer-neurons", "8"), ("--batch-size", "4"), ("--seed", "1")):
        form.get_by_label(label).fill(value)
    for label, value in (("--datasets", "few"), ("--traindata", "few_data"), ("--model", "broken")):
        form.get_by_label(f"{label}-folder-path").fill(value)
    form.get_by_label("--fresh").check()
    job = press_start(tab, form)
    chart = job.locator("canvas.chart")
    chart.wait_for(state="visible")
    points = "(chart) => [...chart.lines.values()][0].length"
    first = chart.evaluate(points)
    sample = job.locator(".file", has_text="epoch-0003")
    sample.locator("summary").click()
    assert sample.locator("audio").evaluate("(audio) => audio.play().then(() => 'plays')") == "plays"
    job.get_by_role("button", name="Stop").click()
    expect(state_of(job)).to_have_text("stopped")
    assert chart.evaluate(points) > first, "it was drawn while it went on"
    expect(job.locator(".legend")).to_contain_text("loss at the start")
    with tab.expect_response(lambda answer: answer.url.endswith("/continue")) as answered:
        job.get_by_role("button", name="Continue", exact=True).click()
    again = answered.value.json()
    assert "--fresh" not in again["shown"]
    job = tab.locator(f'#jobs > li[data-job="{again["id"]}"]')
    expect(state_of(job)).to_have_text("done")
    assert "going on in epoch" in job.locator("pre").text_content()
    with np.load(home / "whole" / "checkpoint.npz") as whole, np.load(home / "broken" / "checkpoint.npz") as broken:
        names = [name for name in whole.files if name != "state"]
        assert names
        for name in names:
            np.testing.assert_array_equal(whole[name], broken[name], err_msg=name)


def test_of_two_tabs_that_press_train_one_is_told_what_is_running(open_tab: Callable[..., Any], home: Path) -> None:
    tab = open_tab()
    with locked(home / "train_data"):  # so that the first goes on until the second has asked
        forms = [open_card(each, "audio", "Train") for each in (tab, open_tab(beside=tab))]
        for form in forms:
            form.get_by_role("button", name="No network").click()
            form.get_by_text("All options").click()
            form.get_by_label("--wait").check()
            expect(form.locator(".shown")).to_contain_text("--wait")
        job = press_start(tab, forms[0])
        forms[1].get_by_role("button", name="Start").click()
        busy = "busy: music-composer train --wait --head=memory is running"
        expect(forms[1].get_by_role("alert").filter(has_text=busy)).to_be_visible()
        expect(state_of(job)).to_have_text("running")
        job.get_by_role("button", name="Stop").click()
        expect(state_of(job)).to_have_text("stopped")


def test_a_recording_is_continued_and_the_cut_is_marked(tab: Any, home: Path) -> None:
    song = entry_of(tab, "music", "song 0.wav")
    song.locator("summary").click()
    song.get_by_role("button", name="Continue it").click()
    form = tab.locator('form[aria-label="Continue"]')
    form.get_by_label("--seconds-to-generate").fill("2")
    form.get_by_label("--seed").fill("7")
    job = press_start(tab, form)
    expect(state_of(job)).to_have_text("done")
    path = job.locator(".file .name").first.inner_text()
    made = json.loads((home / path).with_suffix(".json").read_text())
    assert path.startswith("takes/") and made["seed"] == 7
    result = entry_of(tab, "results", path)
    result.locator("summary").click()
    canvas = result.locator("canvas.wave")
    # The line of the accent colour is where the new music begins, to the pixel.
    found = canvas.evaluate("""(canvas) => {
        const pen = canvas.getContext("2d"), row = pen.getImageData(0, 2, canvas.width, 1).data, found = [];
        const probe = document.createElement("canvas").getContext("2d");
        canvas.style.color = "var(--accent)";
        probe.fillStyle = getComputedStyle(canvas).color;
        probe.fillRect(0, 0, 1, 1);
        const accent = probe.getImageData(0, 0, 1, 1).data;
        for (let x = 0; x < canvas.width; x++)
            if ([0, 1, 2].every((i) => Math.abs(row[4 * x + i] - accent[i]) < 3)) found.push(x);
        return {found, width: canvas.width};
    }""")
    length = soundfile.info(home / path).duration
    cut = round(made["new_music_from_second"] / length * found["width"])
    assert found["found"] == [cut, cut + 1]
    expect(result.locator("canvas.spectrum")).to_be_visible()
    result.get_by_role("button", name="Again with this seed").click()
    expect(form.locator(".shown")).to_contain_text("--seed=7")


def test_two_recordings_are_blended_by_a_slider(tab: Any, home: Path) -> None:
    form = open_card(tab, "audio", "Blend")
    for i in range(2):
        form.get_by_label(f"--blend, {i + 1}").fill(f"{DATASET}/song {i}.wav")
    form.get_by_role("slider").fill("0.24")
    form.get_by_role("slider").press("ArrowRight")
    form.get_by_label("--seconds-to-generate").fill("1")
    expect(form.locator(".shown")).to_contain_text("--blend-share=0.25")
    job = press_start(tab, form)
    expect(state_of(job)).to_have_text("done")
    made = json.loads((home / job.locator(".file .name").first.inner_text()).with_suffix(".json").read_text())
    assert [voice["share"] for voice in made["blend"]] == [0.75, 0.25]


@pytest.mark.parametrize("by", ["mouse", "numbers"])
def test_a_gap_is_filled_and_the_rest_stays_as_it_is(tab: Any, home: Path, by: str) -> None:
    song = entry_of(tab, "music", "song 1.wav")
    song.locator("summary").click()
    song.get_by_role("button", name="Fill a gap in it").click()
    form = tab.locator('form[aria-label="Fill a gap"]')
    canvas = form.locator("canvas.wave")
    expect(canvas).to_be_visible()
    if by == "mouse":
        width = canvas.bounding_box()["width"]
        begin, end = ({"x": width * share, "y": 20} for share in (0.5, 0.6))
        canvas.drag_to(canvas, source_position=begin, target_position=end)  # waits while the page is still moving
    else:
        form.get_by_label("--from").fill("10")
        form.get_by_label("--to").fill("12")
    ends = [float(form.get_by_label(label).input_value()) for label in ("--from", "--to")]
    assert ends == pytest.approx([10.0, 12.0], abs=0.05)
    form.get_by_label("--candidates").fill("2")
    job = press_start(tab, form)
    expect(state_of(job)).to_have_text("done")
    filled, _ = soundfile.read(home / job.locator(".file .name").first.inner_text(), dtype="int16")
    whole, _ = soundfile.read(home / DATASET / "song 1.wav", dtype="int16")
    before, behind = round((ends[0] - 1) * RATE), round((ends[1] + 1) * RATE)
    assert filled.shape == whole.shape
    np.testing.assert_array_equal(filled[:before], whole[:before])
    np.testing.assert_array_equal(filled[behind:], whole[behind:])
    assert (filled[before:behind] != whole[before:behind]).any()


def test_a_stream_is_heard_while_it_is_made_and_ends_with_its_tab(open_tab: Callable[..., Any], server: Page) -> None:
    tab = open_tab()
    form = open_card(tab, "audio", "Stream")
    job = press_start(tab, form)
    name = job.get_attribute("data-job")
    audio = job.locator("audio[aria-label='the stream']")
    tab.wait_for_function("(audio) => audio.currentTime > 0.3", arg=audio.element_handle())
    levels = "(canvas) => canvas.levels?.some(([peak]) => peak > 0.1)"
    tab.wait_for_function(levels, arg=job.locator("canvas.meters").element_handle())
    assert server.ask("GET", f"/api/jobs/{name}")[1]["state"] == "running"
    tab.reload()
    job = tab.locator(f'#jobs > li[data-job="{name}"]')
    expect(job.locator("audio[aria-label='the stream']")).to_be_visible()
    tab.wait_for_timeout(3000)
    expect(state_of(job)).to_have_text("running")
    tab.close()
    server.until(name, "done", 5)


def test_a_file_comes_by_the_dialog_and_from_the_microphone(tab: Any, home: Path, tmp_path: Path) -> None:
    name = 'My "best" süng.wav'
    shutil.copy(home / DATASET / "song 0.wav", tmp_path / name)
    tab.set_input_files("#upload", [tmp_path / name])
    expect(tab.locator("#upload-said")).to_have_text(f"{name} is there")
    expect(entry_of(tab, "music", "süng.wav").locator(".length")).to_have_text("20 s")
    entry_of(tab, "music", "süng.wav").get_by_role("button", name="Remove").click()
    expect(entry_of(tab, "music", "süng.wav")).to_have_count(0)
    # Dropped, as from another window.
    data = tab.evaluate_handle("""async () => {
        const sound = await (await fetch("/files/input_music_dataset/song%200.wav")).blob(), data = new DataTransfer();
        data.items.add(new File([sound], "dropped.wav"));
        return data;
    }""")
    tab.dispatch_event("#drop", "drop", {"dataTransfer": data})
    expect(tab.locator("#upload-said")).to_have_text("dropped.wav is there")
    tab.get_by_role("button", name="Record", exact=True).click()
    expect(tab.locator("#upload-said")).to_have_text("recording from the microphone")
    tab.wait_for_timeout(1500)
    tab.get_by_role("button", name="Stop recording").click()
    expect(tab.locator("#upload-said")).to_have_text(re.compile(r"recording-.*\.wav is there"))
    (made,) = (home / DATASET).glob("recording-*.wav")
    samples, _ = soundfile.read(made)
    assert len(samples) > RATE // 2 and np.abs(samples).max() > 0.01, "the browser's own test tone"
    made.unlink()
    (home / DATASET / "dropped.wav").unlink()


def test_bad_input_gets_the_line_of_the_command_beside_its_control(tab: Any) -> None:
    tab.set_input_files("#upload", [{"name": "letter.wav", "mimeType": "audio/wav", "buffer": b"Dear diary"}])
    expect(tab.locator("#upload-said")).to_have_text(re.compile("^letter.wav: not a recording"))
    expect(entry_of(tab, "music", "letter.wav")).to_have_count(0)
    # A file of 5 GB, as far as the page can see; nothing of it is sent.
    tab.evaluate("""() => document.dispatchEvent(new CustomEvent("recorded", {
        detail: Object.defineProperty(new File([], "huge.wav"), "size", {value: 5e9})}))""")
    expect(tab.locator("#upload-said")).to_have_text(re.compile("^huge.wav has 5000 MB: there is room for 4000 MB"))
    form = open_card(tab, "audio", "Train")
    form.get_by_label("--epochs").fill("0")
    field = form.locator(".field", has=tab.get_by_label("--epochs"))
    expect(field.get_by_role("alert")).to_have_text(re.compile("-e/--epochs is 0"))
    expect(form.get_by_label("--epochs")).to_have_attribute("aria-invalid", "true")
    # What only the running command finds out comes to the form that started it.
    form = open_card(tab, "audio", "Continue")
    form.get_by_label("--prompt, 1").fill("no such file.wav")
    job = press_start(tab, form)
    expect(state_of(job)).to_have_text("failed")
    field = form.locator(".field", has=tab.get_by_label("--prompt, 1"))
    expect(field.get_by_role("alert")).to_have_text(re.compile("no such file.wav"))
    assert field.get_by_role("alert").inner_text() == job.locator(".words").inner_text()


def test_music_is_judged_and_its_scorecard_is_among_the_results(tab: Any, home: Path) -> None:
    form = open_card(tab, "audio", "Judge")
    form.get_by_text("All options").click()
    for label in ("--generated ", "--reference", "--held-out"):
        form.get_by_label(label.strip(), exact=False).last.fill(DATASET)
    job = press_start(tab, form)
    expect(state_of(job)).to_have_text("done")
    card = entry_of(tab, "results", "scorecard.html")
    card.locator("summary").click()
    page = card.frame_locator("iframe")
    expect(page.get_by_role("heading", name="Distance")).to_be_visible()
    widths = page.locator("img").evaluate_all("(all) => all.map((each) => each.complete && each.naturalWidth)")
    assert all(widths), "its pictures are there"
