"""Options become fixed notes and editable steps; invalid ones are refused."""

import numpy as np
import pytest

from music_composer.errors import OptionError
from music_composer.symbolic.constraints import Constraints, chord_of, constraints_from, gap_of, melody_of, metre_of
from music_composer.symbolic.midi.midi_file import write_midi
from music_composer.symbolic.play_options import BoundOptions, PlayOptions
from music_composer.symbolic.roll import to_score
from music_composer.values import Roll
from tests.symbolic.rolls import random_roll

NONE = np.zeros((0, 128), np.uint8)
BLANK = Roll(NONE, NONE.astype(bool), 4, ((0, 90.0),), ((0, 3, 4),))


def constraints_of(primer=None, bounds=None, **options):
    return constraints_from(primer, PlayOptions(**options), bounds or BoundOptions(), BLANK)


def notes_in(roll):
    return [(int(step), int(pitch)) for step, pitch in np.argwhere(roll.onset)]


@pytest.mark.parametrize("bars", [(0, 1), (2, 1), (1, 4), (4, 4)])
def test_missing_bars_are_refused(bars):
    with pytest.raises(OptionError, match="give bars from 1 to 3"):
        gap_of(random_roll(1), *bars)


def test_a_melody_becomes_notes():
    roll = melody_of("[60, -2, 62, -1, -2, 64]", BLANK)
    assert notes_in(roll) == [(0, 60), (2, 62), (5, 64)]
    assert roll.active.sum(axis=1).tolist() == [1, 1, 1, 0, 0, 1]
    assert (roll.tempos, roll.metres) == (BLANK.tempos, BLANK.metres)
    assert notes_in(melody_of("60,60", BLANK)) == [(0, 60), (1, 60)]


def test_a_chord_lasts_a_quarter():
    roll = chord_of("(60, 64 67)", BLANK)
    assert notes_in(roll) == [(0, 60), (0, 64), (0, 67)]
    assert roll.active.sum() == 12


@pytest.mark.parametrize("words", ["", "[", "[60, x]", "[128]", "[-3]", "sixty", "60;61", "[-1, -2]"])
def test_text_that_is_no_melody_is_refused(words):
    with pytest.raises(OptionError, match="--primer-melody is"):
        melody_of(words, BLANK)


@pytest.mark.parametrize("words", ["[-1]", "[200]", "C E G"])
def test_text_that_is_no_chord_is_refused(words):
    with pytest.raises(OptionError, match="--primer-pitches is"):
        chord_of(words, BLANK)


@pytest.mark.parametrize(("words", "metre"), [("3/4", (3, 4)), (" 12 / 8 ", (12, 8))])
def test_metres(words, metre):
    assert metre_of(words) == metre


@pytest.mark.parametrize("words", ["3", "0/4", "3/5", "x/4", "4/4/4", "-3/4"])
def test_text_that_is_no_metre_is_refused(words):
    with pytest.raises(OptionError, match="--metre is"):
        metre_of(words)


def test_pitches_take_precedence_over_a_melody_and_both_over_a_file(tmp_path):
    path = tmp_path / "song.mid"
    write_midi(to_score(chord_of("[50]", BLANK)), path)
    assert notes_in(constraints_of(path).fixed) == [(0, 50)]
    assert notes_in(constraints_of(path, primer_melody="[51]").fixed) == [(0, 51)]
    assert notes_in(constraints_of(path, primer_melody="[51]", primer_pitches="[52]").fixed) == [(0, 52)]


def test_a_primer_is_continued_or_fixed_in_the_new_music_or_both():
    primer = {"primer_melody": "[60, 62, 64, 65]", "steps": 10}
    after = constraints_of(**primer)
    assert after.steps == 14 and np.flatnonzero(after.editable).tolist() == [*range(4, 14)]
    assert after.primer_steps == 4

    around = constraints_of(**primer, condition_on_primer=False, inject_primer=True)
    assert around.steps == 10 and around.editable.all()
    assert notes_in(around.fixed) == notes_in(after.fixed)

    both = constraints_of(**primer, inject_primer=True)
    assert both.steps == 14 and np.flatnonzero(both.editable).tolist() == [*range(4, 14)]
    assert notes_in(both.fixed) == [
        (i + 4 * again, pitch) for again in (0, 1) for i, pitch in enumerate((60, 62, 64, 65))
    ]

    with pytest.raises(OptionError, match="or the primer has no effect"):
        constraints_of(**primer, condition_on_primer=False)


def test_the_primer_can_be_omitted():
    assert constraints_of(primer_melody="[60, 62]", steps=5).omitted == 0
    assert constraints_of(primer_melody="[60, 62]", steps=5, omit_primer=True).omitted == 2
    assert (
        constraints_of(primer_melody="[60]", omit_primer=True, condition_on_primer=False, inject_primer=True).omitted
        == 0
    )


def test_the_metre_option_applies_to_the_new_music():
    assert constraints_of(metre="6/8").fixed.metres == ((0, 6, 8),)
    assert constraints_of(metre="6/8", primer_melody="[60, 62]").fixed.metres == ((0, 3, 4), (2, 6, 8))
    assert constraints_of(qpm=61.0).fixed.tempos == ((0, 61.0),)


def test_scale_range_and_polyphony_are_constraints():
    constraints = constraints_of(bounds=BoundOptions(scale="C major", range="C4-C5", max_polyphony=3))
    assert np.flatnonzero(constraints.pitches).tolist() == [60, 62, 64, 65, 67, 69, 71, 72]
    assert constraints.max_polyphony == 3


@pytest.mark.parametrize(
    ("polyphony", "most", "room"), [(0, 4, [4, 2, 0, 0]), (3, 4, [3, 1, 0, 0]), (9, 4, [4, 2, 0, 0])]
)
def test_fixed_notes_count_towards_the_polyphony_where_notes_may_begin(polyphony, most, room):
    fixed = np.zeros((4, 6))
    fixed[1, :2] = fixed[2, :5] = 1
    roll = Roll(np.zeros((4, 128), np.uint8), np.zeros((4, 128), bool))
    constraints = Constraints(roll, np.array([True, True, True, False]), max_polyphony=polyphony)
    found = constraints.max_new_notes(most, fixed)
    assert found.dtype == np.int32
    assert found.tolist() == room
    assert constraints.max_new_notes(most, fixed.astype(bool)).tolist() == room
