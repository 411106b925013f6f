"""MusicXML at sounding pitch: transposition, programs, drums, grace notes, ties, pickups and metres."""

import numpy as np
import pytest

from tests.symbolic.notation.musicxml_text import (
    LISTED,
    WHOLE,
    note,
    notes_of,
    score,
)


@pytest.mark.parametrize(
    ("transpose", "sounds"),
    [
        ("<chromatic>-2</chromatic>", 58),  # clarinet in B flat
        ("<diatonic>-5</diatonic><chromatic>-9</chromatic>", 51),  # alto saxophone
        ("<chromatic>0</chromatic><octave-change>-1</octave-change>", 48),  # double bass
        ("<chromatic>-2</chromatic><octave-change>-1</octave-change>", 46),
        ("<chromatic>1000000</chromatic>", 60),  # invalid
    ],
)
def test_transposing_instruments_are_read_at_sounding_pitch(reading, transpose, sounds):
    text = score(f"<attributes><transpose>{transpose}</transpose></attributes>{WHOLE}", WHOLE)
    assert [pitch for *_, pitch in notes_of(reading(text).score.parts[0])] == [sounds, sounds]


def test_a_change_of_instrument_transposes_from_there_on(reading):
    to_clarinet = "<attributes><transpose><chromatic>-3</chromatic></transpose></attributes>"
    back = "<attributes><transpose><chromatic>0</chromatic></transpose></attributes>"
    (part,) = reading(score(WHOLE, to_clarinet + WHOLE, back + WHOLE)).score.parts
    assert [pitch for *_, pitch in notes_of(part)] == [60, 57, 60]


@pytest.mark.parametrize(
    ("name", "more", "program"),
    [
        ("Anything", '<midi-instrument id="I"><midi-program>74</midi-program></midi-instrument>', 73),
        ("Clarinet in Bb", "", 71),
        ("Violins", "", 40),
        ("Violoncello", "", 42),
        ("Horn in F", "", 60),
        ("Tenor", "", 0),
        ("X", '<score-instrument id="I"><instrument-sound>wind.flutes.flute</instrument-sound></score-instrument>', 73),
        ("Flute", '<midi-instrument id="I"><midi-program>999</midi-program></midi-instrument>', 73),
    ],
)
def test_parts_have_names_and_programs(reading, name, more, program):
    (part,) = reading(score(WHOLE, name=name, more=more)).score.parts
    assert (part.program, part.drums, part.name) == (program, False, name)


def test_percussion_is_drums(reading):
    kit = "".join(
        f'<midi-instrument id="{name}"><midi-channel>10</midi-channel><midi-unpitched>{key}</midi-unpitched>'
        "</midi-instrument>" for name, key in (("kick", 37), ("hat", 43))
    )  # fmt: skip
    hits = "".join(
        f"<note><unpitched><display-step>E</display-step></unpitched><duration>2</duration>"
        f'<instrument id="{name}"/></note>' for name in ("kick", "hat")
    )  # fmt: skip
    (part,) = reading(score(hits, more=kit)).score.parts
    assert part.drums and notes_of(part) == [(0, 2, 36), (2, 4, 42)]


def test_drums_without_a_map_are_identified_by_name_or_counted(reading):
    hit = "<note><unpitched/><duration>4</duration></note>"
    assert notes_of(reading(score(hit, name="Bass Drum")).score.parts[0]) == [(0, 4, 36)]
    read = reading(score(hit, name="Quijada"))
    assert read.score.parts[0].drums and "as a snare" in read.remarks[0]


def test_a_bass_drum_channel_is_not_transposed_and_staves_are_parts(reading):
    two = (
        note("C5", 4, "<staff>1</staff>")
        + "<backup><duration>4</duration></backup>"
        + note("C3", 4, "<staff>2</staff>")
    )
    parts = reading(score(two)).score.parts
    assert [notes_of(part) for part in parts] == [[(0, 4, 72)], [(0, 4, 48)]]


def test_grace_notes_are_short_notes_before_their_note(reading):
    grace = note("D4", before="<grace/>") + note("E4", before="<grace/>")
    (part,) = reading(score(note(length=2) + grace + note("F4", 2))).score.parts
    assert notes_of(part) == [(0, 2, 60), (1.75, 1.875, 62), (1.875, 2, 64), (2, 4, 65)]
    (part,) = reading(score(grace + note(length=4))).score.parts
    assert part.notes["start"].min() == 0 and len(part.notes) == 3


def test_ties_join_over_bar_lines_and_repeats(reading):
    begin, end = '<tie type="start"/>', '<tie type="stop"/>'
    (part,) = reading(
        score(note(length=4, more=begin), note(length=4, more=begin + end), note(length=4, more=end))
    ).score.parts
    assert notes_of(part) == [(0, 12, 60)]
    written = '<notations><tied type="{}"/></notations>'
    (part,) = reading(
        score(note(length=4, more=written.format("start")), note(length=4, more=written.format("stop")))
    ).score.parts
    assert notes_of(part) == [(0, 8, 60)]


def test_a_pickup_shifts_no_bar_line(reading):
    read = reading(score(note(length=1), note("D4", 3), note("E4", 3), note("F4", 2), beats=3)).score
    assert read.metres == ((0, 1, 4), (480, 3, 4))
    assert [start for start, *_ in notes_of(read.parts[0])] == [0, 1, 4, 7]
    eighth = "<attributes><divisions>2</divisions></attributes>" + note(length=1)
    assert reading(score(eighth, note(length=8))).score.metres == ((0, 1, 8), (240, 4, 4))


def test_metres_in_the_middle_and_sums(reading):
    change = "<attributes><time><beats>3+2</beats><beat-type>8</beat-type></time></attributes>"
    read = reading(score(WHOLE, change + note(length=2.5), note(length=2.5))).score
    assert read.metres == ((0, 4, 4), (1920, 5, 8))


REST = "<note><rest {how}/><duration>{length}</duration></note>"


@pytest.mark.parametrize(
    "longer",
    [
        WHOLE + "<backup><duration>4</duration></backup>" + REST.format(how='measure="yes"', length=8),
        REST.format(how="", length=8),
        REST.format(how="", length=4) * 2,
    ],
)
def test_a_rest_that_is_longer_than_its_bar_shifts_nothing(reading, longer):
    two = score(WHOLE, note("D4", 4)).replace("</part-list>", LISTED.format(name="", more="") + "</part-list>", 1)
    other = f'<part id="P1"><measure>{longer}</measure><measure>{note("E4", 4)}</measure></part>'
    parts = reading(two.replace("</score-partwise>", other + "</score-partwise>")).score.parts
    assert [notes_of(part)[-1][0] for part in parts] == [4, 4]


def test_a_pickup_is_as_long_as_its_notes_where_another_part_rests_a_whole_bar(reading):
    two = score(note(), WHOLE).replace("<measure>", '<measure implicit="yes">', 1)
    other = f'<part id="P1"><measure>{REST.format(how="", length=4)}</measure><measure>{WHOLE}</measure></part>'
    read = reading(two.replace("</score-partwise>", other + "</score-partwise>")).score
    assert read.metres == ((0, 1, 4), (480, 4, 4)) and [notes_of(part)[-1][0] for part in read.parts] == [1, 1]


def test_ties_work_without_a_stop_and_across_voices(reading):
    start = note("C4", 2, '<tie type="start"/>')
    below = "<backup><duration>4</duration></backup>" + note("C4", 1, "<voice>2</voice>")
    read = reading(score(note("E4", 2) + start + below, note("C4", 4)))
    assert notes_of(read.score.parts[0]) == [(0, 1, 60), (0, 2, 64), (2, 8, 60)]


def test_grace_notes_of_a_chord_begin_together(reading):
    graces = note("D4", before="<grace/>") + note("F4", before="<grace/><chord/>")
    assert notes_of(reading(score(note() + graces + note())).score.parts[0])[1:3] == [(0.75, 1, 62), (0.75, 1, 65)]


def test_loudness_and_tempo(reading):
    loud = "<direction><direction-type><dynamics><f/></dynamics></direction-type><sound tempo='90'/></direction>"
    half = ("<direction><direction-type><metronome><beat-unit>half</beat-unit><per-minute>60</per-minute></metronome>"
            "</direction-type></direction>")  # fmt: skip
    read = reading(score(WHOLE, loud + WHOLE, half + WHOLE)).score
    assert read.parts[0].notes["velocity"].tolist() == [80, 96, 96]
    assert read.tempos == ((0, 120.0), (1920, 90.0), (3840, 120.0))
    assert np.diff(read.parts[0].notes["start"]).tolist() == [1920, 1920]
