"""A job is told to stop through its context, from any thread, and reports to it."""

from __future__ import annotations

import threading

import pytest

from music_composer.context import SILENT, Context, Progress
from music_composer.stopping import Stopped


def test_a_stage_reports_its_beginning_its_numbers_and_its_end() -> None:
    events: list[Progress] = []
    with pytest.raises(ValueError), Context(progress=events.append).stage("reading", "files", "reading it") as advance:
        advance(1, 2, "a.wav", loss=0.5)
        raise ValueError
    begin, report, end = events
    assert begin == Progress("reading", unit="files", task="reading it")
    assert report == Progress("reading", 1, 2, "files", "a.wav", {"loss": 0.5}, "reading it")
    assert end == Progress("reading", 1, 2, "files", "a.wav", {}, "reading it", ended=True)


def test_a_report_is_a_place_to_stop_unless_the_stage_is_not_interruptible() -> None:
    stop = threading.Event()
    context = Context(cancelled=stop.is_set)
    with context.stage("reading") as advance:
        advance(1, 3)
        stop.set()
        with pytest.raises(Stopped):
            advance(2, 3)
    with context.stage("training", interruptible=False) as advance:
        advance(3, 3)


def test_what_is_patient_is_stopped_on_leaving() -> None:
    stop, done = threading.Event(), []
    context = Context(cancelled=stop.is_set)
    with context.patiently("saving"):
        done.append("before")
    with pytest.raises(Stopped), context.patiently("saving"):
        stop.set()
        done.append("saved")
    assert done == ["before", "saved"]


def test_waiting_ends_when_the_job_is_cancelled() -> None:
    stop = threading.Event()
    assert not Context(cancelled=stop.is_set).wait(0.01)
    threading.Timer(0.05, stop.set).start()
    assert Context(cancelled=stop.is_set).wait(60.0)


def test_nothing_is_said_unless_somebody_listens(capfd: pytest.CaptureFixture[str]) -> None:
    SILENT.say("a line")
    with SILENT.stage("reading") as advance:
        advance(1, 1)
    assert capfd.readouterr() == ("", "")
    assert not SILENT.stop_requested()
