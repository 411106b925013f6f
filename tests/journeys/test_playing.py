"""Other ways to play through the installed command: from a mixture of two prompts, into a gap."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from music_composer.audio.reading.recording import read_blocks
from tests.command import RATE, assert_accepted, assert_refused, kept_copy, music_composer, tune, write

pytestmark = pytest.mark.journey

ONE = ("-s", "0.5", "-g", "1", "--seed", "3")


@pytest.fixture(scope="module")
def trained(copied: Callable[[], Path]) -> Path:
    """A working folder with a trained model, and the recordings a.wav (5 s) and b.wav (3 s)."""
    folder = copied()
    write(folder / "a.wav", tune(5, seed=1))
    write(folder / "b.wav", tune(3, seed=2))
    write(folder / "quiet.wav", np.concatenate([np.zeros((RATE, 2)), tune(4)]))
    write(folder / "empty.wav", np.zeros((0, 2)))
    (folder / "letter.wav").write_text("not a recording")
    return folder


@pytest.mark.parametrize(("share", "alone"), [("0", "a.wav"), ("1", "b.wav")])
def test_a_blend_without_a_share_of_one_is_the_other(trained: Path, tmp_path: Path, share: str, alone: str) -> None:
    blend = ("--blend", "a.wav", "b.wav", "--blend-share", share)
    assert_accepted(kept_copy("generate", *ONE, *blend, "-o", tmp_path / "blend", cwd=trained))
    assert_accepted(kept_copy("generate", *ONE, "--prompt", alone, "-o", tmp_path / "alone", cwd=trained))
    assert (tmp_path / "blend-0.wav").read_bytes() == (tmp_path / "alone-0.wav").read_bytes()


def test_a_blend_begins_with_both_and_names_both(trained: Path, tmp_path: Path) -> None:
    out = ("--subtype", "FLOAT", "-o", tmp_path / "x")
    assert_accepted(kept_copy("generate", *ONE, *out, "--blend", "a.wav", "b.wav", cwd=trained))
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
        (("--blend", "a.wav", "b.wav", "--blend-share", "1.5"), ("--blend-share", "1.5", "at most 1")),
        (("--blend-share", "0.3"), ("--blend-share", "without --blend")),
    ],
)
def test_blends_that_make_no_sense(trained: Path, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    assert_refused(music_composer("generate", *arguments, cwd=trained), *words, code=2)


def test_a_blend_with_silence(trained: Path, tmp_path: Path) -> None:
    write(tmp_path / "silent.wav", np.zeros((3 * RATE, 2)))
    done = music_composer("generate", *ONE, "--blend", "a.wav", tmp_path / "silent.wav", cwd=trained)
    assert_refused(done, "silent.wav", "sound in it to continue")


@pytest.mark.parametrize(
    ("channels", "rate", "subtype"), [(2, RATE, "PCM_16"), (1, RATE, "PCM_24"), (2, 48000, "FLOAT")]
)
def test_a_filled_recording_is_the_recording_outside_of_the_gap(
    trained: Path, tmp_path: Path, channels: int, rate: int, subtype: str
) -> None:
    song = write(tmp_path / "song.wav", 4 * tune(13, rate, channels, seed=4), rate, subtype)
    gap = ("--infill", song, "--from", "10.3", "--to", "11.2", "--candidates", "3", "--subtype", subtype)
    done = kept_copy("generate", *gap, "--seed", "3", "-o", tmp_path / "out", cwd=trained)
    assert_accepted(done, "candidate", "dB from the music after the gap")
    real = whole(song)
    filled, filled_rate = soundfile.read(tmp_path / "out-0.wav", dtype="float32", always_2d=True)
    assert (filled.shape, filled_rate) == (real.shape, RATE)
    assert soundfile.info(tmp_path / "out-0.wav").subtype == subtype
    first, last = round(10.25 * RATE) - 1, round(11.25 * RATE) + 1
    np.testing.assert_array_equal(filled[:first], real[:first])
    np.testing.assert_array_equal(filled[last:], real[last:])
    assert not np.array_equal(filled[first:last], real[first:last])
    middle = filled[round(10.4 * RATE) : round(11.1 * RATE)]
    assert np.abs(middle).max() > 1e-3, "it sounds"
    said = json.loads((tmp_path / "out-0.json").read_text())
    assert (said["infill"]["from_second"], said["infill"]["to_second"]) == (10.3, 11.2)
    assert len(said["distances_db"]) == 3
    assert said["distances_db"][said["candidate"]] == min(said["distances_db"])
    assert (tmp_path / "out-0.png").read_bytes().startswith(b"\x89PNG")


def test_what_was_in_the_gap_plays_no_part(trained: Path, tmp_path: Path) -> None:
    song = tune(6, seed=5)
    for name, inside in (("a", 0.0), ("b", 0.9)):
        song[3 * RATE : 4 * RATE] = inside
        write(tmp_path / f"{name}.wav", song)
        gap = ("--infill", tmp_path / f"{name}.wav", "--from", "3", "--to", "4", "--candidates", "2", "--seed", "1")
        assert_accepted(kept_copy("generate", *gap, "-o", tmp_path / name, cwd=trained))
    assert (tmp_path / "a-0.wav").read_bytes() == (tmp_path / "b-0.wav").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("a.wav", "--from", "3", "--to", "2"), ("--from 3 --to 2", "ends after its beginning"), 2),
        (("a.wav", "--from", "2", "--to", "2"), ("--from 2 --to 2",), 2),
        (("a.wav", "--from", "nan", "--to", "2"), ("--from nan",), 2),
        (("a.wav", "--from", "-1", "--to", "2"), ("--from -1",), 2),
        (("a.wav", "--from", "4", "--to", "7"), ("--to 7", "a.wav ends at 5.000 s"), 2),
        (("a.wav", "--from", "1", "--to", "99"), ("--to 99", "more than 30 s", "--prompt"), 2),
        (("a.wav", "--from", "0.1", "--to", "2"), ("a.wav", "0.10 s of music before 0.1 s"), 1),
        (("a.wav", "--from", "0", "--to", "2"), ("a.wav", "0.00 s of music before"), 1),
        (("a.wav", "--from", "3", "--to", "5"), ("a.wav", "0.00 s of music after 5 s"), 1),
        (("quiet.wav", "--from", "1", "--to", "2"), ("quiet.wav", "silent before 1 s"), 1),
        (("empty.wav", "--from", "1", "--to", "2"), ("empty.wav ends at 0.000 s",), 2),
        (("none.wav", "--from", "1", "--to", "2"), ("--infill none.wav", "no such file"), 2),
        (("letter.wav", "--from", "1", "--to", "2"), ("letter.wav", "not a recording"), 1),
        (("a.wav", "--from", "1"), ("--infill", "without --to"), 2),
        (("a.wav", "--from", "1", "--to", "2", "--prompt", "b.wav"), ("--infill and --prompt", "exclude"), 2),
        (("a.wav", "--from", "1", "--to", "2", "-s", "3"), ("--infill", "--seconds-to-generate"), 2),
        (("a.wav", "--from", "1", "--to", "2", "--candidates", "0"), ("--candidates", "0", "at least 1"), 2),
    ],
)
def test_gaps_that_make_no_sense(trained: Path, arguments: tuple[str, ...], words: tuple[str, ...], code: int) -> None:
    done = music_composer("generate", "--infill", *arguments, "-o", "refused", cwd=trained)
    assert_refused(done, *words, code=code)
    assert not list(trained.glob("refused*"))


def test_a_gap_without_a_recording(trained: Path) -> None:
    done = music_composer("generate", "--from", "1", "--to", "2", cwd=trained)
    assert_refused(done, "--from", "without --infill", code=2)


def whole(path: Path) -> np.ndarray:
    """A whole recording as the program reads it, at 44.1 kHz."""
    return np.concatenate(list(read_blocks(path, RATE)[1]))


def test_another_program_can_follow_a_command(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = tmp_path / "progress.jsonl"
    monkeypatch.setenv("MUSIC_COMPOSER_PROGRESS", str(events))
    assert_accepted(kept_copy("generate", *ONE, "--prompt", "a.wav", "-o", tmp_path / "x", cwd=trained))
    refused = music_composer("generate", *ONE, "--prompt", "letter.wav", cwd=trained)
    assert_refused(refused, "letter.wav")
    assert_refused(music_composer("generate", "-s", "many", cwd=trained), "many", code=2)
    told = [json.loads(line) for line in events.read_text().splitlines()]
    assert [each["path"] for each in told if each["event"] == "written"] == [str(tmp_path / "x-0.wav")]
    assert {each["stage"] for each in told if each["event"] == "end"} == {"generating"}
    first, second = (each for each in told if each["event"] == "error")
    assert (first["code"], second["code"]) == (1, 2)
    assert refused.stderr.splitlines()[-1] == f"music-composer: {first['line']}"
    assert "many" in second["line"]


def test_what_there_is_can_be_read_by_a_program(trained: Path) -> None:
    found = json.loads(music_composer("info", "--json", cwd=trained).stdout)
    assert found["dataset"]["files"] == 1 and found["cache"]["songs"] == 1
    assert (found["model"]["head"], found["model"]["neurons"], found["model"]["epochs"]) == ("flow", 8, 1)
