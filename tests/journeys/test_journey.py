"""Whole journeys through the installed command, on seconds of synthetic music."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.command import (
    COMMAND,
    RATE,
    SHORT,
    TINY,
    Started,
    assert_accepted,
    assert_refused,
    kept_copy,
    kill_when,
    music_composer,
    tune,
    write,
)

pytestmark = pytest.mark.journey

JOB = ("train", *TINY[:-1], "6", "--seed", "7")  # six epochs


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    for i in range(3):
        write(tmp_path / "input_music_dataset" / f"song {i}.wav", tune(8, seed=i))
    return tmp_path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    for i in range(3):
        write(folder / "input_music_dataset" / f"song {i}.wav", tune(8, seed=i))
    first = music_composer("train", "--head", "flow", "-n", "8", "-b", "4", "-e", "1", "--seed", "1", cwd=folder)
    assert_accepted(first, "24 s of music: 2 layers (chosen; -l chooses otherwise)", "training 2 x 8 LSTM")
    return folder


def test_the_bare_command_goes_all_the_way(songs: Path) -> None:
    done = music_composer(*TINY[2:], *SHORT, "--seed", "3", cwd=songs)  # with --head auto
    assert_accepted(
        done, "3 recordings", "are remembered in", "epoch 1/1", "the network plays: too little", "continuations"
    )
    for name in ("options.json", "model.weights.h5", "checkpoint.npz", "history.csv", "loss.png", "memory.json"):
        assert (songs / "model" / name).stat().st_size
    for i in range(2):
        samples, rate = soundfile.read(songs / f"output-{i}.wav", always_2d=True)
        assert (rate, samples.shape[1]) == (RATE, 2)
        assert len(samples) == round(1.5 * RATE), "a second of the prompt and half a second of new music"
        assert np.abs(samples[RATE:]).max() > 1e-3, "the new music sounds"
        assert soundfile.info(songs / f"output-{i}.wav").subtype == "PCM_16"
        assert (songs / f"output-{i}.png").read_bytes().startswith(b"\x89PNG")
        said = json.loads((songs / f"output-{i}.json").read_text())
        assert (said["seed"], said["number"], said["new_music_from_second"]) == (3, i, 1.0)
        assert said["prompt"]["file"].startswith("input_music_dataset")
        assert said["model_options"]["head"] == "flow"
    assert not list(songs.rglob("*.part*"))
    played = ("generate", "-s", "0.5", "-g", "1", "--seed", "3", "--head", "memory", "-o", "other")
    assert_accepted(music_composer(*played, cwd=songs))
    assert json.loads((songs / "other-0.json").read_text())["model_options"]["head"] == "memory"
    assert (songs / "other-0.wav").read_bytes() != (songs / "output-0.wav").read_bytes()
    assert "choice   the network plays" in music_composer("info", cwd=songs).stdout


def test_the_same_seed_gives_the_same_files(trained: Path, tmp_path: Path) -> None:
    for name, seed, run in (("a", "5", music_composer), ("b", "5", kept_copy), ("c", "6", kept_copy)):
        wanted = ("-s", "0.5", "-g", "1", "--seed", seed, "-o", tmp_path / name)
        assert_accepted(run("generate", *wanted, cwd=trained))
    first, same, other = ((tmp_path / f"{name}-0.wav").read_bytes() for name in "abc")
    assert first == same
    assert first != other


def test_the_same_seed_trains_the_same_weights_killed_and_stopped_or_neither(songs: Path) -> None:
    assert_accepted(music_composer(*JOB, "-m", "whole", cwd=songs))
    assert (songs / "whole" / "history.csv").read_text().count("\n") == 7
    broken = (*JOB, "-m", "broken")
    kill_when("epoch 2/6", *broken, cwd=songs)
    without_epochs = [word for word in broken if word not in ("-e", "6")]  # it knows them
    code, said = kill_when("epoch 3/6", *without_epochs, cwd=songs, number=signal.SIGINT)
    assert code == 130
    assert "going on in epoch" in said
    assert "stopping: the step is finished and all is saved first" in said
    assert "the same command goes on" in said
    sampled = music_composer(*broken, "--sample-every", "6", cwd=songs)
    assert_accepted(sampled, "going on in epoch", "epoch 6/6")
    _assert_same_weights(songs / "whole", songs / "broken")
    assert soundfile.info(songs / "broken" / "samples" / "epoch-0006" / "sample.wav").duration == pytest.approx(11.0)
    assert (songs / "broken" / "samples" / "epoch-0006" / "model.weights.h5").stat().st_size


def test_a_second_run_trains_further(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    again = music_composer("train", "-e", "2", "-b", "4", cwd=tmp_path)
    assert_accepted(again, "1 trained epochs with 2 more")
    assert "chosen" not in again.stderr
    assert (tmp_path / "model" / "history.csv").read_text().splitlines()[-1].startswith("3,")


def test_a_killed_generation_leaves_nothing_torn_and_goes_on_without_training(songs: Path) -> None:
    job = (*TINY, "-s", "5", "-g", "2", "--seed", "3")
    kill_when("writing 2 continuations", *job, cwd=songs)
    assert not list(songs.glob("output-*.wav"))
    assert_accepted(music_composer(*job, cwd=songs), "its music is not", "2 continuations")
    assert soundfile.info(songs / "output-1.wav").duration == pytest.approx(6)
    assert (songs / "model" / "history.csv").read_text().count("\n") == 2, "one epoch, not two"
    assert not list(songs.glob(".*")), "what the killed run had begun is gone"


def test_a_killed_prepare_goes_on(songs: Path) -> None:
    write(songs / "input_music_dataset" / "long.wav", tune(400))
    with Started("prepare", cwd=songs) as process:
        while process.poll() is None and not list((songs / "train_data").glob(".*")):
            pass
        process.send_signal(signal.SIGKILL)
    assert_accepted(music_composer("prepare", cwd=songs), "4 recordings")
    shards = {path.name for path in (songs / "train_data").iterdir()}
    assert len(shards) == 5, "four shards and the index"
    assert_accepted(music_composer("prepare", cwd=songs), "0 prepared, 4 already there")


def test_a_prompt_is_kept_and_continued(trained: Path, tmp_path: Path) -> None:
    song = tune(5, seed=9)
    write(tmp_path / "prompt.wav", song, subtype="FLOAT")
    assert_accepted(
        kept_copy(
            "generate", "-s", "2", "-g", "1", "--prompt", tmp_path / "prompt.wav", "--include-prompt",
            "--subtype", "FLOAT", "-o", tmp_path / "out", cwd=trained,
        )
    )  # fmt: skip
    samples, _ = soundfile.read(tmp_path / "out-0.wav", always_2d=True)
    said = json.loads((tmp_path / "out-0.json").read_text())
    cut = round(said["new_music_from_second"] * RATE)
    assert len(samples) - cut == pytest.approx(2 * RATE, abs=RATE / 1000)
    untouched = cut - round(0.06 * RATE)
    np.testing.assert_allclose(samples[:untouched], song[:untouched], atol=1e-6)


def test_prompts_are_used_in_turn(trained: Path, tmp_path: Path) -> None:
    for i in range(2):
        write(tmp_path / f"p{i}.wav", tune(3, seed=i))
    arguments = ["--prompt", tmp_path / "p0.wav", "--prompt", tmp_path / "p1.wav"]
    assert_accepted(kept_copy("generate", "-s", "0.5", "-g", "3", *arguments, "-o", tmp_path / "x", cwd=trained))
    used = [json.loads((tmp_path / f"x-{i}.json").read_text())["prompt"]["file"][-6:] for i in range(3)]
    assert used == ["p0.wav", "p1.wav", "p0.wav"]


def test_generate_needs_the_run_folder_alone(trained: Path, tmp_path: Path) -> None:
    refused = music_composer("generate", *SHORT, "--head", "memory", cwd=trained)
    assert_refused(refused, "was made with --head flow", "--head auto --fresh", code=2)
    (trained / "model").rename(tmp_path / "elsewhere")
    try:
        assert_accepted(kept_copy("generate", *SHORT, "-m", "elsewhere", cwd=tmp_path), "2 continuations")
    finally:
        (tmp_path / "elsewhere").rename(trained / "model")


def test_mono_stays_mono_and_other_rates_become_44100(tmp_path: Path) -> None:
    write(tmp_path / "input_music_dataset" / "a.wav", tune(8, 22050, 1), 22050)
    assert_accepted(music_composer(*TINY, *SHORT, "--head", "regression", cwd=tmp_path))
    written = soundfile.info(tmp_path / "output-0.wav")
    assert (written.channels, written.samplerate) == (1, RATE)


@pytest.mark.parametrize("subtype", ["PCM_24", "FLOAT"])
def test_sample_formats(trained: Path, tmp_path: Path, subtype: str) -> None:
    assert_accepted(kept_copy("generate", *SHORT, "--subtype", subtype, "-o", tmp_path / "deep" / "er", cwd=trained))
    assert soundfile.info(tmp_path / "deep" / "er-1.wav").subtype == subtype


def test_info_says_what_is_there(trained: Path, tmp_path: Path) -> None:
    said = music_composer("info", cwd=trained).stdout
    assert "3 songs, 24 s, stereo" in said
    assert "2 x 8 LSTM, flow head" in said
    nothing = music_composer("info", cwd=tmp_path).stdout
    assert "does not exist" in nothing
    assert not list(tmp_path.iterdir()), "looking changes nothing"


def test_python_m_works(tmp_path: Path) -> None:
    done = subprocess.run(
        [COMMAND.with_name("python"), "-m", "music_composer", "--version"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def _assert_same_weights(one: Path, two: Path) -> None:
    with np.load(one / "checkpoint.npz") as a, np.load(two / "checkpoint.npz") as b:
        names = [name for name in a.files if name != "state"]
        assert names
        for name in names:
            np.testing.assert_array_equal(a[name], b[name], err_msg=name)
