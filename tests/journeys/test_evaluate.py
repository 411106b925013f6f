"""`music-composer evaluate` through the installed command, on seconds of synthetic music."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from tests.command import FEW_SPLICES, RATE, TINY, assert_accepted, assert_refused, music_composer, tune, write

pytestmark = pytest.mark.journey

QUICK = ("-g", "4", "-s", "7", "--long-num", "1", "--long-seconds", "92", "--cuts", "6", "--held-out", "test")
FEW = FEW_SPLICES | {
    f"music_composer.evaluation.audio.{name}.LONG_SECONDS": 90.0 for name in ("scorecard", "minimum_length")
}
TITLES = ("Distance", "Known damage", "Adherence", "In the right order", "Copying")


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Training music in `train`, other music of the same kind in `test`, and half of that in `few`."""
    folder = tmp_path_factory.mktemp("music")
    for i in range(2):
        write(folder / "train" / f"song {i}.wav", tune(36, seed=i))
    for i in range(4):
        write(folder / "test" / f"other {i}.wav", tune(25, channels=1, seed=100 + i))
    for i in range(2):
        write(folder / "few" / f"other {i}.wav", tune(25, seed=100 + i))
    return folder


@pytest.fixture(scope="module")
def judged(music: Path) -> Path:
    """A tiny network trained on such music, and the scorecard of it."""
    for i in range(2):
        write(music / "learnt" / f"song {i}.wav", tune(24, channels=1, seed=i))
    folders = ("-d", "learnt", "-m", "model")
    assert_accepted(music_composer("train", *folders, *TINY, "--head", "regression", "--seed", "1", cwd=music))
    done = music_composer("evaluate", *folders, *QUICK, cwd=music, constants=FEW)
    assert_accepted(done, "judged in")
    for title in (*TITLES, "Minute by minute", "Stability", "Continuity", "Speed"):
        assert f"{title}: " in done.stdout.replace(" with the prompt", "")
    return music


def judge(folder: Path, generated: str, *more: str, reference: str = "train") -> dict:
    done = music_composer("evaluate", "--generated", generated, "--reference", reference, *more, cwd=folder)
    assert_accepted(done)
    return json.loads((folder / "scorecard" / "scorecard.json").read_text())


def row(card: dict, music: str) -> dict:
    return next(row for row in card["distance"] if row["music"] == music)


def test_a_run_folder_gets_its_whole_scorecard(judged: Path) -> None:
    folder = judged / "scorecard"
    card = json.loads((folder / "scorecard.json").read_text())
    names = [row["music"] for row in card["distance"]]
    rulers, toys = ["real, held out", "real, through the codec"], ["the prompt, shuffled", "random splices"]
    assert names == [*rulers, "continuations", "long continuations", *toys]
    assert all(math.isfinite(value) for row in card["distance"] for value in row.values() if isinstance(value, float))
    assert [row["minute"] for row in card["minutes"]] == [1, 2]
    assert card["survival"]["recordings"] == 1
    assert card["survival"]["most_repeated_in_music"] >= 1
    assert len(card["copying"]["made"]) == 5
    assert 0 <= card["prompt"]["continuations"]["better"] <= 1
    assert [row["cuts"] for row in card["prompt"].values()] == [6, 6]
    ruler, made, shuffled, splices = card["order"]
    assert [row["music"] for row in card["order"]] == ["real: the true next part", "continuations", *toys]
    assert shuffled["prompt_again"] > 0.8
    assert splices["training_again"] > 0.8
    assert {row["pieces"] for row in card["order"]} == {4}
    assert 0 <= made["prompt_again"] <= 1
    assert 0 < made["pulse"] < 1 and made["steadiness"] is None, "7 s are too short for that"
    adherence = card["adherence"]
    assert (adherence["tracks"], adherence["part_seconds"], adherence["verdict"]) == (4, 7.0, False)
    assert [row["music"] for row in adherence["rows"]] == ["real: the part after it", "continuations", *toys]
    assert adherence["rows"][0]["way_ratio"] in (1.0, None), "tunes of one kind are hardly told apart"
    assert card["facts"]["epochs"] == 1
    assert card["facts"]["first_sound_seconds"] > 0
    assert 0 < card["facts"]["codec_error_db"] < 20
    assert [each["count"] for each in card["facts"]["generating"]] == [4, 1]
    page = (folder / "scorecard.html").read_text()
    for picture in ("minutes.png", "most-copied.png"):
        assert picture in page
        assert (folder / picture).read_bytes().startswith(b"\x89PNG")
    assert (folder / "continuation-1.wav").exists()
    assert (folder / "long-0.wav").exists()


def test_the_codec_is_nearer_to_the_music_than_an_untrained_network(judged: Path) -> None:
    card = json.loads((judged / "scorecard" / "scorecard.json").read_text())
    codec, made = row(card, "real, through the codec"), row(card, "continuations")
    assert codec["discrepancy"] < made["discrepancy"] / 2
    assert codec["frechet"] < made["frechet"] / 2
    real = row(card, "real, held out")
    assert codec["onset_db"] == pytest.approx(real["onset_db"], rel=0.2)
    assert codec["turns_per_second"] == pytest.approx(real["turns_per_second"], rel=0.2)


def test_music_of_the_same_kind_reads_zero_within_its_interval(music: Path) -> None:
    for i in range(2):
        write(music / "same" / f"{i}.wav", tune(36, seed=200 + i))
    card = judge(music, "same", "--held-out", "few")
    made = row(card, "continuations")
    assert made["low"] < 1.0
    assert made["discrepancy"] < card["ladder"][2]["discrepancy"], "less than noise at 30 dB"
    # Pure tones below 600 Hz lose nothing to a low-pass: such a ladder is not in order, and the card says so.
    assert any("low-pass" in name for name in card["ladder_not_in_order"])
    assert card["copying"]["made"][0]["seconds"] < 6


def test_a_planted_copy_is_found(music: Path) -> None:
    stolen = np.concatenate([tune(10, seed=300), tune(36, seed=1)[15 * RATE : 25 * RATE], tune(10, seed=301)])
    write(music / "stolen" / "mine.wav", 0.6 * stolen)
    judged = judge(music, "stolen", "--held-out", "few")
    longest = judged["copying"]["made"][0]
    assert (longest["recording"], longest["source"]) == ("mine.wav", "song 1.wav")
    assert longest["seconds"] == pytest.approx(10, abs=1.5)
    assert longest["at"] == pytest.approx(10, abs=1.0)
    assert longest["source_at"] == pytest.approx(15, abs=1.0)
    again = judged["order"][1]
    assert again["training_longest_s"] == pytest.approx(10, abs=1.0)
    assert 0.3 < again["training_again"] < 0.8


def test_a_reference_without_held_out_music_spares_a_part_of_its_own(music: Path) -> None:
    write(music / "noise" / "n.wav", 0.1 * np.random.default_rng(0).standard_normal((20 * RATE, 2)))
    write(music / "long" / "song.wav", tune(140))
    card = judge(music, "noise", reference="long")
    assert row(card, "continuations")["discrepancy"] > 10 * row(card, "real, held out")["discrepancy"]
    assert card["minutes"] is None
    assert card["survival"] is None


def test_mixed_rates_and_channels_are_judged_alike(music: Path) -> None:
    write(music / "mixed" / "a.wav", tune(15, rate=22050, channels=1, seed=210), rate=22050)
    write(music / "mixed" / "b.wav", tune(15, rate=48000, seed=211), rate=48000)
    assert row(judge(music, "mixed", "--held-out", "few"), "continuations")["recordings"] == 2


def assert_evaluate_refuses(music: Path, *arguments: str, words: tuple[str, ...], code: int = 1) -> None:
    assert_refused(music_composer("evaluate", *arguments, cwd=music), *words, code=code)


def test_folders_without_music_are_named(music: Path) -> None:
    (music / "empty").mkdir(exist_ok=True)
    assert_evaluate_refuses(music, "--generated", "empty", "--reference", "train", words=("empty",))
    assert_evaluate_refuses(music, "--generated", "train", "--reference", "nowhere", words=("nowhere",))
    assert_evaluate_refuses(
        music, "--generated", "train", "--reference", "train", "--held-out", "empty", words=("empty",)
    )
    (music / "text").mkdir(exist_ok=True)
    (music / "text" / "a.wav").write_text("not a recording")
    done = music_composer("evaluate", "--generated", "text", "--reference", "train", "--held-out", "few", cwd=music)
    assert_refused(done, "none of the 1 recordings in text")
    assert "text/a.wav: not a recording" in done.stderr


def test_too_little_music_is_said_with_the_counts(music: Path) -> None:
    write(music / "short" / "a.wav", tune(3))
    assert_evaluate_refuses(
        music, "--generated", "train", "--reference", "short", "--held-out", "few", words=("windows", "at least")
    )
    assert_evaluate_refuses(
        music, "--generated", "short", "--reference", "train", "--held-out", "few", words=("windows", "at least")
    )


def test_silence_is_judged_and_no_yardstick(music: Path) -> None:
    write(music / "silent" / "a.wav", np.zeros((20 * RATE, 2)))
    card = judge(music, "silent", "--held-out", "few")
    assert row(card, "continuations")["discrepancy"] > card["ladder"][1]["discrepancy"]
    assert card["copying"]["made"][0]["seconds"] == 0
    assert_evaluate_refuses(
        music, "--generated", "train", "--reference", "silent", "--held-out", "few", words=("silent",)
    )


def test_options_that_make_no_sense_are_usage(music: Path) -> None:
    assert_evaluate_refuses(music, "--generated", "train", words=("--reference",), code=2)
    assert_evaluate_refuses(music, "-g", "0", words=("-g/--generated-music-num is 0",), code=2)
    assert_evaluate_refuses(music, "-s", "1", words=("-s/--seconds-to-generate is 1",), code=2)
    assert_evaluate_refuses(music, "-m", "no such model", words=("no such model",))
