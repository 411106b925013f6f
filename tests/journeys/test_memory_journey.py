"""`--head memory` through the installed command: nothing is trained, and everything that plays can be played."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.command import (
    FEW_SPLICES,
    RATE,
    TINY,
    assert_accepted,
    assert_refused,
    kept_copy,
    kill_when,
    music_composer,
    tune,
    with_disk_of,
    write,
)

pytestmark = pytest.mark.journey

HEAD = ("--head", "memory", "--seed", "3")


@pytest.fixture(scope="module")
def remembered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder in which the bare command ran with a memory."""
    folder = tmp_path_factory.mktemp("remembered")
    for i in range(3):
        write(folder / "input_music_dataset" / f"song {i}.wav", tune(20, seed=i, channels=1 if i == 2 else 2))
    write(folder / "a.wav", tune(12, seed=8))
    write(folder / "b.wav", tune(5, seed=9))
    done = music_composer(*HEAD, "-s", "3", "-g", "2", cwd=folder)
    assert_accepted(done, "of music are remembered in", "2 continuations")
    assert "epoch" not in done.stderr
    return folder


def sound_of(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="int16", always_2d=True)[0]


def test_the_bare_command_goes_all_the_way(remembered: Path) -> None:
    for i in range(2):
        samples = sound_of(remembered / f"output-{i}.wav")
        assert samples.shape == (4 * RATE, 2), "a second of the prompt and three of new music"
        for second in range(4):
            assert np.abs(samples[second * RATE :][:RATE]).max() > 300, "it sounds throughout"
        said = json.loads((remembered / f"output-{i}.json").read_text())
        assert (said["seed"], said["number"], said["new_music_from_second"]) == (3, i, 1.0)
        assert said["jumps"] == sorted(set(said["jumps"]))
        assert 1.0 < said["jumps"][0] < 2.6, "the cut itself is none, and no run is longer than 1.5 s"
        assert said["jumps"][-1] < 4.0
    model = remembered / "model"
    assert not (model / "model.weights.h5").exists()
    index = json.loads((model / "memory.json").read_text())
    assert {entry["source"] for entry in index["entries"]} <= {f"song {i}.wav" for i in range(3)}
    assert len(list((model / "memory").iterdir())) == 2 * len(index["entries"])
    assert "memory" in music_composer("info", cwd=remembered).stdout


def test_the_same_seed_gives_the_same_bytes_whatever_is_played_beside_it(remembered: Path, tmp_path: Path) -> None:
    for name, seed, count in (("a", "5", "2"), ("b", "5", "1"), ("c", "6", "1")):
        wanted = ("-s", "2", "-g", count, "--seed", seed, "--prompt", "a.wav", "-o", tmp_path / name)
        assert_accepted(kept_copy("generate", *wanted, cwd=remembered))
    first, same, other = ((tmp_path / f"{name}-0.wav").read_bytes() for name in "abc")
    assert first == same
    assert first != other


def test_a_prompt_is_heard_whole_and_begins_the_file(remembered: Path, tmp_path: Path) -> None:
    wanted = ("-s", "2", "-g", "1", "--seed", "3", "--prompt", "a.wav", "--include-prompt", "-o", tmp_path / "x")
    assert_accepted(kept_copy("generate", *wanted, cwd=remembered))
    said = json.loads((tmp_path / "x-0.json").read_text())
    cut = round(said["new_music_from_second"] * RATE)
    assert cut > 11 * RATE
    before, prompt = sound_of(tmp_path / "x-0.wav")[: cut - RATE // 10], sound_of(remembered / "a.wav")
    np.testing.assert_allclose(before, prompt[: len(before)], atol=2)


def test_a_prompt_of_another_kind_goes_on_and_is_said(remembered: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0.0, 0.1, (12 * RATE, 1)) * (np.arange(12 * RATE) % RATE < 3000)[:, None]
    write(tmp_path / "noise.wav", noise)
    line = "noise.wav is unlike all recordings of the memory"
    wanted = ("-s", "1", "--seed", "3", "--prompt", "a.wav", "--prompt", tmp_path / "noise.wav", "-o", tmp_path / "x")
    done = music_composer("generate", *wanted, "-g", "4", cwd=remembered)
    assert_accepted(done, line)
    assert done.stderr.count("is unlike") == 1, "once, however many go on from it"
    streamed = ("--stream", "--prompt", tmp_path / "noise.wav", "-s", "1", "-o", tmp_path / "y")
    assert_accepted(kept_copy("generate", *streamed, cwd=remembered), line)


def test_a_stream_is_the_file(remembered: Path, tmp_path: Path) -> None:
    wanted = ("-s", "4", "--seed", "3", "--prompt", "a.wav")
    assert_accepted(kept_copy("generate", *wanted, "-g", "1", "-o", tmp_path / "x", cwd=remembered))
    done = music_composer("generate", "--stream", *wanted, "-o", tmp_path / "live", cwd=remembered)
    assert_accepted(done, "x real time")
    streamed, file = sound_of(tmp_path / "live-0.wav"), sound_of(tmp_path / "x-0.wav")
    np.testing.assert_allclose(streamed.astype(int), file, atol=1)  # the two writers round differently
    jumps = [json.loads((tmp_path / f"{name}-0.json").read_text())["jumps"] for name in ("live", "x")]
    assert jumps[0] == jumps[1]


def test_a_blend_goes_over_from_one_recording_to_a_mix_of_both(remembered: Path, tmp_path: Path) -> None:
    wanted = ("generate", "-s", "1", "-g", "1", "--seed", "3", "-o", tmp_path / "x")
    found = {}
    for share in ("0", "0.5", "1"):
        blend = ("--blend", "a.wav", "b.wav", "--blend-share", share)
        assert_accepted(kept_copy(*wanted, *blend, cwd=remembered))
        found[share] = sound_of(tmp_path / "x-0.wav")
    said = json.loads((tmp_path / "x-0.json").read_text())
    assert [voice["share"] for voice in said["blend"]] == [0.0, 1.0]
    for share, path in (("0", "a.wav"), ("1", "b.wav")):
        assert_accepted(kept_copy(*wanted, "--prompt", path, cwd=remembered))
        np.testing.assert_array_equal(found[share], sound_of(tmp_path / "x-0.wav"))
    lead = RATE - 2000  # up to where the new music begins
    np.testing.assert_array_equal(found["0.5"][:lead], found["0"][:lead])
    assert (found["0.5"][RATE:] != found["0"][RATE:]).any()


def test_a_gap(remembered: Path, tmp_path: Path) -> None:
    gap = ("--infill", "a.wav", "--from", "6", "--to", "7.5", "--seed", "3", "--candidates", "2")
    assert_accepted(kept_copy("generate", *gap, "-o", tmp_path / "gap", cwd=remembered), "fits best")
    filled, whole = sound_of(tmp_path / "gap-0.wav"), sound_of(remembered / "a.wav")
    assert filled.shape == whole.shape
    np.testing.assert_array_equal(filled[: 5 * RATE], whole[: 5 * RATE])
    np.testing.assert_array_equal(filled[8 * RATE :], whole[8 * RATE :])
    assert np.abs(filled[round(6.2 * RATE) : round(7.2 * RATE)]).max() > 300


def test_it_is_judged_like_any_other_head(remembered: Path) -> None:
    write(remembered / "others" / "c.wav", tune(30, seed=11))
    wanted = ("-g", "2", "-s", "7", "--long-num", "0", "--cuts", "2", "--held-out", "others")
    done = music_composer("evaluate", *wanted, cwd=remembered, constants=FEW_SPLICES)
    assert_accepted(done, "judged in")
    card = json.loads((remembered / "scorecard" / "scorecard.json").read_text())
    names = [row["music"] for row in card["distance"]]
    assert names[:2] == ["real, held out", "continuations"]
    assert "real, through the codec" not in names
    assert "codec_error_db" not in card["facts"]
    assert card["facts"]["epochs"] == 0


def test_it_plays_without_the_dataset_and_without_a_guard(remembered: Path, tmp_path: Path) -> None:
    shutil.copytree(remembered / "model", tmp_path / "model")
    wanted = ("generate", "-s", "1", "-g", "1", "--seed", "3")
    assert_accepted(music_composer(*wanted, cwd=tmp_path))
    assert_accepted(music_composer(*wanted, "--no-guard", "-o", "free", cwd=tmp_path))
    assert len(sound_of(tmp_path / "free-0.wav")) == 2 * RATE


def test_what_has_changed_alone_is_remembered_anew(remembered: Path, tmp_path: Path) -> None:
    shutil.copytree(remembered, tmp_path / "w")
    here = tmp_path / "w"
    files = here / "model" / "memory"
    before = {path.name: path.stat().st_mtime_ns for path in files.iterdir()}
    write(here / "input_music_dataset" / "new.wav", tune(20, seed=5))
    (here / "input_music_dataset" / "song 0.wav").unlink()
    assert_accepted(music_composer("train", *HEAD, cwd=here), "have come", "have changed or gone")
    after = {path.name: path.stat().st_mtime_ns for path in files.iterdir()}
    kept = before.keys() & after.keys()
    assert kept, "what is still there"
    assert all(before[name] == after[name] for name in kept)
    sources = {each["source"] for each in json.loads((here / "model" / "memory.json").read_text())["entries"]}
    assert "new.wav" in sources
    assert "song 0.wav" not in sources
    assert len(after) == 2 * len(json.loads((here / "model" / "memory.json").read_text())["entries"])


def test_a_run_folder_has_one_head_unless_it_is_begun_anew(remembered: Path, tmp_path: Path) -> None:
    shutil.copytree(remembered, tmp_path / "w")
    here = tmp_path / "w"
    assert_refused(music_composer("train", "--head", "flow", cwd=here), "--head memory", "--fresh", code=2)
    assert_accepted(music_composer("train", *TINY, "--head", "flow", "--fresh", cwd=here))
    assert not (here / "model" / "memory").exists()
    assert not (here / "model" / "memory.json").exists()
    assert (here / "model" / "model.weights.h5").exists()
    assert_accepted(music_composer("train", *HEAD, "--fresh", cwd=here))
    assert (here / "model" / "memory.json").exists()
    assert not (here / "model" / "model.weights.h5").exists()


@pytest.mark.parametrize("name", ["memory.json", "steps-*.npy", "sound-*.flac"])
def test_damage_is_one_line(remembered: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(remembered / "model", tmp_path / "model")
    for path in (tmp_path / "model").rglob(name):
        path.write_bytes(path.read_bytes()[:100])
    assert_refused(music_composer("generate", "-s", "1", "-g", "1", cwd=tmp_path), "memory", "train again")


def test_a_full_disk_is_one_line_and_nothing_torn(remembered: Path, tmp_path: Path) -> None:
    shutil.copytree(remembered / "input_music_dataset", tmp_path / "input_music_dataset")
    shutil.copytree(remembered / "train_data", tmp_path / "train_data")
    assert_refused(music_composer("train", *HEAD, cwd=tmp_path, before=with_disk_of(300_000)), "cannot be written")
    assert not list(tmp_path.rglob("*.part*"))


def test_killed_anywhere_it_ends_as_if_it_had_not_been(remembered: Path, tmp_path: Path) -> None:
    shutil.copytree(remembered / "input_music_dataset", tmp_path / "input_music_dataset")
    code, _ = kill_when("recordings, ", "train", *HEAD, cwd=tmp_path)  # they are prepared
    assert code == -signal.SIGKILL
    assert_accepted(music_composer("train", *HEAD, cwd=tmp_path))
    for path in (remembered / "model" / "memory").iterdir():
        assert (tmp_path / "model" / "memory" / path.name).read_bytes() == path.read_bytes()
    assert not list((tmp_path / "model").rglob("*.part*"))
