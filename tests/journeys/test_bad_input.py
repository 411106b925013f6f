"""Bad input through the installed command: one clear line and a non-zero exit, or handled and said."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.command import (
    COMMAND,
    SHORT,
    TINY,
    assert_accepted,
    assert_refused,
    music_composer,
    tune,
    with_disk_of,
    without_privileges,
    write,
)

pytestmark = pytest.mark.journey


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    """A working folder whose dataset holds one good recording of 6 s."""
    write(tmp_path / "input_music_dataset" / "good.wav", tune(6))
    return tmp_path


@pytest.fixture(scope="module")
def trained(copied: Callable[[], Path]) -> Path:
    """A working folder with a trained model. Tests that damage it work on a copy."""
    return copied()


def test_no_folder_is_made_and_explained(tmp_path: Path) -> None:
    assert_refused(music_composer(*TINY, cwd=tmp_path), "input_music_dataset", "has been made", "put recordings")
    assert (tmp_path / "input_music_dataset").is_dir()


def test_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "input_music_dataset").mkdir()
    assert_refused(music_composer("prepare", cwd=tmp_path), "input_music_dataset", "no recordings")


def test_dataset_that_is_a_file(tmp_path: Path) -> None:
    song = write(tmp_path / "song.wav", tune(1))
    assert_refused(music_composer("prepare", "-d", song, cwd=tmp_path), "song.wav", "is a file")


def test_only_unusable_files_are_all_named(tmp_path: Path) -> None:
    folder = tmp_path / "input_music_dataset"
    folder.mkdir()
    (folder / "letter.wav").write_text("Dear user, I am not a recording.\n" * 50)
    write(folder / "silent.wav", np.zeros((44100, 2)))
    done = music_composer("prepare", cwd=tmp_path)
    assert_refused(done, "none of the 2 files", "letter.wav", "silent.wav", "silence")


@pytest.mark.parametrize(
    ("name", "samples", "word"),
    [
        ("silent.wav", np.zeros((44100, 2)), "silence"),
        ("one.wav", np.zeros((1, 1)), "silence"),
        ("none.wav", np.zeros((0, 1)), "no samples"),
    ],
)
def test_a_file_without_music_is_named_and_the_others_used(
    songs: Path, name: str, samples: np.ndarray, word: str
) -> None:
    write(songs / "input_music_dataset" / name, samples)
    assert_accepted(music_composer("prepare", cwd=songs), name, word, "1 recordings")


def test_text_file_named_wav(songs: Path) -> None:
    (songs / "input_music_dataset" / "letter.wav").write_text("not a recording")
    assert_accepted(music_composer("prepare", cwd=songs), "letter.wav", "not a recording", "1 recordings")


def test_truncated_wav_is_used_as_far_as_it_goes(songs: Path) -> None:
    path = write(songs / "input_music_dataset" / "cut.wav", tune(4))
    path.write_bytes(path.read_bytes()[: 44 + 2 * 4 * 44100])
    assert_accepted(music_composer("prepare", cwd=songs), "cut.wav", "header promises", "2 recordings")


def test_header_that_lies_about_its_length(songs: Path) -> None:
    path = write(songs / "input_music_dataset" / "liar.wav", tune(2))
    lie = bytearray(path.read_bytes())
    lie[40:44] = (2**31 - 1).to_bytes(4, "little")
    path.write_bytes(lie)
    assert_accepted(music_composer("prepare", cwd=songs), "liar.wav", "header promises", "2 recordings")


def test_nan_and_inf_samples(songs: Path) -> None:
    samples = tune(3)
    samples[1000:1010], samples[2000] = np.nan, np.inf
    write(songs / "input_music_dataset" / "broken.wav", samples, subtype="FLOAT")
    assert_accepted(music_composer("prepare", cwd=songs), "broken.wav", "not numbers", "2 recordings")


@pytest.mark.parametrize(
    ("name", "rate", "channels", "subtype", "said"),
    [
        ("eight bit.wav", 44100, 2, "PCM_U8", ""),
        ("24 bit.wav", 48000, 2, "PCM_24", ""),
        ("float64.wav", 44100, 1, "DOUBLE", ""),
        ("surround.wav", 44100, 6, "PCM_16", "6 channels"),
        ("telephone.wav", 8000, 1, "PCM_16", ""),
        ("studio.wav", 192000, 2, "PCM_24", ""),
        ("Ça va, été à Łódź.WAV", 44100, 2, "PCM_16", ""),
    ],
)
def test_unusual_but_good_recordings(
    tmp_path: Path, name: str, rate: int, channels: int, subtype: str, said: str
) -> None:
    write(tmp_path / "input_music_dataset" / name, tune(2, rate, channels), rate, subtype)
    assert_accepted(music_composer("prepare", cwd=tmp_path), "1 recordings", "2 s of music", said)


def test_unreadable_file_is_named(songs: Path) -> None:
    write(songs / "input_music_dataset" / "secret.wav", tune(2)).chmod(0)
    assert_accepted(music_composer("prepare", cwd=songs, before=without_privileges), "secret.wav", "permission denied")


def test_read_only_cache_folder(songs: Path) -> None:
    (songs / "train_data").mkdir(mode=0o555)
    done = music_composer("prepare", cwd=songs, before=without_privileges)
    assert_refused(done, "train_data", "permission denied")


def test_cache_folder_that_is_a_file(songs: Path) -> None:
    (songs / "train_data").write_text("")
    assert_refused(music_composer("prepare", cwd=songs), "train_data", "cannot be made")


def test_full_disk_while_preparing(songs: Path) -> None:
    done = music_composer("prepare", cwd=songs, before=with_disk_of(100_000))
    assert_refused(done, "train_data", "cannot be written", "too large")
    left = [path.name for path in (songs / "train_data").iterdir()]
    assert left in ([], ["index.json"]), "nothing half-written is left"


def test_full_disk_while_training(songs: Path) -> None:
    assert_accepted(music_composer("prepare", cwd=songs))
    assert_refused(
        music_composer("train", *TINY, cwd=songs, before=with_disk_of(300_000)), "model", "cannot be written"
    )


def test_full_disk_while_generating(trained: Path, tmp_path: Path) -> None:
    done = music_composer(
        "generate", "-m", trained / "model", "-d", trained / "input_music_dataset", "-t", trained / "train_data",
        "-s", "5", "-g", "1", cwd=tmp_path, before=with_disk_of(300_000),
    )  # fmt: skip
    assert_refused(done, "output-0.wav", "cannot be written")
    assert not list(tmp_path.iterdir()), "nothing half-written is left"


@pytest.mark.parametrize(
    ("flag", "value"),
    [("-n", "0"), ("-l", "0"), ("-b", "0"), ("-e", "-1"), ("-e", "0"), ("-s", "0"), ("-s", "nan"), ("-g", "0")],
)
def test_numbers_that_make_no_sense(songs: Path, flag: str, value: str) -> None:
    assert_refused(music_composer(flag, value, cwd=songs), flag, value, code=2)
    assert not (songs / "train_data").exists(), "refused before any work"


@pytest.mark.parametrize(
    "arguments", [["--head", "magic"], ["-n", "many"], ["--subtype", "MP3"], ["--no-such"], ["sing"]]
)
def test_usage_errors(songs: Path, arguments: list[str]) -> None:
    assert_refused(music_composer(*arguments, cwd=songs), arguments[-1], code=2)


def test_options_before_a_subcommand(songs: Path) -> None:
    assert_refused(music_composer("-n", "8", "train", cwd=songs), "after `train`", code=2)


def test_generate_without_a_model(tmp_path: Path) -> None:
    assert_refused(music_composer("generate", cwd=tmp_path), "model", "no trained model", "train")


def test_run_folder_of_another_network(trained: Path) -> None:
    done = music_composer("train", "-n", "16", "-l", "2", cwd=trained)
    assert_refused(done, "-n 8 -l 1", "--fresh", "-m", code=2)


def test_generate_with_another_network(trained: Path) -> None:
    assert_refused(music_composer("generate", "-n", "16", cwd=trained), "-n 8 -l 1", code=2)


def test_weights_file_cut_in_half(trained: Path, tmp_path: Path) -> None:
    model = _copy_of(trained / "model", tmp_path / "model")
    weights = model / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    assert_refused(music_composer("generate", *SHORT, cwd=tmp_path), "model.weights.h5", "damaged", "--fresh")


def test_checkpoint_cut_in_half(trained: Path, tmp_path: Path) -> None:
    _copy_of(trained / "model", tmp_path / "model")
    _copy_of(trained / "input_music_dataset", tmp_path / "input_music_dataset")
    checkpoint = tmp_path / "model" / "checkpoint.npz"
    checkpoint.write_bytes(checkpoint.read_bytes()[: checkpoint.stat().st_size // 2])
    assert_refused(music_composer("train", *TINY, cwd=tmp_path), "checkpoint.npz", "damaged", "--fresh")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"magic": "something else"}'])
def test_options_that_are_not_ours(trained: Path, tmp_path: Path, content: str) -> None:
    _copy_of(trained / "model", tmp_path / "model")
    (tmp_path / "model" / "options.json").write_text(content)
    assert_refused(music_composer("generate", *SHORT, cwd=tmp_path), "options.json", "damaged or not ours")


def test_prompt_that_is_not_there(trained: Path) -> None:
    assert_refused(music_composer("generate", *SHORT, "--prompt", "nowhere.wav", cwd=trained), "nowhere.wav", code=2)


def test_prompt_without_sound(trained: Path) -> None:
    write(trained / "silent.wav", np.zeros((44100, 2)))
    assert_refused(
        music_composer("generate", *SHORT, "--prompt", "silent.wav", cwd=trained), "silent.wav", "to continue"
    )


def test_prompt_that_is_not_a_recording(trained: Path) -> None:
    (trained / "prompt.wav").write_text("la la la")
    assert_refused(
        music_composer("generate", *SHORT, "--prompt", "prompt.wav", cwd=trained), "prompt.wav", "not a recording"
    )


def test_music_too_short_for_a_window(tmp_path: Path) -> None:
    write(tmp_path / "input_music_dataset" / "blip.wav", tune(0.2))
    assert_refused(music_composer("train", *TINY, cwd=tmp_path), "at least", "longer recordings")


def test_short_recordings_are_joined_and_said(tmp_path: Path) -> None:
    for i in range(8):
        write(tmp_path / "input_music_dataset" / f"blip {i}.wav", tune(1.0, seed=i))
    assert_accepted(music_composer("train", *TINY, cwd=tmp_path), "8 recordings", "joined")


def test_damaged_cache_is_made_again_and_said(songs: Path) -> None:
    assert_accepted(music_composer("prepare", cwd=songs))
    index = (songs / "train_data" / "index.json").read_text()
    half = index[: len(index) * 3 // 4]
    (songs / "train_data" / "index.json").write_text(half)
    assert_accepted(music_composer("prepare", cwd=songs), "damaged", "1 prepared")


def _copy_of(source: Path, target: Path) -> Path:
    for path in source.rglob("*"):
        if path.is_file():
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return target


@pytest.mark.parametrize("streams", ["2>&-", ">&- 2>&-", "<&- 2>&-", "2>/dev/full"])
def test_nobody_need_hear_what_is_said(songs: Path, streams: str) -> None:
    """And no file of ours gets the number of a stream that is closed, with all that is said to it."""
    line = f"{COMMAND} prepare {streams} && {COMMAND} info {streams}"
    assert subprocess.run(["sh", "-c", line], cwd=songs, stdout=subprocess.DEVNULL).returncode == 0
    assert json.loads((songs / "train_data" / "index.json").read_text())["songs"]
    refused = subprocess.run(["sh", "-c", f"{COMMAND} midi prepare {streams}"], cwd=songs, stdout=subprocess.DEVNULL)
    assert refused.returncode == 1


def test_a_full_standard_output_is_said(songs: Path) -> None:
    done = subprocess.run(["sh", "-c", f"{COMMAND} info > /dev/full"], cwd=songs, capture_output=True, text=True)
    assert_refused(done, "No space left on device")


def test_output_is_not_wrapped_around(trained: Path, tmp_path: Path) -> None:
    """A prompt at full scale gives samples that were clipped at most, never of the other sign."""
    loud = write(tmp_path / "loud.wav", np.clip(5 * tune(4), -1, 1))
    assert_accepted(music_composer("generate", *SHORT, "--prompt", loud, "-o", tmp_path / "loud", cwd=trained))
    samples, _ = soundfile.read(tmp_path / "loud-0.wav")
    jumps = np.abs(np.diff(samples[:44100], axis=0)).max()
    assert jumps < 1.5, "a wrapped sample jumps by nearly 2"
