"""Fixed parts are preserved to the tick: notes, programs, names, drums, tempos and metres."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from music_composer.errors import ScoreError
from music_composer.symbolic.composition.assemble import added, assembled
from music_composer.symbolic.constraints import Constraints, constraints_from
from music_composer.symbolic.fixed_parts import from_step, with_fine_ticks
from music_composer.symbolic.midi.midi_file import read_midi, write_midi
from music_composer.symbolic.play_options import BoundOptions, PlayOptions
from music_composer.symbolic.roll import nearest_step, onset_steps, tick_of, to_roll
from music_composer.symbolic.roll_operations import laid_over, silence
from music_composer.values import BEND, CONTROL, NOTE, Part, Roll, Score
from tests.properties import cases
from tests.symbolic.bands import BAR, BLANK, any_roll, band, scores

KEYS, BASS, STRINGS, KIT = range(4)
NEW_BASS, NEW_TUNE = 38, 72


@pytest.fixture
def primer(tmp_path):
    write_midi(band(), tmp_path / "band.mid")
    return tmp_path / "band.mid"


def constraints_of(primer, **options) -> Constraints:
    return constraints_from(primer, PlayOptions(**options), BoundOptions(), BLANK)


def played(constraints: Constraints, *pitches: int) -> Roll:
    """A generated piece: in every editable step on a beat a note of each pitch begins, and lasts two steps."""
    roll = silence(constraints.steps, constraints.fixed)
    for step in np.flatnonzero(constraints.editable):
        roll.velocity[step, list(pitches)] = 77
        roll.onset[step, list(pitches)] = step % 2 == 0
    return laid_over(roll, constraints.fixed)


def to_steps(ticks: np.ndarray, score: Score) -> np.ndarray:
    return nearest_step(ticks, score.resolution, 4)


def assert_same(part: Part, other: Part) -> None:
    assert (part.program, part.drums, part.name) == (other.program, other.drums, other.name)
    for field in ("notes", "controls", "bends"):
        assert np.array_equal(getattr(part, field), getattr(other, field)), field


def test_a_continued_band_keeps_its_parts(primer):
    score = read_midi(primer).score
    constraints = constraints_of(primer, steps=32)
    piece = assembled(played(constraints, NEW_BASS, NEW_TUNE), constraints)
    assert constraints.steps == 8 * 12 + 32
    for part, other in zip(piece.score.parts, score.parts, strict=False):
        assert_same(part, other)
    assert dataclasses.replace(piece.score, parts=()) == dataclasses.replace(score, parts=())
    new = piece.score.parts[4:]
    assert [(part.program, part.name) for part in new] == [(33, "Bass (new)"), (48, "Strings (new)")]
    assert all(part.notes["start"].min() == 8 * BAR for part in new)
    assert {int(pitch) for part in new for pitch in part.notes["pitch"]} == {NEW_BASS, NEW_TUNE}
    assert piece.added == 32


def test_the_program_option_applies_to_new_notes_alone(primer):
    constraints = constraints_of(primer, steps=8)
    piece = assembled(played(constraints, NEW_BASS, NEW_TUNE), constraints, 19)
    assert [part.program for part in piece.score.parts] == [4, 33, 48, 0, 19]


def test_new_notes_around_fixed_parts_replace_the_others(primer):
    score = read_midi(primer).score
    constraints = constraints_of(primer, lock_tracks=(KIT, BASS))
    piece = assembled(played(constraints, 66, 79), constraints)
    assert_same(piece.score.parts[0], score.parts[BASS])
    assert_same(piece.score.parts[1], score.parts[KIT])
    assert [(part.program, part.name) for part in piece.score.parts[2:]] == [(4, "Keys (new)"), (48, "Strings (new)")]
    assert [set(part.notes["pitch"]) for part in piece.score.parts[2:]] == [{66}, {79}]
    assert piece.score.tempos == score.tempos


def test_new_notes_take_the_program_of_the_part_they_replace(primer):
    constraints = constraints_of(primer, lock_tracks=(KEYS, BASS, KIT))
    piece = assembled(played(constraints, 30, 50, 99), constraints)
    assert [part.program for part in piece.score.parts] == [4, 33, 0, 48]


def test_drums_alone_can_be_fixed(primer):
    constraints = constraints_of(primer, lock_tracks=(KIT,))
    assert not constraints.fixed.active.any() and constraints.steps == 8 * 12 - 2 + 1
    piece = assembled(played(constraints, 60), constraints)
    assert_same(piece.score.parts[0], read_midi(primer).score.parts[KIT])


def test_composing_bars_anew_keeps_all_notes_that_begin_outside(primer):
    score = read_midi(primer).score
    constraints = constraints_of(primer, from_bar=3, to_bar=5)
    piece = assembled(played(constraints, NEW_BASS, 61, NEW_TUNE), constraints)
    for number in (KEYS, BASS):
        inside = (score.parts[number].notes["start"] >= 2 * BAR) & (score.parts[number].notes["start"] < 5 * BAR)
        rest = dataclasses.replace(score.parts[number], notes=score.parts[number].notes[~inside])
        assert_same(piece.score.parts[number], rest)
    # A note of the strings begins in bar 5 and is held in bar 6: there it begins anew.
    strings = piece.score.parts[STRINGS].notes
    theirs = score.parts[STRINGS].notes
    assert strings["start"].tolist() == [theirs["start"][0], 5 * BAR, theirs["start"][3]]
    assert strings["stop"].tolist() == theirs["stop"][[0, 2, 3]].tolist()
    assert_same(piece.score.parts[KIT], score.parts[KIT])
    new = piece.score.parts[4:]
    assert [part.program for part in new] == [4, 33, 48]
    assert all(part.notes["start"].min() >= 2 * BAR and part.notes["stop"].max() <= 5 * BAR for part in new)


def test_a_note_that_reaches_into_the_bars_stays_whole(primer):
    score = read_midi(primer).score
    constraints = constraints_of(primer, from_bar=2, to_bar=2)
    piece = assembled(played(constraints, 50), constraints)
    assert_same(piece.score.parts[STRINGS], score.parts[STRINGS])
    assert constraints.fixed.active[12:24, 76].all() and not constraints.fixed.onset[12:24, 76].any()


def test_omitting_the_primer_omits_its_drums(primer):
    constraints = constraints_of(primer, steps=16, omit_primer=True)
    piece = assembled(played(constraints, 60), constraints)
    assert [part.name for part in piece.score.parts] == ["Keys (new)"]
    assert piece.score.parts[0].notes["start"].min() == 0
    assert piece.score.tempos == ((0, read_midi(primer).score.tempos[1][1]),)
    assert piece.roll.steps == 16


def test_a_continued_and_injected_primer_appears_twice_with_its_tempos(primer):
    score = read_midi(primer).score
    constraints = constraints_of(primer, inject_primer=True, steps=8)
    piece = assembled(played(constraints, 50), constraints)
    assert constraints.steps == 2 * 8 * 12
    assert [tick for tick, _ in piece.score.tempos] == [0, 4 * BAR, 8 * BAR, 12 * BAR]
    for part, other in zip(piece.score.parts, score.parts, strict=False):
        for again, later in ((slice(None, len(other.notes)), 0), (slice(len(other.notes), None), 8 * BAR)):
            assert np.array_equal(part.notes[again]["start"] - later, other.notes["start"])
            assert np.array_equal(part.notes[again]["pitch"], other.notes["pitch"])
    # The wheel is bent at the end of the music: the repetition starts at rest.
    assert piece.score.parts[STRINGS].bends["value"].tolist() == [100, -8192, 0, 8191, 0, 100, -8192, 0, 8191]
    cut = constraints_of(primer, inject_primer=True, steps=8, omit_primer=True)
    piece = assembled(played(cut, 50), cut)
    bends = score.parts[STRINGS].bends
    again = dataclasses.replace(score.parts[STRINGS], bends=np.concatenate([np.array([(0, 0)], BEND), bends]))
    for part, other in zip(piece.score.parts, (*score.parts[:STRINGS], again, score.parts[KIT]), strict=False):
        assert_same(part, other)
    assert piece.score.parts[4].program == 0


@pytest.mark.parametrize(("resolution", "fine"), [(1, 4), (2, 8), (24, 24), (50, 200), (98, 98), (480, 480)])
def test_ticks_stay_unless_they_are_too_coarse_for_the_grid(tmp_path, resolution, fine):
    score = Score((Part(np.array([(0, 1, 60, 80), (3, 5, 62, 80)], NOTE)),), resolution, ((0, 120.0), (4, 60.0)))
    write_midi(score, tmp_path / "a.mid")
    constraints = constraints_of(tmp_path / "a.mid", steps=8)
    more = fine // resolution
    piece = assembled(played(constraints, 50), constraints)
    assert (piece.score.resolution, piece.score.tempos) == (fine, ((0, 120.0), (4 * more, 60.0)))
    assert piece.score.parts[0].notes[["start", "stop"]].tolist() == [(0, more), (3 * more, 5 * more)]
    new = piece.score.parts[1].notes
    assert len(new) >= 4 and (new["stop"] > new["start"]).all()


def test_controllers_keep_their_values_at_a_cut():
    bend_range = [(5, 101, 0), (5, 100, 0), (5, 6, 12), (6, 101, 127), (6, 100, 127)]  # set, and deselected
    rows = [(0, 7, 90), *bend_range, (9, 7, 80), (20, 64, 127), (30, 120, 0), (40, 10, 7), (120, 10, 9), (130, 64, 0)]
    controls = np.array(rows, CONTROL)
    part = Part(np.array([(0, 100, 60, 80), (130, 200, 62, 80)], NOTE), 3, controls=controls,
                bends=np.array([(10, 5), (20, 6), (140, 7)], BEND))  # fmt: skip
    (cut,) = from_step(Score((part,)), 1, 4).parts
    assert cut.notes.tolist() == [(10, 80, 62, 80)]
    still = [(0, *what) for _, *what in bend_range]
    assert cut.controls.tolist() == [*still, (0, 7, 80), (0, 64, 127), (0, 10, 9), (10, 64, 0)]
    assert cut.bends.tolist() == [(0, 6), (20, 7)]


def test_a_metre_for_some_bars_ends_with_them(primer):
    constraints = constraints_of(primer, from_bar=3, to_bar=4, metre="6/8")
    assert constraints.fixed.metres == ((0, 3, 4), (24, 6, 8), (48, 3, 4))
    assert constraints.score.metres == ((0, 3, 4), (2 * BAR, 6, 8), (4 * BAR, 3, 4))
    assert constraints_of(primer, steps=4, metre="6/8").score.metres == ((0, 3, 4), (8 * BAR, 6, 8))
    assert constraints_of(primer, steps=4, qpm=99.0).score.tempos == ((0, 99.0),)


def test_prolonging_a_fixed_note_is_no_new_note(primer):
    constraints = constraints_of(primer, steps=8)
    made = silence(constraints.steps, constraints.fixed)
    made.velocity[:, 69] = 50  # the top note of the last chord, prolonged to the end
    piece = assembled(laid_over(made, constraints.fixed), constraints)
    assert piece.added == 0
    assert len(piece.score.parts) == 4


def test_a_new_part_has_the_sound_of_the_one_it_replaces():
    score = band()
    constraints = Constraints(silence(32, BLANK), np.ones(32, bool), score=score, instruments=score.parts[1:2])
    new = assembled(played(constraints, 40), constraints).score.parts[4]
    assert new.controls.tolist() == [(0, 7, 90), (0, 10, 30)]


def through_files(folder, score, seed, **options) -> tuple[Score, Constraints, Score]:
    """A primer as read from its file, its constraints, and the piece as read back, in ticks of the primer."""
    write_midi(score, folder / "primer.mid")
    constraints = constraints_of(folder / "primer.mid", **options)
    piece = assembled(laid_over(any_roll(seed, constraints.steps), constraints.fixed), constraints)
    write_midi(piece.score, folder / "piece.mid")
    return (
        with_fine_ticks(read_midi(folder / "primer.mid").score, 4),
        constraints,
        read_midi(folder / "piece.mid").score,
    )


@pytest.mark.journey
@given(scores(), st.booleans(), st.integers(0, 2**32))
@cases(60)
def test_a_primer_is_exactly_preserved(tmp_path_factory, score, among, seed):
    options = {"inject_primer": True, "condition_on_primer": False} if among else {}
    primer, constraints, piece = through_files(tmp_path_factory.getbasetemp(), score, seed, steps=12, **options)
    assert (piece.resolution, piece.tempos, piece.metres) == (primer.resolution, primer.tempos, primer.metres)
    kept = len(primer.parts)
    for part, other in zip(piece.parts[:kept], primer.parts, strict=True):
        assert_same(part, other)
    new = [int(tick) for part in piece.parts[kept:] for tick in part.notes["start"]]
    assert set(new) <= set(tick_of(np.flatnonzero(constraints.editable), piece.resolution, 4))
    assert len(new) == assembled(laid_over(any_roll(seed, constraints.steps), constraints.fixed), constraints).added


@given(scores(), st.data(), st.integers(0, 2**32))
@cases(60)
def test_fixed_parts_are_exactly_preserved(tmp_path_factory, score, data, seed):
    locked = data.draw(st.lists(st.integers(0, len(score.parts) - 1), min_size=1, unique=True))
    primer, _, piece = through_files(tmp_path_factory.getbasetemp(), score, seed, lock_tracks=tuple(locked))
    assert (piece.resolution, piece.tempos, piece.metres) == (primer.resolution, primer.tempos, primer.metres)
    for part, number in zip(piece.parts, sorted(locked), strict=False):
        assert_same(part, primer.parts[number])


@pytest.mark.journey
@given(scores(), st.integers(0, 2**32))
@cases(60)
def test_notes_outside_the_new_bars_are_exactly_preserved(tmp_path_factory, score, seed):
    primer, constraints, piece = through_files(tmp_path_factory.getbasetemp(), score, seed, from_bar=1, to_bar=1)
    assert (piece.resolution, piece.tempos, piece.metres) == (primer.resolution, primer.tempos, primer.metres)
    end = int(np.flatnonzero(constraints.editable)[-1]) + 1
    parts = list(piece.parts)
    for part, steps in zip(primer.parts, onset_steps(primer, 4), strict=True):
        left = part.notes if part.drums else part.notes[steps >= end]
        held = 0 if part.drums else int(((steps < end) & (to_steps(part.notes["stop"], primer) > end)).sum())
        if not len(left) + held:
            continue
        found = parts.pop(0)
        assert (found.program, found.drums, found.name) == (part.program, part.drums, part.name)
        assert {tuple(note) for note in left.tolist()} <= {tuple(note) for note in found.notes.tolist()}
        assert len(found.notes) == len(left) + held
    assert all(part.notes["start"].max() < tick_of(end, primer.resolution, 4) for part in parts)


@given(scores(), st.integers(0, 2**32))
@cases(60)
def test_new_notes_are_active_notes_that_are_not_fixed(score, seed):
    kept = to_roll(score)
    constraints = Constraints(kept, np.random.default_rng(seed).random(kept.steps) < 0.7)
    made = laid_over(any_roll(seed, kept.steps), kept)
    new = added(made, constraints)
    assert not (new.active & kept.active).any()
    assert not new.active[~constraints.editable].any()
    assert (new.onset <= new.active).all() and (new.active <= made.active).all()
    begun = made.onset & ~kept.active & constraints.editable[:, None]
    assert (begun <= new.onset).all()
    silent = ~np.concatenate([np.zeros_like(made.active[:1]), made.active[:-1]])
    assert ((made.active & silent & ~kept.active & constraints.editable[:, None]) <= new.onset).all()


def test_an_empty_primer_and_one_of_drums_are_refused(tmp_path):
    write_midi(Score(()), tmp_path / "empty.mid")
    with pytest.raises(ScoreError, match="no notes in it"):
        constraints_of(tmp_path / "empty.mid")
    write_midi(Score(band().parts[KIT:]), tmp_path / "kit.mid")
    with pytest.raises(ScoreError, match="nothing but drums .* --lock-track"):
        constraints_of(tmp_path / "kit.mid")
