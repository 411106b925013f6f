"""The whole journey on a folder that holds every odd recording at once, and what its odd files do as prompts."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from tests.command import FEW_CHECKED, TINY, assert_accepted, assert_refused, kept_copy, music_composer
from tests.odd_recordings import write_odd, write_whole

pytestmark = pytest.mark.journey

MUSIC = Path("input_music_dataset")
USED = (
    "mono.wav", "silent-middle.flac", "piped_29.5s_sine.flac", "broadcast.wav", "UPPER.WAV", "tape.wave",
)  # fmt: skip
MENDED = {
    "crashed_recorder.wav": "header",
    "truncated.flac": "broken",
    "nan.wav": "not numbers",
    "integer-scale.wav": "scale",
    "surround.wav": "channels",
    "quiet.wav": "brought up",
    "click.wav": "full scale",
}
REFUSED = (
    "rate_2e9.wav",
    "rate-1.wav",
    "m4a_named.mp3",
    "phone.m4a",
    "album.wv",
    "silence.wav",
    "empty.wav",
    "page.wav",
)
PASSED_OVER = ("notes.txt", "__MACOSX", ".Trash-1000", ".stversions", "._song.wav")


@pytest.fixture(scope="module")
def journey(tmp_path_factory):
    """The folder and what the command said there."""
    folder = tmp_path_factory.mktemp("odd")
    write_whole(folder / MUSIC)
    write_odd(folder / MUSIC)
    return folder, music_composer(*TINY, "-g", "2", "-s", "1", "--seed", "1", cwd=folder, constants=FEW_CHECKED)


def test_the_journey_ends_with_its_music(journey):
    folder, done = journey
    assert_accepted(done, "2 continuations", "longest run that a continuation shares with a recording: ")
    assert [round(soundfile.info(folder / f"output-{i}.wav").duration - 1, 1) for i in range(2)] == [1.0, 1.0]
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("name", MENDED)
def test_what_is_mended_is_said(journey, name):
    lines = [line for line in journey[1].stderr.splitlines() if name in line]
    assert len(lines) == 1
    assert lines[0].startswith("note: ")
    assert MENDED[name] in lines[0]


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_named(journey, name):
    lines = [line for line in journey[1].stderr.splitlines() if f"/{name}" in line]
    assert lines
    assert all(line.startswith(("note: ", "  ")) for line in lines)


@pytest.mark.parametrize("name", [*USED, *PASSED_OVER])
def test_of_the_rest_nothing_is_said(journey, name):
    assert name not in journey[1].stderr


def test_a_prompt_of_unknown_length_is_heard_to_its_end(journey):
    folder, _ = journey
    prompt = MUSIC / "piped_29.5s_sine.flac"
    done = kept_copy("generate", "--prompt", prompt, "-o", "on", "-g", "1", "-s", "1", "--include-prompt", cwd=folder)
    assert_accepted(done)
    assert abs(soundfile.info(folder / "on-0.wav").duration - 30.5) < 0.1


def test_a_gap_is_filled_in_a_recording_of_unknown_length(journey):
    folder, _ = journey
    span = ("--from", "22", "--to", "23", "--candidates", "2")
    done = kept_copy("generate", "--infill", MUSIC / "piped_29.5s_sine.flac", *span, "-o", "full", cwd=folder)
    assert_accepted(done)
    assert abs(soundfile.info(folder / "full-0.wav").duration - 29.5) < 0.01


@pytest.mark.parametrize("name", ["m4a_named.mp3", "rate_2e9.wav", "silence.wav", "pipe.wav", "gone.wav"])
def test_a_prompt_that_cannot_be_used_is_one_line(journey, name):
    done = music_composer("generate", "--prompt", MUSIC / name, "-o", "no", "-g", "1", "-s", "1", cwd=journey[0])
    assert_refused(done, name, code=done.returncode or 1)
    assert done.returncode in (1, 2)
    assert len(done.stderr.strip().splitlines()) == 1
