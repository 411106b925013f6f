"""What is kept stays what it was: parts, notes, programs, names, drums, tempos and metres come back to the tick."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from music_composer.errors import ScoreError
from music_composer.symbolic.composition.assemble import added, assembled
from music_composer.symbolic.constraints import Request, request_of
from music_composer.symbolic.fixed_parts import from_step, ready
from music_composer.symbolic.midi.midi_file import read_midi, write_midi
from music_composer.symbolic.options import BoundOptions, PlayOptions
from music_composer.symbolic.roll import nearest_step, onset_steps, tick_of, to_roll
from music_composer.symbolic.roll_operations import laid_over, silence
from music_composer.values import BEND, CONTROL, NOTE, Part, Roll, Score
from tests.symbolic.bands import BAR, BLANK, any_roll, band, scores

KEYS, BASS, STRINGS, KIT = range(4)
NEW_BASS, NEW_TUNE = 38, 72


@pytest.fixture
def primer(tmp_path):
    write_midi(band(), tmp_path / "band.mid")
    return tmp_path / "band.mid"


def asked(primer, **options) -> Request:
    return request_of(primer, PlayOptions(**options), BoundOptions(), BLANK)


def played(request: Request, *pitches: int) -> Roll:
    """A model's piece: in every open step of a beat a note of each pitch begins, and lasts for two."""
    roll = silence(request.steps, request.kept)
    for step in np.flatnonzero(request.open_steps):
        roll.velocity[step, list(pitches)] = 77
        roll.struck[step, list(pitches)] = step % 2 == 0
    return laid_over(roll, request.kept)


def to_steps(ticks: np.ndarray, score: Score) -> np.ndarray:
    return nearest_step(ticks, score.resolution, 4)


def assert_same(part: Part, other: Part) -> None:
    assert (part.program, part.drums, part.name) == (other.program, other.drums, other.name)
    for field in ("notes", "controls", "bends"):
        assert np.array_equal(getattr(part, field), getattr(other, field)), field


def test_a_band_that_is_gone_on_from_comes_back_as_the_parts_it_was(primer):
    score = read_midi(primer).score
    request = asked(primer, steps=32)
    piece = assembled(played(request, NEW_BASS, NEW_TUNE), request)
    assert request.steps == 8 * 12 + 32
    for part, other in zip(piece.score.parts, score.parts, strict=False):
        assert_same(part, other)
    assert dataclasses.replace(piece.score, parts=()) == dataclasses.replace(score, parts=())
    new = piece.score.parts[4:]
    assert [(part.program, part.name) for part in new] == [(33, "Bass (new)"), (48, "Strings (new)")]
    assert all(part.notes["start"].min() == 8 * BAR for part in new)
    assert {int(pitch) for part in new for pitch in part.notes["pitch"]} == {NEW_BASS, NEW_TUNE}
    assert piece.added == 32


def test_the_program_that_is_typed_is_that_of_all_new_notes_and_of_no_others(primer):
    request = asked(primer, steps=8)
    piece = assembled(played(request, NEW_BASS, NEW_TUNE), request, 19)
    assert [part.program for part in piece.score.parts] == [4, 33, 48, 0, 19]


def test_new_notes_around_locked_parts_take_the_places_of_the_others(primer):
    score = read_midi(primer).score
    request = asked(primer, lock_tracks=(KIT, BASS))
    piece = assembled(played(request, 66, 79), request)
    assert_same(piece.score.parts[0], score.parts[BASS])
    assert_same(piece.score.parts[1], score.parts[KIT])
    assert [(part.program, part.name) for part in piece.score.parts[2:]] == [(4, "Keys (new)"), (48, "Strings (new)")]
    assert [set(part.notes["pitch"]) for part in piece.score.parts[2:]] == [{66}, {79}]
    assert piece.score.tempos == score.tempos


def test_one_part_that_is_replaced_gives_its_program_to_all_new_notes(primer):
    request = asked(primer, lock_tracks=(KEYS, BASS, KIT))
    piece = assembled(played(request, 30, 50, 99), request)
    assert [part.program for part in piece.score.parts] == [4, 33, 0, 48]


def test_drums_alone_can_be_locked_though_no_model_hears_them(primer):
    request = asked(primer, lock_tracks=(KIT,))
    assert not request.kept.sounding.any() and request.steps == 8 * 12 - 2 + 1
    piece = assembled(played(request, 60), request)
    assert_same(piece.score.parts[0], read_midi(primer).score.parts[KIT])


def test_bars_that_are_composed_anew_leave_all_that_begins_outside_of_them(primer):
    score = read_midi(primer).score
    request = asked(primer, from_bar=3, to_bar=5)
    piece = assembled(played(request, NEW_BASS, 61, NEW_TUNE), request)
    for number in (KEYS, BASS):
        inside = (score.parts[number].notes["start"] >= 2 * BAR) & (score.parts[number].notes["start"] < 5 * BAR)
        rest = dataclasses.replace(score.parts[number], notes=score.parts[number].notes[~inside])
        assert_same(piece.score.parts[number], rest)
    # A note of the strings begins in bar 5 and is held on in bar 6: what is held on is struck there.
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
    request = asked(primer, from_bar=2, to_bar=2)
    piece = assembled(played(request, 50), request)
    assert_same(piece.score.parts[STRINGS], score.parts[STRINGS])
    assert request.kept.sounding[12:24, 76].all() and not request.kept.struck[12:24, 76].any()


def test_without_what_was_heard_first_the_drums_go_too(primer):
    request = asked(primer, steps=16, omit_primer=True)
    piece = assembled(played(request, 60), request)
    assert [part.name for part in piece.score.parts] == ["Keys (new)"]
    assert piece.score.parts[0].notes["start"].min() == 0
    assert piece.score.tempos == ((0, read_midi(primer).score.tempos[1][1]),)
    assert piece.roll.steps == 16


def test_a_primer_that_is_heard_and_kept_is_there_twice_with_its_tempos(primer):
    score = read_midi(primer).score
    request = asked(primer, inject_primer=True, steps=8)
    piece = assembled(played(request, 50), request)
    assert request.steps == 2 * 8 * 12
    assert [tick for tick, _ in piece.score.tempos] == [0, 4 * BAR, 8 * BAR, 12 * BAR]
    for part, other in zip(piece.score.parts, score.parts, strict=False):
        for again, later in ((slice(None, len(other.notes)), 0), (slice(len(other.notes), None), 8 * BAR)):
            assert np.array_equal(part.notes[again]["start"] - later, other.notes["start"])
            assert np.array_equal(part.notes[again]["pitch"], other.notes["pitch"])
    # The wheel is bent when the music ends: it begins again without.
    assert piece.score.parts[STRINGS].bends["value"].tolist() == [100, -8192, 0, 8191, 0, 100, -8192, 0, 8191]
    cut = asked(primer, inject_primer=True, steps=8, omit_primer=True)
    piece = assembled(played(cut, 50), cut)
    bends = score.parts[STRINGS].bends
    again = dataclasses.replace(score.parts[STRINGS], bends=np.concatenate([np.array([(0, 0)], BEND), bends]))
    for part, other in zip(piece.score.parts, (*score.parts[:STRINGS], again, score.parts[KIT]), strict=False):
        assert_same(part, other)
    assert piece.score.parts[4].program == 0


@pytest.mark.parametrize(("resolution", "fine"), [(1, 4), (2, 8), (24, 24), (50, 200), (98, 98), (480, 480)])
def test_ticks_stay_what_they_were_unless_they_are_too_few_for_the_grid(tmp_path, resolution, fine):
    score = Score((Part(np.array([(0, 1, 60, 80), (3, 5, 62, 80)], NOTE)),), resolution, ((0, 120.0), (4, 60.0)))
    write_midi(score, tmp_path / "a.mid")
    request = asked(tmp_path / "a.mid", steps=8)
    more = fine // resolution
    piece = assembled(played(request, 50), request)
    assert (piece.score.resolution, piece.score.tempos) == (fine, ((0, 120.0), (4 * more, 60.0)))
    assert piece.score.parts[0].notes[["start", "stop"]].tolist() == [(0, more), (3 * more, 5 * more)]
    new = piece.score.parts[1].notes
    assert len(new) >= 4 and (new["stop"] > new["start"]).all()


def test_controllers_are_at_a_cut_as_they_were_before():
    bend_range = [(5, 101, 0), (5, 100, 0), (5, 6, 12), (6, 101, 127), (6, 100, 127)]  # set, and closed again
    rows = [(0, 7, 90), *bend_range, (9, 7, 80), (20, 64, 127), (30, 120, 0), (40, 10, 7), (120, 10, 9), (130, 64, 0)]
    controls = np.array(rows, CONTROL)
    part = Part(np.array([(0, 100, 60, 80), (130, 200, 62, 80)], NOTE), 3, controls=controls,
                bends=np.array([(10, 5), (20, 6), (140, 7)], BEND))  # fmt: skip
    (cut,) = from_step(Score((part,)), 1, 4).parts
    assert cut.notes.tolist() == [(10, 80, 62, 80)]
    still = [(0, *what) for _, *what in bend_range]
    assert cut.controls.tolist() == [*still, (0, 7, 80), (0, 64, 127), (0, 10, 9), (10, 64, 0)]
    assert cut.bends.tolist() == [(0, 6), (20, 7)]


def test_the_metre_of_some_bars_ends_with_them(primer):
    request = asked(primer, from_bar=3, to_bar=4, metre="6/8")
    assert request.kept.metres == ((0, 3, 4), (24, 6, 8), (48, 3, 4))
    assert request.score.metres == ((0, 3, 4), (2 * BAR, 6, 8), (4 * BAR, 3, 4))
    assert asked(primer, steps=4, metre="6/8").score.metres == ((0, 3, 4), (8 * BAR, 6, 8))
    assert asked(primer, steps=4, qpm=99.0).score.tempos == ((0, 99.0),)


def test_what_a_model_holds_on_of_a_kept_note_is_no_new_note(primer):
    request = asked(primer, steps=8)
    made = silence(request.steps, request.kept)
    made.velocity[:, 69] = 50  # the last chord's top note, held on for good
    piece = assembled(laid_over(made, request.kept), request)
    assert piece.added == 0
    assert len(piece.score.parts) == 4


def test_a_new_part_sounds_like_the_one_whose_place_it_takes():
    score = band()
    request = Request(silence(32, BLANK), np.ones(32, bool), score=score, instruments=score.parts[1:2])
    new = assembled(played(request, 40), request).score.parts[4]
    assert new.controls.tolist() == [(0, 7, 90), (0, 10, 30)]


def through_files(folder, score, seed, **options) -> tuple[Score, Request, Score]:
    """A primer as it is read, what was asked of it, and the piece as it is read, in ticks of the primer."""
    write_midi(score, folder / "primer.mid")
    request = asked(folder / "primer.mid", **options)
    piece = assembled(laid_over(any_roll(seed, request.steps), request.kept), request)
    write_midi(piece.score, folder / "piece.mid")
    return ready(read_midi(folder / "primer.mid").score, 4), request, read_midi(folder / "piece.mid").score


@given(scores(), st.booleans(), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_a_primer_comes_back_exactly_before_and_among_new_notes(tmp_path_factory, score, among, seed):
    options = {"inject_primer": True, "condition_on_primer": False} if among else {}
    primer, request, piece = through_files(tmp_path_factory.getbasetemp(), score, seed, steps=12, **options)
    assert (piece.resolution, piece.tempos, piece.metres) == (primer.resolution, primer.tempos, primer.metres)
    kept = len(primer.parts)
    for part, other in zip(piece.parts[:kept], primer.parts, strict=True):
        assert_same(part, other)
    new = [int(tick) for part in piece.parts[kept:] for tick in part.notes["start"]]
    assert set(new) <= set(tick_of(np.flatnonzero(request.open_steps), piece.resolution, 4))
    assert len(new) == assembled(laid_over(any_roll(seed, request.steps), request.kept), request).added


@given(scores(), st.data(), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_locked_parts_come_back_exactly(tmp_path_factory, score, data, seed):
    locked = data.draw(st.lists(st.integers(0, len(score.parts) - 1), min_size=1, unique=True))
    primer, _, piece = through_files(tmp_path_factory.getbasetemp(), score, seed, lock_tracks=tuple(locked))
    assert (piece.resolution, piece.tempos, piece.metres) == (primer.resolution, primer.tempos, primer.metres)
    for part, number in zip(piece.parts, sorted(locked), strict=False):
        assert_same(part, primer.parts[number])


@given(scores(), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_what_begins_outside_of_bars_that_are_composed_anew_comes_back_exactly(tmp_path_factory, score, seed):
    primer, request, piece = through_files(tmp_path_factory.getbasetemp(), score, seed, from_bar=1, to_bar=1)
    assert (piece.resolution, piece.tempos, piece.metres) == (primer.resolution, primer.tempos, primer.metres)
    end = int(np.flatnonzero(request.open_steps)[-1]) + 1
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
@settings(max_examples=60, deadline=None)
def test_new_notes_are_what_sounds_besides_what_is_kept(score, seed):
    kept = to_roll(score)
    request = Request(kept, np.random.default_rng(seed).random(kept.steps) < 0.7)
    made = laid_over(any_roll(seed, kept.steps), kept)
    new = added(made, request)
    assert not (new.sounding & kept.sounding).any()
    assert not new.sounding[~request.open_steps].any()
    assert (new.struck <= new.sounding).all() and (new.sounding <= made.sounding).all()
    begun = made.struck & ~kept.sounding & request.open_steps[:, None]
    assert (begun <= new.struck).all()
    silent = ~np.concatenate([np.zeros_like(made.sounding[:1]), made.sounding[:-1]])
    assert ((made.sounding & silent & ~kept.sounding & request.open_steps[:, None]) <= new.struck).all()


def test_an_empty_primer_and_one_of_drums_are_said(tmp_path):
    write_midi(Score(()), tmp_path / "empty.mid")
    with pytest.raises(ScoreError, match="no notes in it"):
        asked(tmp_path / "empty.mid")
    write_midi(Score(band().parts[KIT:]), tmp_path / "kit.mid")
    with pytest.raises(ScoreError, match="nothing but drums .* --lock-track"):
        asked(tmp_path / "kit.mid")
