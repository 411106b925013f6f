"""What is asked for in words becomes notes that are kept and steps that are open; what cannot be is said."""

import numpy as np
import pytest

from music_composer.errors import OptionError
from music_composer.symbolic.constraints import chord_of, gap_of, melody_of, metre_of, request_of
from music_composer.symbolic.midi.midi_file import write_midi
from music_composer.symbolic.options import BoundOptions, PlayOptions
from music_composer.symbolic.roll import to_score
from music_composer.values import Roll
from tests.symbolic.models.voices.test_bounds import random_roll

NONE = np.zeros((0, 128), np.uint8)
BLANK = Roll(NONE, NONE.astype(bool), 4, ((0, 90.0),), ((0, 3, 4),))


def asked(primer=None, bounds=None, **options):
    return request_of(primer, PlayOptions(**options), bounds or BoundOptions(), BLANK)


def notes_in(roll):
    return [(int(step), int(pitch)) for step, pitch in np.argwhere(roll.struck)]


@pytest.mark.parametrize("bars", [(0, 1), (2, 1), (1, 4), (4, 4)])
def test_bars_that_there_are_not_are_said(bars):
    with pytest.raises(OptionError, match="there are bars 1 to 3"):
        gap_of(random_roll(1), *bars)


def test_a_melody_in_words_is_one_in_notes():
    roll = melody_of("[60, -2, 62, -1, -2, 64]", BLANK)
    assert notes_in(roll) == [(0, 60), (2, 62), (5, 64)]
    assert roll.sounding.sum(axis=1).tolist() == [1, 1, 1, 0, 0, 1]
    assert (roll.tempos, roll.metres) == (BLANK.tempos, BLANK.metres)
    assert notes_in(melody_of("60,60", BLANK)) == [(0, 60), (1, 60)]


def test_a_chord_in_words_lasts_a_quarter():
    roll = chord_of("(60, 64 67)", BLANK)
    assert notes_in(roll) == [(0, 60), (0, 64), (0, 67)]
    assert roll.sounding.sum() == 12


@pytest.mark.parametrize("words", ["", "[", "[60, x]", "[128]", "[-3]", "sixty", "60;61", "[-1, -2]"])
def test_words_that_are_no_melody_are_said(words):
    with pytest.raises(OptionError, match="--primer-melody is"):
        melody_of(words, BLANK)


@pytest.mark.parametrize("words", ["[-1]", "[200]", "C E G"])
def test_words_that_are_no_chord_are_said(words):
    with pytest.raises(OptionError, match="--primer-pitches is"):
        chord_of(words, BLANK)


@pytest.mark.parametrize(("words", "metre"), [("3/4", (3, 4)), (" 12 / 8 ", (12, 8))])
def test_metres(words, metre):
    assert metre_of(words) == metre


@pytest.mark.parametrize("words", ["3", "0/4", "3/5", "x/4", "4/4/4", "-3/4"])
def test_words_that_are_no_metre_are_said(words):
    with pytest.raises(OptionError, match="--metre is"):
        metre_of(words)


def test_pitches_go_before_a_melody_and_that_before_a_file(tmp_path):
    path = tmp_path / "song.mid"
    write_midi(to_score(chord_of("[50]", BLANK)), path)
    assert notes_in(asked(path).kept) == [(0, 50)]
    assert notes_in(asked(path, primer_melody="[51]").kept) == [(0, 51)]
    assert notes_in(asked(path, primer_melody="[51]", primer_pitches="[52]").kept) == [(0, 52)]


def test_a_primer_is_gone_on_from_or_kept_in_the_new_music_or_both():
    words = {"primer_melody": "[60, 62, 64, 65]", "steps": 10}
    after = asked(**words)
    assert after.steps == 14 and np.flatnonzero(after.open_steps).tolist() == [*range(4, 14)]
    assert after.primed == 4

    around = asked(**words, condition_on_primer=False, inject_primer=True)
    assert around.steps == 10 and around.open_steps.all()
    assert notes_in(around.kept) == notes_in(after.kept)

    both = asked(**words, inject_primer=True)
    assert both.steps == 14 and np.flatnonzero(both.open_steps).tolist() == [*range(4, 14)]
    assert notes_in(both.kept) == [
        (i + 4 * again, pitch) for again in (0, 1) for i, pitch in enumerate((60, 62, 64, 65))
    ]

    with pytest.raises(OptionError, match="leaves the primer nothing to do"):
        asked(**words, condition_on_primer=False)


def test_what_was_heard_first_is_left_out_where_that_is_asked_for():
    assert asked(primer_melody="[60, 62]", steps=5).omitted == 0
    assert asked(primer_melody="[60, 62]", steps=5, omit_primer=True).omitted == 2
    assert asked(primer_melody="[60]", omit_primer=True, condition_on_primer=False, inject_primer=True).omitted == 0


def test_the_metre_that_is_asked_for_holds_from_where_music_is_composed():
    assert asked(metre="6/8").kept.metres == ((0, 6, 8),)
    assert asked(metre="6/8", primer_melody="[60, 62]").kept.metres == ((0, 3, 4), (2, 6, 8))
    assert asked(qpm=61.0).kept.tempos == ((0, 61.0),)


def test_scale_range_and_polyphony_are_passed_on():
    request = asked(bounds=BoundOptions(scale="C major", range="C4-C5", max_polyphony=3))
    assert np.flatnonzero(request.pitches).tolist() == [60, 62, 64, 65, 67, 69, 71, 72]
    assert request.fullest == 3
