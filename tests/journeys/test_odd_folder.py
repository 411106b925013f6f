"""A folder that holds every oddity at once: everything that can be heard is, by every command alike."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.command import assert_accepted, assert_refused, music_composer, tune, write

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder whose dataset holds 9 recordings that can be used, and what cannot."""
    here = tmp_path_factory.mktemp("odd")
    music = here / "input_music_dataset"
    write(music / "good.wav", tune(12))
    write(music / "integers.wav", np.round(tune(6, seed=1) * 32768), subtype="FLOAT")
    broken = tune(6, seed=2)
    broken[1000:1010], broken[2000] = np.nan, 1e6
    write(music / "broken.wav", broken, subtype="FLOAT")
    write(music / "quiet.wav", 1e-3 * tune(6, seed=3), subtype="PCM_24")
    write(music / "telephone.wav", tune(6, 8000, 1, seed=4), 8000, "GSM610")
    soundfile.write(music / "cut.flac", tune(12, seed=5), 44100)
    raw = (music / "cut.flac").read_bytes()
    (music / "cut.flac").write_bytes(raw[: len(raw) // 2])
    raw = write(music / "bw64.wav", tune(6, seed=6)).read_bytes()
    (music / "bw64.wav").write_bytes(b"BW64" + raw[4:])
    write(music / "\x1b[31mred [b].wav", tune(6, seed=7))
    write(here / "elsewhere" / "linked.wav", tune(6, seed=8))
    (music / "linked").symlink_to(here / "elsewhere")
    write(music / "__MACOSX" / "not.wav", tune(6, seed=9))
    write(music / "silent.wav", np.zeros((44100, 2)))
    (music / "phone.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(1000))
    (music / "phone.mp3").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(1000))
    os.mkfifo(music / "pipe.wav")
    return here


def test_prepare_takes_what_can_be_heard_and_names_the_rest(odd: Path) -> None:
    done = music_composer("prepare", cwd=odd)
    assert_accepted(
        done, "9 recordings", "integers of 16 bits", "not numbers", "4 times full scale", "brought up", "broken after",
        "silent.wav: nothing but silence", "M4A is not read", "phone.mp3: not a recording", "not an MP3 file",
        "pipe.wav is a pipe",
    )  # fmt: skip
    assert "\x1b" not in done.stderr


def test_evaluate_hears_the_same_folder(odd: Path) -> None:
    """Judged by itself, so that every measure hears every recording."""
    same = [(flag, "input_music_dataset") for flag in ("--generated", "--reference", "--held-out")]
    done = music_composer("evaluate", *(word for pair in same for word in pair), cwd=odd)
    assert_accepted(done, "integers of 16 bits", "broken after", "phone.mp3: not a recording", "judged in")
    assert "\x1b" not in done.stderr + done.stdout


@pytest.mark.parametrize("command", ["prepare", "info"])
def test_a_folder_without_a_name_is_refused(tmp_path: Path, command: str) -> None:
    assert_refused(music_composer(command, "-d", "", cwd=tmp_path), "-d", "is empty", code=2)
