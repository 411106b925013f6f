"""The other three models of notes through the installed command, each from training to MIDI files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.command import assert_accepted, assert_refused, kept_copy, music_composer
from tests.symbolic.tunes import roll_of, write_tune

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with MIDI files that are already read."""
    folder = tmp_path_factory.mktemp("models")
    for seed in range(4):
        write_tune(folder / "input_music_dataset" / f"{seed}.mid", seed)
    write_tune(folder / "primer.mid", seed=9, quarters=4)
    assert_accepted(music_composer("midi", "prepare", cwd=folder), "4 MIDI files")
    return folder


def test_the_polyphony_model_makes_the_same_journey(prepared: Path) -> None:
    model = ("-m", "poly")
    layers = ("--model", "polyphony", "-n", "8", "-l", "2", "--transpose", "2")
    done = music_composer("midi", "train", *model, *layers, "-e", "2", "-b", "2", "--seed", "1", cwd=prepared)
    assert_accepted(done, "training the polyphony model", "held-out")
    again = music_composer("midi", "train", *model, "-e", "1", "-b", "2", cwd=prepared)
    assert_accepted(again, "going on from 2 trained epochs with 1 more")
    for name, run in (("c", kept_copy), ("d", music_composer)):
        primer = (
            "--primer-melody",
            "[60, -2, 64, 67]",
            "--inject-primer-during-generation",
            "--no-condition-on-primer",
        )
        more = ("--num-steps", "24", "-g", "2", "--seed", "3", "--top-k", "20", "--max-polyphony", "4", "-o", name)
        done = run("midi", "generate", *model, *primer, *more, cwd=prepared)
        assert done.returncode == 0, done.stderr
    assert (prepared / "c-1.mid").read_bytes() == (prepared / "d-1.mid").read_bytes()
    made = roll_of(prepared / "c-0.mid")
    assert [made.onset[0, 60], made.onset[2, 64], made.onset[3, 67]] == [True, True, True]
    beam = ("--beam-size", "2", "--branch-factor", "3", "--steps-per-iteration", "4", "--num-steps", "12", "-g", "1")
    assert kept_copy("midi", "generate", *model, *beam, "-o", "e", cwd=prepared).returncode == 0
    assert_refused(
        music_composer("midi", "train", *model, "--model", "voices", cwd=prepared), "--model polyphony", code=2
    )
    assert_refused(
        music_composer("midi", "train", "--model", "voices", "-l", "2", cwd=prepared), "has no layers", code=2
    )
    done = kept_copy("midi", "score", "primer.mid", *model, cwd=prepared)
    assert "under the polyphony model" in done.stdout


def test_the_piano_roll_model_makes_the_same_journey(prepared: Path) -> None:
    model = ("-m", "roll", "--seed", "2")
    sizes = ("--model", "pianoroll", "-n", "8", "-e", "2", "-b", "2", "--sample-every", "2")
    done = music_composer("midi", "train", *model, *sizes, cwd=prepared)
    assert_accepted(done, "training the pianoroll model", "held-out")
    kept = {path.relative_to(prepared / "roll" / "samples").as_posix() for path in prepared.glob("roll/samples/*/*")}
    assert kept == {"epoch-0002/sample.mid", "epoch-0002/model.weights.h5"}
    wanted = ("--num-steps", "32", "-g", "1", "--top-k", "5", "--note-stability", "4")
    for name, run in (("f", kept_copy), ("h", music_composer)):
        done = run("midi", "generate", *model, *wanted, "-o", name, cwd=prepared)
        assert done.returncode == 0, done.stderr
    assert (prepared / "f-0.mid").read_bytes() == (prepared / "h-0.mid").read_bytes()
    made = roll_of(prepared / "f-0.mid")
    turns = np.flatnonzero((made.active[1:] != made.active[:-1]).any(axis=1))
    assert np.diff(turns).min(initial=4) >= 4
    assert "under the pianoroll model" in kept_copy("midi", "score", "primer.mid", *model[:2], cwd=prepared).stdout


def test_the_biaxial_model_makes_the_same_journey(prepared: Path) -> None:
    model = ("-m", "biaxial", "--seed", "2")
    sizes = ("--model", "biaxial", "-n", "6", "-l", "1", "--transpose", "1", "-e", "1", "-b", "4")
    done = music_composer("midi", "train", *model, *sizes, cwd=prepared)
    assert_accepted(done, "training the biaxial model", "held-out")
    wanted = ("--num-steps", "16", "-g", "1", "--conservativity", "2", "--adaptive", "--primer-midi", "primer.mid")
    for name, run in (("i", kept_copy), ("j", music_composer)):
        done = run("midi", "generate", *model, *wanted, "-o", name, cwd=prepared)
        assert done.returncode == 0, done.stderr
    assert (prepared / "i-0.mid").read_bytes() == (prepared / "j-0.mid").read_bytes()
    assert np.array_equal(roll_of(prepared / "i-0.mid").onset[:16], roll_of(prepared / "primer.mid").onset)
    done = music_composer("midi", "observe", "primer.mid", *model[:2], cwd=prepared)
    assert "open midi_thoughts/index.html" in done.stdout, done.stderr
    pictures = {"notes.png", "layer-1.png"}
    assert {path.name for path in (prepared / "midi_thoughts").iterdir()} == {"index.html", "thoughts.json", *pictures}
    refused = music_composer("midi", "generate", *model, "--top-k", "3", cwd=prepared)
    assert_refused(refused, "does nothing for the biaxial model", code=2)
    assert "under the biaxial model" in kept_copy("midi", "score", "primer.mid", *model[:2], cwd=prepared).stdout
