"""The choice of a part to re-pitch, and of chords."""

import numpy as np
import pytest

from music_composer.errors import OptionError, ScoreError
from music_composer.genetic.themes import repitched, skipped_part, themes_of, with_themes
from music_composer.values import BEND, CONTROL, NOTE, Part, Score

TUNE = [(480 * i, 480 * i + 400, 60 + i % 5, 80) for i in range(10)]
CHORDS = [(480 * i, 480 * i + 400, pitch, 80) for i in range(10) for pitch in (60, 64)]
HALF = [*TUNE, *((480 * i, 480 * i + 400, 72, 80) for i in range(5))]  # 5 of 15 notes begin alone
MOSTLY = [*TUNE, *((480 * i, 480 * i + 400, 72, 80) for i in range(2))]  # 8 of 12 do


def part(rows, drums=False, **more):
    return Part(np.sort(np.array(rows, NOTE), order=["start", "pitch"]), drums=drums, **more)


def chosen(*parts, chords=False, number=None):
    (theme,) = themes_of(Score(parts), "a", chords, False, number)
    return theme.part, skipped_part(theme)


def test_the_second_pitched_part_is_chosen_or_the_next_if_it_is_chords():
    tune, chords, drums = part(TUNE), part(CHORDS), part(TUNE, drums=True)
    assert chosen(tune) == (0, None)
    assert chosen(tune, tune, tune) == (1, None)
    assert chosen(tune, drums, tune) == (2, None)
    assert chosen(tune, chords, tune) == (2, 1)
    assert chosen(tune, chords, chords) == (0, 1)
    assert chosen(tune, chords, chords, chords=True) == (1, None)
    assert chosen(part(HALF), part(MOSTLY)) == (1, None)
    assert chosen(part(MOSTLY), part(HALF)) == (0, 1)
    assert chosen(part(HALF), part(CHORDS)) == (0, 1)  # all are chords: most notes that begin alone
    assert chosen(chords, part(HALF), number=1) == (1, None)


def test_a_missing_part_lists_the_parts():
    with pytest.raises(
        OptionError, match=r"--part 2: that part does not exist; a has parts 0 \(Hum, .*piano\), 1 \(drums\)"
    ):
        chosen(part(TUNE, name="Hum"), part(TUNE, drums=True), number=2)
    with pytest.raises(OptionError, match="--part 1: that part is drums"):
        chosen(part(TUNE), part(TUNE, drums=True), number=1)
    with pytest.raises(ScoreError, match="--chords"):
        chosen(part(TUNE), part(CHORDS), number=1)


def test_a_chord_with_spread_onsets_is_a_chord():
    rows = [(start + 4 * i, stop, pitch, loud) for i, (start, stop, pitch, loud) in enumerate(CHORDS[:4])]
    (theme,) = themes_of(Score((part(rows),)), "a", True, False)
    assert theme.symbols == ((60, 64), (60, 64))


def test_repitching_changes_the_notes_of_one_part_alone():
    controls, bends = np.array([(0, 7, 90)], CONTROL), np.array([(5, -100)], BEND)
    score = Score((part(CHORDS, name="Keys"), part(TUNE, program=3, name="Hum", controls=controls, bends=bends)))
    (theme,) = themes_of(score, "a", False, False)
    new = repitched(theme, [(50,)] * len(theme.symbols), "copy")
    assert set(new.notes["pitch"]) == {50} and np.array_equal(new.notes["start"], score.parts[1].notes["start"])
    assert (new.program, new.name, new.controls.tolist(), new.bends.tolist()) == (3, "Hum", [(0, 7, 90)], [(5, -100)])
    whole = with_themes(score, {theme.part: new})
    assert whole.parts == (score.parts[0], new)
