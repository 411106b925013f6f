"""Other ways to play through the installed command: from a mixture of two prompts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.command import RATE, TINY, assert_accepted, assert_refused, music_composer, tune, write

ONE = ("-s", "0.5", "-g", "1", "--seed", "3")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a trained model, and the recordings a.wav (5 s) and b.wav (3 s)."""
    folder = tmp_path_factory.mktemp("trained")
    write(folder / "input_music_dataset" / "song.wav", tune(8))
    write(folder / "a.wav", tune(5, seed=1))
    write(folder / "b.wav", tune(3, seed=2))
    assert_accepted(music_composer("train", *TINY, "--seed", "1", cwd=folder))
    return folder


@pytest.mark.parametrize(("share", "alone"), [("0", "a.wav"), ("1", "b.wav")])
def test_a_blend_without_a_share_of_one_is_the_other(trained: Path, tmp_path: Path, share: str, alone: str) -> None:
    blend = ("--blend", "a.wav", "b.wav", "--blend-share", share)
    assert_accepted(music_composer("generate", *ONE, *blend, "-o", tmp_path / "blend", cwd=trained))
    assert_accepted(music_composer("generate", *ONE, "--prompt", alone, "-o", tmp_path / "alone", cwd=trained))
    assert (tmp_path / "blend-0.wav").read_bytes() == (tmp_path / "alone-0.wav").read_bytes()


def test_a_blend_begins_with_both_and_names_both(trained: Path, tmp_path: Path) -> None:
    out = ("--subtype", "FLOAT", "-o", tmp_path / "x")
    assert_accepted(music_composer("generate", *ONE, *out, "--blend", "a.wav", "b.wav", cwd=trained))
    said = json.loads((tmp_path / "x-0.json").read_text())
    assert [(part["file"], part["share"]) for part in said["blend"]] == [("a.wav", 0.5), ("b.wav", 0.5)]
    samples, _ = soundfile.read(tmp_path / "x-0.wav")
    cut = round(said["new_music_from_second"] * RATE)
    pieces = []
    for part in said["blend"]:
        stop = round(part["until_second"] * RATE)
        pieces.append(soundfile.read(trained / part["file"])[0][stop - cut : stop])
    kept = cut - round(0.06 * RATE)
    np.testing.assert_allclose(samples[:kept], np.sqrt(0.5) * (pieces[0] + pieces[1])[:kept], atol=1e-4)
    assert np.abs(samples[cut:]).max() > 1e-3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--blend", "a.wav", "b.wav", "--prompt", "a.wav"), ("--blend", "--prompt", "exclude")),
        (("--blend", "a.wav"), ("--blend",)),
        (("--blend", "a.wav", "none.wav"), ("--blend none.wav", "no such file")),
        (("--blend", "a.wav", "b.wav", "--blend-share", "1.5"), ("--blend-share", "1.5", "between 0 and 1")),
        (("--blend-share", "0.3"), ("--blend-share", "without --blend")),
    ],
)
def test_blends_that_make_no_sense(trained: Path, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    assert_refused(music_composer("generate", *arguments, cwd=trained), *words, code=2)


def test_a_blend_with_silence(trained: Path, tmp_path: Path) -> None:
    write(tmp_path / "silent.wav", np.zeros((3 * RATE, 2)))
    done = music_composer("generate", *ONE, "--blend", "a.wav", tmp_path / "silent.wav", cwd=trained)
    assert_refused(done, "silent.wav", "sound in it to go on from")
