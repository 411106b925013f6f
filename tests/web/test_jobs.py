"""Jobs outlive whoever started them, and their folders tell everything of them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from music_composer.errors import BusyError, MusicComposerError
from music_composer.web import jobs
from tests.symbolic.tunes import write_tune

pytestmark = pytest.mark.journey

ENDLESS = ["midi", "evolve", "--generations=1000000", "--write-interval=1000000", "--models=20", "--", "tune.mid"]
LONGEST = 60.0  # seconds, before a job counts as hanging


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tune(tmp_path / "tune.mid", 1)
    return tmp_path


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def has_evolved(folder: Path, name: str) -> bool:
    return any(event["event"] == "progress" for event in jobs.events_of(folder, name)[0])


def test_a_job_runs_to_its_end_and_tells_what_it_does(folder: Path) -> None:
    words = ["midi", "evolve", "--generations=3", "--models=20", "--", "tune.mid"]
    job = jobs.begin(folder, words)
    assert job.shown == "music-composer midi evolve --generations=3 --models=20 -- tune.mid"
    until(lambda: jobs.read(folder, job.id).state == jobs.DONE)
    events, place = jobs.events_of(folder, job.id)
    ratings = [event["values"]["best"] for event in events if event["event"] == "progress" and event["values"]]
    assert len(ratings) == 3
    (written,) = (event["path"] for event in events if event["event"] == "written")
    assert (folder / written).is_file()
    assert jobs.events_of(folder, job.id, place) == ([], place), "and no more"
    assert "best rating" in jobs.log_of(folder, job.id)
    assert jobs.jobs(folder) == [jobs.read(folder, job.id)]


def test_a_job_that_fails_says_why(folder: Path) -> None:
    job = jobs.begin(folder, ["midi", "evolve", "--", "none.mid"])
    until(lambda: jobs.read(folder, job.id).state != jobs.RUNNING)
    ended = jobs.read(folder, job.id)
    assert (ended.state, ended.code) == (jobs.FAILED, 1)
    (error,) = (event for event in jobs.events_of(folder, job.id)[0] if event["event"] == "error")
    assert "none.mid" in error["line"] and error["code"] == 1


def test_a_job_is_stopped_with_all_that_it_has(folder: Path) -> None:
    job = jobs.begin(folder, ENDLESS)
    until(lambda: has_evolved(folder, job.id))
    jobs.stop(folder, job.id)
    until(lambda: jobs.read(folder, job.id).state != jobs.RUNNING)
    assert (jobs.read(folder, job.id).state, jobs.read(folder, job.id).code) == (jobs.STOPPED, 130)
    assert "all saved" in jobs.log_of(folder, job.id)
    jobs.stop(folder, job.id)  # there is nothing to stop any more


@pytest.mark.skipif(not Path("/proc").exists(), reason="reads the number of a parent process from /proc")
def test_the_command_goes_on_when_its_runner_is_killed_and_is_lost_when_it_is(folder: Path) -> None:
    job = jobs.begin(folder, ENDLESS)
    until(lambda: has_evolved(folder, job.id))
    command = int((folder / jobs.FOLDER / job.id / jobs.PID).read_text())
    parent = int(Path(f"/proc/{command}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(parent, signal.SIGKILL)
    time.sleep(0.2)
    assert jobs.read(folder, job.id).state == jobs.RUNNING
    os.kill(command, signal.SIGKILL)
    until(lambda: jobs.read(folder, job.id).state == jobs.LOST)


def test_a_run_folder_has_one_training_at_a_time(tmp_path: Path) -> None:
    job = tmp_path / jobs.FOLDER / "20261126-120000-abcdef"
    job.mkdir(parents=True)
    (job / jobs.JOB).write_text('{"words": ["train", "--epochs=9"], "began": 1.0}')
    with jobs.held(job / jobs.LOCK):
        for words in ([], ["train"], ["train", "--model-folder-path=./model"]):
            with pytest.raises(BusyError, match="busy: music-composer train --epochs=9 is running"):
                jobs.begin(tmp_path, words)
    assert [each.id for each in jobs.jobs(tmp_path)] == [job.name], "none has begun"


@pytest.mark.parametrize(
    ("words", "run_folder"),
    [
        ([], "model"),
        (["train", "--epochs=3"], "model"),
        (["--model-folder-path=./a//b"], "a/b"),
        (["midi", "train"], "midi_model"),
        (["midi", "--model-folder-path=c"], "c"),
        (["generate"], ""),
        (["midi", "evolve", "--", "train"], ""),
    ],
)
def test_the_run_folder_of_a_command(words: list[str], run_folder: str) -> None:
    assert jobs.run_folder_of(words) == run_folder


@pytest.mark.parametrize("name", ["", "..", "../x", "20261126-120000-abcdef", "20261126-120000-abcdef/../x"])
def test_what_is_no_job_is_not_looked_for(tmp_path: Path, name: str) -> None:
    (tmp_path / "x").mkdir()
    for look in (jobs.read, jobs.events_of, jobs.log_of):
        with pytest.raises(MusicComposerError, match="no such job"):
            look(tmp_path, name)


def test_a_line_that_a_full_disk_has_cut_is_passed_over(tmp_path: Path) -> None:
    job = tmp_path / jobs.FOLDER / "20261126-120000-abcdef"
    job.mkdir(parents=True)
    (job / jobs.JOB).write_text('{"words": ["info"], "began": 1.0}')
    (job / jobs.PROGRESS).write_text('{"event": "say", "li\n{"event": "begin"}\n{"event": "end"')
    events, place = jobs.events_of(tmp_path, job.name)
    assert [event["event"] for event in events] == ["begin"]
    assert jobs.events_of(tmp_path, job.name, -5) == (events, place), "from the beginning"
    with open(job / jobs.PROGRESS, "a") as file:
        file.write("}\n")
    assert [event["event"] for event in jobs.events_of(tmp_path, job.name, place)[0]] == ["end"]
    assert jobs.read(tmp_path, job.name).state == jobs.LOST
