"""The symbolic backend through the installed command: MIDI files in, MIDI files out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from music_composer.symbolic.midi.midi_file import read_midi, write_midi
from music_composer.symbolic.notation.score_file import read_score
from music_composer.symbolic.roll import to_roll
from music_composer.values import NOTE, Part, Score
from tests.command import assert_accepted, assert_refused, kept_copy, music_composer
from tests.symbolic.bands import band
from tests.symbolic.composition.test_assemble import assert_same
from tests.symbolic.tunes import TINY, roll_of, write_tune

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the whole journey was run once."""
    folder = tmp_path_factory.mktemp("midi")
    for seed in range(4):
        write_tune(folder / "input_music_dataset" / f"{seed}.mid", seed)
    (folder / "input_music_dataset" / "broken.mid").write_bytes(b"MThd")
    write_tune(folder / "primer.mid", seed=9, quarters=4)
    done = music_composer("midi", *TINY, "-g", "2", "--num-steps", "24", "--render", "--voice", "nes", cwd=folder)
    assert_accepted(done, "broken.mid", "is damaged", "4 MIDI files", "held-out", "2 pieces")
    return folder


def test_the_whole_journey_leaves_pieces_with_notes_of_how_they_were_made(trained: Path) -> None:
    for number in range(2):
        reading = read_midi(trained / f"output-{number}.mid")
        assert reading.remarks == ()
        assert reading.score.tempos[0][1] == pytest.approx(100, abs=0.01)
        assert to_roll(reading.score).steps <= 24
        assert (trained / f"output-{number}.png").exists()
        assert json.loads((trained / f"output-{number}.json").read_text())["seed"] == 1
    assert (trained / "midi_model" / "loss.png").exists()


def test_the_same_seed_gives_the_same_bytes(trained: Path) -> None:
    wanted = ("-g", "2", "--num-steps", "24", "--seed", "1", "-o", "again", "--render", "--voice", "nes")
    assert_accepted(kept_copy("midi", "generate", *wanted, cwd=trained), "2 of 2 files")
    for number in range(2):
        for kind in ("mid", "wav"):
            again = (trained / f"again-{number}.{kind}").read_bytes()
            assert again == (trained / f"output-{number}.{kind}").read_bytes()
    assert (trained / "again-0.mid").read_bytes() != (trained / "again-1.mid").read_bytes()


def test_a_primer_is_gone_on_from_within_scale_and_polyphony(trained: Path) -> None:
    primer = trained / "primer.mid"
    wanted = ("--primer-midi", primer, "--scale", "C major", "--range", "C3-C5", "--max-polyphony", "2", "--qpm", "90")
    metre = ("--metre", "6/8")
    done = kept_copy("midi", "generate", *wanted, *metre, "-g", "1", "--num-steps", "40", "-o", "after", cwd=trained)
    assert done.returncode == 0, done.stderr
    heard, made = roll_of(primer), roll_of(trained / "after-0.mid")
    assert np.array_equal(made.active[: heard.steps], heard.active)
    assert np.array_equal(made.onset[: heard.steps], heard.onset)
    new = made.active[heard.steps :]
    assert new.sum(axis=1).max(initial=0) <= 2
    pitches = np.flatnonzero(new.any(axis=0))
    assert len(pitches) and set(pitches % 12) <= {0, 2, 4, 5, 7, 9, 11}
    assert pitches.min() >= 48 and pitches.max() <= 72
    assert made.tempos[0][1] == pytest.approx(90, abs=0.01)
    assert made.metres == ((0, 4, 4), (16, 6, 8)), "the metre turns where the new music begins"


def test_a_track_is_kept_and_others_are_composed_around_it(trained: Path) -> None:
    parts = tuple(Part(np.array([(480 * i, 480 * (i + 1), low + i % 3, 83)], NOTE)) for i in (0, 1) for low in (50, 74))
    write_midi(Score(parts), trained / "two.mid")
    wanted = ("--primer-midi", "two.mid", "--lock-track", "3", "--lock-track", "1", "--drafts", "4", "--seed", "3")
    done = kept_copy("midi", "generate", *wanted, "-g", "2", "-o", "around", cwd=trained)
    assert done.returncode == 0, done.stderr
    kept = to_roll(Score((parts[1], parts[3])))
    for number in range(2):
        made = roll_of(trained / f"around-{number}.mid")
        assert np.array_equal(made.velocity[kept.active], kept.velocity[kept.active])
        assert np.array_equal(made.onset[kept.active], kept.onset[kept.active])
        assert made.steps == kept.steps


def test_bars_are_composed_anew_between_two_sides_that_stay(trained: Path) -> None:
    song = write_tune(trained / "song.mid", seed=8, quarters=16)
    wanted = ("--primer-midi", song, "--from-bar", "2", "--to-bar", "3", "--drafts", "4")
    done = kept_copy("midi", "generate", *wanted, "-g", "1", "-o", "anew", cwd=trained)
    assert done.returncode == 0, done.stderr
    before, after = roll_of(song), roll_of(trained / "anew-0.mid")
    sides = np.r_[0:16, 48:64]
    assert np.array_equal(after.velocity[sides], before.velocity[sides])
    assert np.array_equal(after.onset[:16], before.onset[:16])
    assert not np.array_equal(after.active[16:48], before.active[16:48])


def test_music_is_composed_in_the_metre_that_is_asked_for(trained: Path) -> None:
    done = kept_copy(
        "midi", "generate", "--metre", "3/4", "-g", "1", "--num-steps", "24", "-o", "waltz", "--musicxml", cwd=trained
    )
    assert done.returncode == 0, done.stderr
    assert read_midi(trained / "waltz-0.mid").score.metres == ((0, 3, 4),)
    assert read_score(trained / "waltz-0.musicxml").score.metres == ((0, 3, 4),)


def test_what_is_composed_is_judged_by_what_was_held_out(trained: Path) -> None:
    wanted = ("-g", "3", "--num-steps", "128", "--top-p", "0.5", "--conservativity", "1.5", "-o", "card")
    cards = []
    for _ in range(2):
        done = music_composer("midi", "evaluate", *wanted, cwd=trained)
        assert done.returncode == 0, done.stderr
        card = json.loads((trained / "card" / "scorecard.json").read_text())
        assert card["pieces"] == {"made": 3, "training": 3, "held_out": 1}
        assert {row["metric"] for row in card["metrics"]} >= {"polyphony", "groove consistency", "empty bars"}
        assert all(0 <= row["overlap_training"] <= 1 for row in card["metrics"])
        assert card["likelihood"]["held out"]["a_step"] > 0
        assert len(read_midi(trained / "card" / "piece-2.mid").remarks) == 0
        assert roll_of(trained / "card" / "piece-2.mid").steps <= 96  # no longer than the songs it learnt from
        page = (trained / "card" / "scorecard.html").read_text()
        assert "metrics.png" in page and (trained / "card" / "metrics.png").exists()
        assert card["facts"]["top_p"] == 0.5 and card["facts"]["conservativity"] == 1.5 and "<td>1.5</td>" in page
        del card["facts"], card["files"]  # seconds, and how many bytes they take
        cards.append(card)
    assert cards[0] == cards[1]
    assert "| polyphony |" in done.stdout


def test_files_are_judged_by_files(trained: Path) -> None:
    folders = ("--generated", "input_music_dataset", "--reference", "input_music_dataset")
    done = music_composer("midi", "evaluate", *folders, "-o", "themselves", cwd=trained)
    assert done.returncode == 0, done.stderr
    copying = json.loads((trained / "themselves" / "scorecard.json").read_text())["copying"]
    assert copying["made"]["longest_steps"] == 96  # half of the files are those that they are compared with
    assert copying["made"]["share"] > copying["held_out"]["share"]
    assert_refused(music_composer("midi", "evaluate", "--generated", "card", cwd=trained), "go together", code=2)
    assert_refused(music_composer("midi", "evaluate", "--num-steps", "8", cwd=trained), "at least 64", code=2)


def test_pieces_are_scored(trained: Path) -> None:
    done = kept_copy("midi", "score", "primer.mid", "input_music_dataset/0.mid", cwd=trained)
    assert done.returncode == 0, done.stderr
    rows = [line.split("|") for line in done.stdout.splitlines() if ".mid" in line]
    assert [row[2].strip() for row in rows] == ["16", "96"]
    for row in rows:
        steps, whole, a_step = int(row[2]), float(row[4]), float(row[5])
        assert whole < 0 and a_step == pytest.approx(whole / steps, abs=0.01)
    assert_refused(music_composer("midi", "score", "none.mid", cwd=trained), "none.mid", "cannot be opened")


def test_silent_first_bars_do_not_count_and_what_cannot_be_scored_is_named(trained: Path) -> None:
    (part,) = read_midi(trained / "primer.mid").score.parts
    late = part.notes.copy()
    for field in ("start", "stop"):
        late[field] += 3 * 1920
    write_midi(Score((Part(late),), tempos=((0, 100.0),)), trained / "late.mid")
    write_midi(Score((Part(late, drums=True),)), trained / "drums.mid")
    done = kept_copy("midi", "score", "drums.mid", "late.mid", "none.mid", "primer.mid", cwd=trained)
    assert_accepted(done, "drums.mid: has nothing but drums", "none.mid: cannot be opened")
    late, plain = (line.split("|")[2:] for line in done.stdout.splitlines() if ".mid" in line)
    assert late == plain


def test_what_there_is_can_be_asked_for(trained: Path) -> None:
    done = music_composer("midi", "prepare", cwd=trained)
    assert_accepted(done, "4 MIDI files", "0 read, 4 already there", "broken.mid")
    done = music_composer("midi", "info", cwd=trained)
    assert done.returncode == 0, done.stderr
    for words in (
        "5 MIDI files",
        "train_data: 4 songs",
        "voices, 8 neurons; music in 4/4, 100 quarter notes",
        "epochs done",
    ):
        assert words in done.stdout
    nothing = music_composer("midi", "info", "-d", "none", "-t", "none", "-m", "none", cwd=trained)
    assert (
        "does not exist" in nothing.stdout
        and "nothing prepared" in nothing.stdout
        and "nothing trained" in nothing.stdout
    )


def test_a_band_comes_back_through_the_command_as_the_tracks_it_was(trained: Path) -> None:
    write_midi(band(), trained / "band.mid")
    score = read_midi(trained / "band.mid").score
    listed = music_composer("midi", "info", "band.mid", "broken.mid", cwd=trained)
    assert listed.returncode == 0, listed.stderr
    for words in ("132 notes in 4 parts", "8 bars", "14.0 s", "3/4", "| 2 | Strings | string ensemble 1 | 48 | 4 |",
                  "| 3 | Kit | drums |", "28 of 84 onsets", "note: broken.mid: cannot be opened"):  # fmt: skip
        assert words in listed.stdout, listed.stdout
    for name, options, kept in (
        ("onward", ("--num-steps", "16"), (0, 1, 2, 3)),
        ("locked", ("--lock-track", "3", "--lock-track", "1", "--drafts", "2"), (1, 3)),
        ("mended", ("--from-bar", "3", "--to-bar", "4", "--drafts", "2"), (3,)),
    ):
        wanted = ("--primer-midi", "band.mid", "-g", "1", "--seed", "2", "-o", name, "--musicxml", *options)
        done = kept_copy("midi", "generate", *wanted, cwd=trained)
        assert_accepted(done, "note: band.mid: 28 of 84 onsets", "1 pieces")
        made = read_midi(trained / f"{name}-0.mid").score
        assert (made.resolution, made.tempos, made.metres) == (score.resolution, score.tempos, score.metres)
        theirs = {part.name: part for part in made.parts}
        for number in kept:
            part = score.parts[number]
            assert_same(theirs[part.name], part)
        assert all(part.name.endswith("new)") for part in made.parts if part.name not in {p.name for p in score.parts})
        staves = [part.name for part in read_score(trained / f"{name}-0.musicxml").score.parts]
        assert staves == [part.name for part in made.parts if not part.drums]


def test_only_the_biaxial_model_is_observed(trained: Path) -> None:
    voices = music_composer("midi", "observe", "primer.mid", cwd=trained)
    assert_refused(voices, "holds a voices model", "only the biaxial one", code=2)


def test_training_goes_on_where_it_was(trained: Path) -> None:
    done = music_composer("midi", "train", *TINY, cwd=trained)
    assert_accepted(done, "going on from 2 trained epochs with 2 more")
    assert_refused(
        music_composer("midi", "train", "-n", "9", cwd=trained), "was made with --model voices -n 8", "--fresh", code=2
    )


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("--num-steps", "0"), ("--num-steps is 0",), 2),
        (("-g", "0"), ("-g", "is 0"), 2),
        (("--temperature", "0"), ("--temperature is 0",), 2),
        (("--qpm", "5000"), ("--qpm is 5000",), 2),
        (("--scale", "H major"), ("--scale is 'H major'",), 2),
        (("--range", "C9-G9"), ("lies on the keys of a piano",), 2),
        (("--metre", "3"), ("--metre is '3'",), 2),
        (("--beam-size", "0"), ("--beam-size is 0",), 2),
        (("--conservativity", "0"), ("--conservativity is 0",), 2),
        (("--top-p", "2"), ("--top-p is 2",), 2),
        (("--primer-melody", "[60, 300]"), ("--primer-melody is '[60, 300]'", "300 is not one"), 2),
        (("--primer-pitches", "C"), ("--primer-pitches is 'C'",), 2),
        (("--no-condition-on-primer",), ("or the primer has no effect",), 2),
        (("--metre", "4/5"), ("--metre is '4/5'",), 2),
        (("--lock-track", "0"), ("do nothing without --primer-midi",), 2),
        (
            ("--primer-midi", "primer.mid", "--lock-track", "5"),
            ("--lock-track 5", "its parts are 0 (acoustic grand piano)"),
            2,
        ),
        (("--primer-midi", "primer.mid", "--from-bar", "2"), ("--from-bar and --to-bar go together",), 2),
        (("--primer-midi", "primer.mid", "--from-bar", "2", "--to-bar", "9"), ("give bars from 1 to 1",), 2),
        (("--primer-midi", "none.mid"), ("none.mid", "cannot be opened"), 1),
        (("-m", "elsewhere"), ("elsewhere holds no trained model", "music-composer midi train"), 1),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    trained: Path, arguments: tuple[str, ...], words: tuple[str, ...], code: int
) -> None:
    assert_refused(music_composer("midi", "generate", *arguments, cwd=trained), *words, code=code)


def test_folders_without_music_are_said(tmp_path: Path) -> None:
    assert_refused(music_composer("midi", cwd=tmp_path), "input_music_dataset", "has been made", "MIDI files")
    (tmp_path / "input_music_dataset" / "diary.mid").write_text("Dear diary")
    assert_refused(music_composer("midi", cwd=tmp_path), "none of the 1 files", "diary.mid: is no MIDI file")


def test_an_audio_model_is_not_taken_for_a_symbolic_one(trained: Path) -> None:
    assert_refused(music_composer("generate", "-m", "midi_model", cwd=trained), "not a run folder of music-composer")
