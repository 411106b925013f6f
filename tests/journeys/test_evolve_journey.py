"""`music-composer midi evolve` as a user runs it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from music_composer.symbolic.midi.midi_file import read_midi, write_midi
from music_composer.values import NOTE, Part, Score
from tests.command import COMMAND, assert_accepted, assert_refused, music_composer, without_privileges

pytestmark = pytest.mark.journey

SMALL = ("-g", "4", "-m", "12", "-s", "3", "-c", "3", "-i", "3", "-ls", "4", "-wi", "2", "--seed", "1")


def write_parts(path: Path, *parts: list[tuple[int, int, int]], drums: bool = False) -> Path:
    """Parts of (start, stop, pitch), in sixteenths."""
    rows = [[(120 * start, 120 * stop, pitch, 70) for start, stop, pitch in part] for part in parts]
    made = tuple(Part(np.sort(np.array(row, NOTE), order=["start", "pitch"]), i, drums) for i, row in enumerate(rows))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_midi(Score(made, tempos=((0, 96.0),)), path)
    return path


def tune(count: int = 40, seed: int = 0) -> list[tuple[int, int, int]]:
    pitches = np.random.default_rng(seed).choice([60, 62, 64, 65, 67], count)
    return [(2 * i, 2 * i + 1 + i % 2, int(pitch)) for i, pitch in enumerate(pitches)]


@pytest.fixture(scope="module")
def evolved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of an evolution that was saved."""
    folder = tmp_path_factory.mktemp("evolve")
    write_parts(folder / "two parts.mid", [(0, 80, 36), (80, 84, 38)], tune())
    assert_accepted(
        music_composer("midi", "evolve", "two parts.mid", *SMALL, "--save", cwd=folder),
        "12 networks on 40 notes, 5 of them different", "4 generations",
    )  # fmt: skip
    (run,) = (folder / "outputs").iterdir()
    return run


def test_the_run_folder_holds_the_music_the_networks_and_how_it_went(evolved: Path) -> None:
    names = sorted(path.name for path in evolved.iterdir())
    facts = json.loads((evolved / "evolution.json").read_text())
    assert facts["seed"] == 1
    assert len(facts["ratings"]) == 4
    two, four = (f"output_{n}_{round(100 * round(facts['ratings'][n - 1], 2))}.mid" for n in (2, 4))
    assert names == sorted(["evolution.json", "models.json", two, four, "ratings.png", "two parts.mid"])
    assert len(json.loads((evolved / "models.json").read_text())) == 3


def test_the_second_part_is_repitched_in_its_own_rhythm_with_its_own_notes(evolved: Path) -> None:
    (path,) = evolved.glob("output_4_*.mid")
    score, before = read_midi(path).score, read_midi(evolved / "two parts.mid").score
    accompaniment, part = score.parts
    assert np.array_equal(accompaniment.notes, before.parts[0].notes)
    theirs = before.parts[1].notes
    for field in ("start", "stop", "velocity"):
        assert np.array_equal(part.notes[field], theirs[field])
    assert set(part.notes["pitch"]) <= set(theirs["pitch"])
    assert score.tempos[0][1] == pytest.approx(96, abs=0.01)


def test_the_same_seed_gives_the_same_notes_parallel_or_not(evolved: Path, tmp_path: Path) -> None:
    source = evolved / "two parts.mid"
    assert_accepted(music_composer("midi", "evolve", source, *SMALL, "--parallel", "-o", "again", cwd=tmp_path))
    for path in (tmp_path / "again").glob("*/output*.mid"):
        assert path.read_bytes() == (evolved / path.name).read_bytes()
    other = (*SMALL[:-1], "2")
    assert_accepted(music_composer("midi", "evolve", source, *other, "-o", "other", cwd=tmp_path))
    ratings = [json.loads(next(Path(folder).glob("evolution.json")).read_text())["ratings"]
               for folder in (evolved, *(tmp_path / "other").iterdir())]  # fmt: skip
    assert ratings[0] != ratings[1]


def test_saved_networks_go_on(evolved: Path, tmp_path: Path) -> None:
    source, models = evolved / "two parts.mid", evolved / "models.json"
    wanted = ("--load", models, "--load-best", "2", "-g", "1", "-s", "1", "-i", "7")
    done = music_composer("midi", "evolve", source, *wanted, cwd=tmp_path)
    assert_accepted(done, "evolving 2 networks")
    (facts,) = (tmp_path / "outputs").glob("*/evolution.json")
    before = json.loads((evolved / "evolution.json").read_text())["ratings"][-1]
    assert json.loads(facts.read_text())["ratings"] == pytest.approx([before])


def test_several_files_chords_and_parts_in_sixteenths_by_style(tmp_path: Path) -> None:
    chords = [note for start, stop, pitch in tune() for note in ((start, stop, pitch), (start, stop, pitch + 4))]
    files = [write_parts(tmp_path / f"{i}.mid", chords, tune(seed=i)) for i in range(2)]
    how = ("--fitness", "style", "--activation", "tanh", "--crossover", "0.5", "--tournament", "2", "-r", "simple")
    done = music_composer("midi", "evolve", *files, *SMALL, *how, "--chords", "--all-parts", cwd=tmp_path)
    assert_accepted(done, "on 160 notes")
    first, second = sorted((tmp_path / "outputs").glob("*/output_4_*.mid"))
    for path in (first, second):
        parts = read_midi(path).score.parts
        assert [len(np.unique(part.notes["start"])) for part in parts] == [40, 40]
        assert parts[0].notes["stop"].max() == 40 * 120


def test_chords_are_left_out_and_said_to_be(tmp_path: Path) -> None:
    write_parts(tmp_path / "a.mid", [*tune(), (0, 1, 30)])
    done = music_composer("midi", "evolve", "a.mid", *SMALL, cwd=tmp_path)
    assert_accepted(done, "2 notes begin together", "--chords", "on 39 notes")


def test_the_accompaniment_comes_with_it_and_chords_and_drums_are_passed_over(tmp_path: Path) -> None:
    keys = [(2 * i, 2 * i + 2, pitch) for i in range(40) for pitch in (60, 64 + i % 2, 67)]
    rows = [[(120 * a, 120 * b, pitch, 70) for a, b, pitch in part] for part in (tune(seed=3), keys, tune(seed=4))]
    parts = tuple(
        Part(np.sort(np.array(row, NOTE), order=["start", "pitch"]), program, drums, name)
        for row, program, drums, name in zip(
            [rows[0], rows[1], rows[2], rows[0]], (0, 4, 0, 40), (False, False, True, False),
            ("Hum", "Keys", "Kit", "Fiddle"), strict=True,
        )
    )  # fmt: skip
    score = Score(parts, tempos=((0, 96.0), (4800, 120.0)), metres=((0, 3, 4),))
    write_midi(score, tmp_path / "band.mid")
    before = read_midi(tmp_path / "band.mid").score
    for which, words in (((), "part 3 (Fiddle, violin), for part 1 (Keys, electric piano 1) is chords"),
                         (("--part", "0"), "part 0 (Hum, acoustic grand piano)")):  # fmt: skip
        out = "-".join(which) or "chosen"
        done = music_composer("midi", "evolve", "band.mid", *SMALL, *which, "-o", out, cwd=tmp_path)
        assert_accepted(done, f"re-pitching {words}")
        after = read_midi(next((tmp_path / out).glob("*/output_4_*.mid"))).score
        assert (after.tempos, after.metres) == (before.tempos, before.metres)
        evolved = 0 if which else 3
        for number, (part, other) in enumerate(zip(after.parts, before.parts, strict=True)):
            assert (part.program, part.drums, part.name) == (other.program, other.drums, other.name)
            assert np.array_equal(part.notes, other.notes) == (number != evolved)
    for which, words in (
        ("2", "that part is drums"),
        ("4", "that part does not exist"),
        ("-1", "1 (Keys, electric piano 1)"),
    ):
        done = music_composer("midi", "evolve", "band.mid", "--part", which, cwd=tmp_path)
        assert_refused(done, f"--part {which}", words, code=2)


def test_ctrl_c_keeps_what_has_evolved(tmp_path: Path) -> None:
    write_parts(tmp_path / "a.mid", tune(200))
    wanted = [COMMAND, "midi", "evolve", "a.mid", "-g", "1000000", "-wi", "1000000", "--seed", "1", "--save"]
    with subprocess.Popen(wanted, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stderr is not None
        process.stderr.readline()  # it has begun
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=2)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
        said = process.stderr.read()
    assert "stopping: what has evolved is written first" in said
    assert re.search(r"stopped after \d+ of 1000000 generations, all saved in outputs", said)
    (run,) = (tmp_path / "outputs").iterdir()
    facts = json.loads((run / "evolution.json").read_text())
    assert len(facts["ratings"]) > 1
    assert facts["ratings"][-1] > facts["ratings"][0]
    assert len(json.loads((run / "models.json").read_text())) == 20
    (music,) = run.glob("output_*.mid")
    assert music.name.startswith(f"output_{len(facts['ratings'])}_")


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("silent.mid",), ("silent.mid", "has no notes"), 1),
        (("drums.mid",), ("drums.mid", "besides drums"), 1),
        (("chords.mid",), ("chords.mid", "--chords"), 1),
        (("one.mid",), ("one.mid", "1 single note", "at least two"), 1),
        (("text.mid",), ("text.mid", "no MIDI file"), 1),
        (("none.mid",), ("none.mid", "cannot be opened"), 1),
        (("a.mid", "--models", "0"), ("--models",), 2),
        (("a.mid", "-s", "101"), ("--select-models 101 of --models 100",), 2),
        (("a.mid", "--write-interval", "0"), ("--write-interval",), 2),
        (("a.mid", "--part", "0", "--all-parts"), ("--part and --all-parts exclude",), 2),
        (("a.mid", "--load-best", "1"), ("--load-best goes with --load",), 2),
        (("a.mid", "--load", "half.json"), ("half.json", "cut off"), 1),
        (("a.mid", "--load", "shape.json"), ("shape.json", "fit"), 1),
        (("a.mid", "--load", "code.json"), ("code.json", "no number"), 1),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, ...], code: int
) -> None:
    write_parts(tmp_path / "a.mid", tune())
    write_parts(tmp_path / "silent.mid", [])
    write_parts(tmp_path / "drums.mid", tune(), drums=True)
    write_parts(tmp_path / "chords.mid", [(i, i + 1, pitch) for i in range(9) for pitch in (60, 64 + i % 2)])
    write_parts(tmp_path / "one.mid", [(0, 1, 60)])
    (tmp_path / "text.mid").write_text("Dear diary")
    (tmp_path / "half.json").write_text("[[[[0.5, 1.0], [0.2")
    (tmp_path / "shape.json").write_text("[[[[1, 2], [3, 4]], [[5]]]]")
    (tmp_path / "code.json").write_text("[[[[\"__import__('os').system('touch pwned')\"]], [[1]]]]")
    assert_refused(music_composer("midi", "evolve", *arguments, cwd=tmp_path), *words, code=code)
    assert not (tmp_path / "pwned").exists()
    assert not (tmp_path / "outputs").exists()


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    write_parts(tmp_path / "a.mid", tune())
    (tmp_path / "locked").mkdir(mode=0o500)
    done = music_composer("midi", "evolve", "a.mid", *SMALL, "-o", "locked", cwd=tmp_path, before=without_privileges)
    assert_refused(done, "locked cannot be written to")
