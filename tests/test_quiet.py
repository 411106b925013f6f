"""What libraries print past Python does not reach the terminal, and what Python prints does."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.audio.reading.test_mp3_frames import mp3_of
from tests.command import assert_accepted, music_composer
from tests.odd_recordings import music

pytestmark = pytest.mark.journey

LINES = """
import os, sys, threading
from music_composer import quiet
def library(words):
    os.write(2, words.encode())
before = sys.stderr
own = quiet.own_stderr()
own.__enter__()
library("before ")
with quiet.quiet_libraries():
    library("hidden ")
    print("own", file=sys.stderr)
    inside, left = threading.Event(), threading.Event()
    def other():
        with quiet.quiet_libraries():
            inside.set()
            left.wait()
    thread = threading.Thread(target=other)
    thread.start()
    inside.wait()
library("still hidden ")
left.set()
thread.join()
library("after")
own.__exit__(None, None, None)
assert sys.stderr is before and os.fstat(2)
"""


def test_libraries_are_quiet_until_the_last_thread_has_left():
    done = subprocess.run([sys.executable, "-c", LINES], capture_output=True, text=True, check=True)
    assert done.stderr == "before own\nafter"


def test_python_is_never_quiet():
    lines = LINES.replace("own.__enter__()\n", "", 1).replace("own.__exit__(None, None, None)\n", "", 1)
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    assert "own\n" in done.stderr
    assert "hidden" in done.stderr  # in a program that prints there itself


def test_damaged_mp3_files_are_said_in_our_words_alone(tmp_path):
    dataset = tmp_path / "input_music_dataset"
    dataset.mkdir()
    raw = mp3_of(music(20))
    (dataset / "good.mp3").write_bytes(raw)
    hurt = bytearray(raw)
    hurt[len(hurt) // 2 :: 997] = b"\x55" * len(hurt[len(hurt) // 2 :: 997])  # sound that cannot be
    (dataset / "hurt.mp3").write_bytes(hurt)
    (dataset / "cut.mp3").write_bytes(raw[: len(raw) // 2])
    (dataset / "zeros.mp3").write_bytes(bytes(100_000))
    (dataset / "text.mp3").write_text("no music\n" * 2000)
    (dataset / "tiny.mp3").write_bytes(raw[:600])
    done = music_composer("prepare", cwd=tmp_path)
    assert_accepted(done, "it is not an MP3 file", "header promises 20.0 s")
    for words in ("mpg123", "Warning:", "Note:", "error:"):
        assert words not in done.stderr
