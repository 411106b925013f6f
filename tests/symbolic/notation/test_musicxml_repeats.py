"""Repeats, endings and jumps of MusicXML, in signs and in words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from music_composer.symbolic.notation.repeats import Signs, order_of_parts, playing_order
from tests.symbolic.notation.musicxml_text import (
    BACKWARD,
    FIRST,
    FORWARD,
    SECOND,
    STOP,
    WHOLE,
    bar,
    note,
    notes_of,
    score,
)


@pytest.mark.parametrize(
    ("bars", "played"),
    [
        ([bar("C4"), bar("D4", right=BACKWARD), bar("E4")], "CDCDE"),
        ([bar("C4"), bar("D4", left=FORWARD), bar("E4", right=BACKWARD), bar("F4")], "CDEDEF"),
        ([bar("C4", right='<repeat direction="backward" times="3"/>')], "CCC"),
        ([bar("C4"), bar("D4", left=FIRST, right=STOP + BACKWARD), bar("E4", left=SECOND), bar("F4")], "CDCE"),
        ([bar("C4", right=BACKWARD), bar("D4", right=BACKWARD)], "CCDD"),
        ([bar("C4", sound='<sound fine="yes"/>'), bar("D4", sound='<sound dacapo="yes"/>')], "CDC"),
        ([bar("C4"), bar("D4", sound='<sound segno="s"/>'), bar("E4", sound='<sound tocoda="c"/>'),
          bar("F4", sound='<sound dalsegno="s"/>'), bar("G4", sound='<sound coda="c"/>')], "CDEFDEG"),
    ],
)  # fmt: skip
def test_repeats_and_jumps_are_played(reading, bars, played):
    pitches = [pitch for *_, pitch in notes_of(reading(score(*bars)).score.parts[0])]
    letters = {60: "C", 62: "D", 64: "E", 65: "F", 67: "G"}
    found = "".join(letters[pitch] for pitch in pitches)
    assert found.startswith(played) and len(found) <= len(played) + 1


@pytest.mark.journey
@given(st.lists(st.builds(
    Signs, st.booleans(), st.integers(0, 16), st.sampled_from([(), (), (1,), (2,), (1, 3)]),
    *(st.booleans() for _ in range(6)), st.sampled_from(["", "", "", "A", "B"]),
), max_size=12))  # fmt: skip
@settings(max_examples=500, deadline=None)
def test_any_signs_give_a_finite_order(signs):
    for order in (playing_order(signs, 1000), order_of_parts(signs, "A(BA9)9", 1000)):
        assert order is None or (len(order) <= 1000 and all(0 <= each < len(signs) for each in order))


def test_endless_repeats_are_read_as_written(reading, monkeypatch):
    monkeypatch.setattr("music_composer.symbolic.notation.bars.MAX_BARS", 10)
    read = reading(score(*[bar("C4", right='<repeat direction="backward" times="16"/>')] * 3))
    assert read.score.count == 3 and "read as written" in read.remarks[0]


def test_a_repeat_within_a_bar_starts_there(reading):
    half = '<barline location="middle"><repeat direction="{}"/></barline>'
    read = reading(score(WHOLE, note("D4", 2) + half.format("backward") + note("E4", 2))).score
    assert [pitch for *_, pitch in notes_of(read.parts[0])] == [60, 62, 60, 62, 64]
    assert read.metres == ((0, 4, 4), (1920, 2, 4), (2880, 4, 4), (4800, 2, 4), (5760, 4, 4))
    read = reading(score(note("D4", 2) + half.format("forward") + note("E4", 2), bar("F4", right=BACKWARD))).score
    assert [pitch for *_, pitch in notes_of(read.parts[0])] == [62, 64, 65, 64, 65]


def words(*said: str) -> str:
    inside = "".join(each if each.startswith("<") else f"<words>{each}</words>" for each in said)
    return f"<direction><direction-type>{inside}</direction-type></direction>"


@pytest.mark.parametrize(
    ("bars", "played"),
    [
        ([bar("C4"), bar("D4", sound=words("Fine")), bar("E4", sound=words("D.C. al Fine"))], "CDECD"),
        ([bar("C4"), bar("D4", sound=words("Da Capo"))], "CDCD"),
        ([bar("C4"), bar("D4", sound=words("<segno/>")), bar("E4", sound=words("To Coda", "<coda/>")),
          bar("F4", sound=words("D.S. al Coda")), bar("G4", sound=words("<coda/>"))], "CDEFDEG"),
        ([bar("C4"), bar("D4", sound=words("fine, but slowly"))], "CD"),
        ([bar("C4"), bar("D4", left=FIRST), bar("E4"), bar("F4", right=STOP + BACKWARD), bar("G4", left=SECOND)],
         "CDEFCG"),
        ([bar("C4"), bar("D4", left=FIRST, right=STOP + BACKWARD), bar("E4"), bar("F4")], "CDCEF"),
    ],
)  # fmt: skip
def test_jumps_in_words_and_long_or_single_endings(reading, bars, played):
    letters = {60: "C", 62: "D", 64: "E", 65: "F", 67: "G"}
    assert "".join(letters[pitch] for *_, pitch in notes_of(reading(score(*bars)).score.parts[0])) == played
