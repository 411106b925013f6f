"""`generate --stream` through the installed command: what comes out of the pipe, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from music_composer.files import outputs
from tests.command import (
    COMMAND,
    RATE,
    Started,
    assert_accepted,
    assert_refused,
    kept_copy,
    music_composer,
    tune,
    with_disk_of,
    write,
)

pytestmark = pytest.mark.journey

STREAM = ("generate", "--stream", "--seed", "3", "--prompt", "song.wav")


@pytest.fixture(scope="module")
def trained(copied: Callable[[], Path]) -> Path:
    folder = copied()
    write(folder / "song.wav", tune(4, seed=1))
    return folder


def test_nothing_but_samples_comes_out_and_they_are_those_of_the_file(trained: Path, tmp_path: Path) -> None:
    wanted = [COMMAND, *STREAM, "-s", "2", "-o", "-"]  # of a process of its own: its libraries, too, might print
    environment = os.environ | {"KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(wanted, cwd=trained, capture_output=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
    assert b"playing 2 s into standard output" in done.stderr
    assert_accepted(music_composer(*STREAM, "-s", "2", "-o", tmp_path / "live", cwd=trained))
    grown, rate = soundfile.read(tmp_path / "live-0.wav", dtype="int16")
    streamed = np.frombuffer(done.stdout, "<i2").reshape(-1, 2)
    assert (rate, grown.shape) == (RATE, (3 * RATE, 2)), "a second of the prompt, two of new music"
    np.testing.assert_array_equal(streamed, grown)
    assert np.abs(grown[RATE:]).max() > 30, "the new music sounds"
    said_of_it = json.loads((tmp_path / "live-0.json").read_text())
    assert (said_of_it["seed"], said_of_it["number"], said_of_it["new_music_from_second"]) == (3, 0, 1.0)
    assert (tmp_path / "live-0.png").read_bytes().startswith(b"\x89PNG")

    assert_accepted(kept_copy("generate", *STREAM[2:], "-g", "1", "-s", "2", "-o", tmp_path / "x", cwd=trained))
    file, _ = soundfile.read(tmp_path / "x-0.wav", dtype="int16")
    lead = round(0.95 * RATE)
    np.testing.assert_array_equal(grown[:lead], file[:lead])
    assert len(file) == len(grown)
    levels = [20 * np.log10(part[RATE:].astype(float).std()) for part in (grown, file)]
    assert levels[0] == pytest.approx(levels[1], abs=2), "the same frames, but for their phase"


def test_a_closed_pipe_is_an_end_like_any_other(trained: Path) -> None:
    with Started(*STREAM, "--endless", "-o", "-", cwd=trained) as process:
        assert len(process.stdout.read(1_000_000)) == 1_000_000, "more than five seconds"
        process.stdout.close()
        said = process.stderr.read().decode()
        assert process.wait(timeout=60) == 0, said
    assert "nobody reads standard output any more" in said
    assert "Traceback" not in said
    assert "Broken" not in said


@pytest.mark.parametrize(("arguments", "code"), [(("--endless",), 0), (("-s", "5000"), 130)])
def test_a_growing_file_can_be_read_while_it_grows_and_after_ctrl_c(
    trained: Path, tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    path = tmp_path / "live-0.wav"
    with Started(*STREAM, *arguments, "-o", tmp_path / "live", cwd=trained) as process:
        lengths = []
        while len(lengths) < 3 and process.poll() is None:
            frames = soundfile.info(path).frames if path.exists() and path.stat().st_size >= 80 else 0
            if frames > (lengths[-1] if lengths else 0):
                lengths.append(frames)
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=120)[1].decode()
    assert process.returncode == code, said
    assert "Traceback" not in said
    assert soundfile.info(path).frames >= lengths[-1] > RATE
    assert len(soundfile.read(path)[0]) == soundfile.info(path).frames
    assert outputs.is_ours(path), "it names itself from the beginning"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-o", "-"), ("-o -", "needs --stream")),
        (("--endless",), ("--endless", "without --stream")),
        (("--stream", "--endless", "-s", "3"), ("--endless and --seconds-to-generate", "exclude")),
        (("--stream", "-g", "3"), ("--stream and --generated-music-num", "exclude")),
        (("--stream", "--infill", "song.wav", "--from", "1", "--to", "2"), ("--stream and --infill", "exclude")),
        (("--stream", "--prompt", "none.wav"), ("--prompt none.wav", "no such file")),
    ],
)
def test_streams_that_make_no_sense(trained: Path, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    assert_refused(music_composer("generate", *arguments, cwd=trained), *words, code=2)
    assert not list(trained.glob("-*"))


def test_the_bare_command_does_not_write_to_standard_output(trained: Path) -> None:
    assert_refused(music_composer("-o", "-", cwd=trained), "-o -", "needs --stream", code=2)


def test_samples_are_not_sent_to_a_terminal(trained: Path) -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [COMMAND, *STREAM, "-o", "-"], cwd=trained, stdout=theirs, stderr=subprocess.PIPE, text=True, timeout=120
    )
    os.close(ours)
    os.close(theirs)
    assert_refused(done, "terminal", "pipe it into a player", code=2)


def test_a_full_disk_leaves_what_was_written(trained: Path, tmp_path: Path) -> None:
    done = music_composer(*STREAM, "-s", "60", "-o", tmp_path / "live", cwd=trained, before=with_disk_of(1_000_000))
    assert_refused(done, "live-0.wav", "cannot grow", "are whole")
    assert soundfile.info(tmp_path / "live-0.wav").frames > RATE


def test_a_network_that_cannot_be_read_costs_no_recording(trained: Path, tmp_path: Path) -> None:
    precious = write(tmp_path / "live-0.wav", tune(1))
    before = precious.read_bytes()
    done = music_composer(*STREAM, "-m", "none", "-o", tmp_path / "live", cwd=trained)
    assert_refused(done, "none", "no trained model")
    assert precious.read_bytes() == before
