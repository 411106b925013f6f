"""MusicXML at sounding pitch: transposition, programs, drums, grace notes, ties, repeats, pickups; within limits."""

import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from music_composer.errors import ScoreError
from music_composer.symbolic.notation import musicxml_elements, score_file
from music_composer.symbolic.notation.repeats import Signs, order_of_parts, playing_order
from music_composer.symbolic.notation.score_file import read_notation
from music_composer.values import Part

LISTED = '<score-part id="P1"><part-name>{name}</part-name>{more}</score-part>'


def note(pitch: str = "C4", length: float = 1, more: str = "", before: str = "") -> str:
    """pitch: step, alter as # or b, octave."""
    alter = {"#": 1, "b": -1}.get(pitch[1], 0)
    where = f"<pitch><step>{pitch[0]}</step><alter>{alter}</alter><octave>{pitch[-1]}</octave></pitch>"
    duration = "" if "<grace" in before else f"<duration>{length}</duration>"
    return f"<note>{before}{where}{duration}{more}</note>"


def score(*measures: str, name: str = "", more: str = "", beats: int = 4, root: str = "score-partwise") -> str:
    """Divisions are quarters, unless a measure says otherwise."""
    time = (
        f"<attributes><divisions>1</divisions><time><beats>{beats}</beats><beat-type>4</beat-type></time></attributes>"
    )
    inside = "".join(f"<measure>{time if i == 0 else ''}{each}</measure>" for i, each in enumerate(measures))
    listed = LISTED.format(name=name, more=more)
    return f'<{root}><part-list>{listed}</part-list><part id="P1">{inside}</part></{root}>'


@pytest.fixture
def reading(tmp_path):
    def read(text: str, suffix: str = ".musicxml"):
        (tmp_path / f"a{suffix}").write_text(text)
        return read_notation(tmp_path / f"a{suffix}")

    return read


def notes_of(part: Part) -> list[tuple[float, float, int]]:
    """In quarters."""
    return [(start / 480, stop / 480, pitch) for start, stop, pitch, _ in part.notes.tolist()]


WHOLE = note(length=4)


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


def bar(pitch: str, **signs: str) -> str:
    left = f'<barline location="left">{signs["left"]}</barline>' if "left" in signs else ""
    right = f'<barline location="right">{signs["right"]}</barline>' if "right" in signs else ""
    return left + note(pitch, 4) + signs.get("sound", "") + right


FORWARD, BACKWARD = '<repeat direction="forward"/>', '<repeat direction="backward"/>'
FIRST, SECOND = '<ending number="1" type="start"/>', '<ending number="2" type="start"/>'
STOP = '<ending number="1" type="stop"/>'


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
@pytest.mark.journey
@given(st.lists(st.builds(
    Signs, st.booleans(), st.integers(0, 16), st.sampled_from([(), (), (1,), (2,), (1, 3)]),
    *(st.booleans() for _ in range(6)), st.sampled_from(["", "", "", "A", "B"]),
), max_size=12))  # fmt: skip
@settings(max_examples=500, deadline=None)
def test_any_signs_give_a_finite_order(signs):
    for order in (playing_order(signs, 1000), order_of_parts(signs, "A(BA9)9", 1000)):
        assert order is None or (len(order) <= 1000 and all(0 <= each < len(signs) for each in order))


ODD = {
    "beats": score(WHOLE, beats=100_000_000),
    "repeat": score(WHOLE + '<barline><repeat direction="backward" times="1000000"/></barline>'),
    "length": score(note(length=99999999999999999999) + WHOLE),
    "negative": score(note(length=-4) + WHOLE),
    "octave": score(note().replace("<octave>4", "<octave>99999999") + WHOLE),
    "divisions": score("<attributes><divisions>0</divisions></attributes>" + WHOLE),
    "infinity": score(note(length=float("inf")) + WHOLE),
    "words": score(note().replace("<duration>1", "<duration>long") + WHOLE),
}


@pytest.mark.parametrize("odd", ODD)
def test_invalid_numbers_are_counted_and_ignored(reading, odd):
    read = reading(ODD[odd])
    assert 1 <= read.score.count <= 2 and read.score.ticks <= 3 * 1920
    assert len(read.remarks) == 1 and read.remarks[0].startswith("1 ")


def test_entities_bombs_and_endless_scores_are_refused(tmp_path, monkeypatch, reading):
    laughs = '<!DOCTYPE score-partwise [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]>' + score(WHOLE, name="&b;")
    with pytest.raises(ScoreError, match=r"a\.musicxml: defines entities"):
        reading(laughs)
    with pytest.raises(ScoreError, match="has 1,001 parts"):
        reading("<score-partwise>" + '<part id="P1"><measure/></part>' * 1001 + "</score-partwise>")
    monkeypatch.setattr(musicxml_elements, "MAX_ELEMENTS", 10)
    with pytest.raises(ScoreError, match="more than 10 elements"):
        reading(score(WHOLE))
    monkeypatch.setattr(score_file, "MAX_BYTES", 10_000)
    with zipfile.ZipFile(tmp_path / "a.mxl", "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("a.xml", " " * 100_000)
    with pytest.raises(ScoreError, match=r"a\.mxl: holds a score of more than"):
        read_notation(tmp_path / "a.mxl")


def test_endless_repeats_are_read_as_written(reading, monkeypatch):
    monkeypatch.setattr("music_composer.symbolic.notation.bars.MAX_BARS", 10)
    read = reading(score(*[bar("C4", right='<repeat direction="backward" times="16"/>')] * 3))
    assert read.score.count == 3 and "read as written" in read.remarks[0]


def test_the_containers_score_and_timewise_scores_are_read(tmp_path, reading):
    with zipfile.ZipFile(tmp_path / "a.mxl", "w") as pack:
        pack.writestr("other.xml", score(WHOLE))
        pack.writestr(
            "META-INF/container.xml", '<container><rootfiles><rootfile full-path="b/c.xml"/></rootfiles></container>'
        )
        pack.writestr("b/c.xml", score(note("D4", 4)))
    assert notes_of(read_notation(tmp_path / "a.mxl").score.parts[0]) == [(0, 4, 62)]
    timewise = score(root="score-timewise").replace(
        '<part id="P1"></part>', f'<measure><part id="P1">{WHOLE}</part></measure>'
    )
    assert notes_of(reading(timewise).score.parts[0]) == [(0, 4, 60)]


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


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "iso-8859-15", "koi8-r", "shift_jis"]
)
def test_names_in_any_alphabet(tmp_path, encoding):
    name = {"koi8-r": "Флейта", "shift_jis": "フルート"}.get(encoding, "Flöte")
    begin = "" if encoding == "utf-16-le" else "\n "
    text = f'{begin}<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>' + score(WHOLE, name=name)
    (tmp_path / "a.musicxml").write_bytes(text.encode(encoding) + b"\n\n junk")
    (part,) = read_notation(tmp_path / "a.musicxml").score.parts
    assert notes_of(part) == [(0, 4, 60)] and part.name == name


def test_parts_of_a_timewise_score_are_identified_by_id(reading):
    def measure(**parts):
        return (
            "<measure>" + "".join(f'<part id="{name}">{notes}</part>' for name, notes in parts.items()) + "</measure>"
        )

    low, high = WHOLE, note("C5", 4)
    bars = measure(a=low), measure(b=high, a=low), measure(a=low, b=high)
    read = reading(f"<score-timewise>{''.join(bars)}</score-timewise>").score
    assert [notes_of(part) for part in read.parts] == [
        [(0, 4, 60), (4, 8, 60), (8, 12, 60)],
        [(4, 8, 72), (8, 12, 72)],
    ]


LISTING = '<container><rootfiles>{}<rootfile full-path="{}"/></rootfiles></container>'
PACKS = {
    "no listing": {"a.xml": "{score}"},
    "capitals": {"A.XML": "{score}"},
    "a picture of it first": {
        "META-INF/container.xml": LISTING.format('<rootfile full-path="a.pdf"/>', "b.musicxml"),
        "a.pdf": "%PDF", "b.musicxml": "{score}",
    },
    "no suffix": {"META-INF/container.xml": LISTING.format("", "music"), "a.xml": "<no/>", "music": "{score}"},
    "a listing of what is not there": {"META-INF/container.xml": LISTING.format("", "b.xml"), "a.xml": "{score}"},
    "UTF-16": {
        "META-INF/container.xml": LISTING.format("", "b.xml").encode("utf-16"), "a.xml": "<no/>", "b.xml": "{score}",
    },
    "a Mac's": {"__MACOSX/._a.xml": b"\x00\x05\x16\x07", "a.xml": "{score}"},
}  # fmt: skip


@pytest.mark.parametrize("pack", PACKS)
def test_odd_compressed_files(tmp_path, pack):
    with zipfile.ZipFile(tmp_path / "a.mxl", "w") as file:
        for name, content in PACKS[pack].items():
            file.writestr(name, score(WHOLE) if content == "{score}" else content)
    assert notes_of(read_notation(tmp_path / "a.mxl").score.parts[0]) == [(0, 4, 60)]


def test_loudness_and_tempo(reading):
    loud = "<direction><direction-type><dynamics><f/></dynamics></direction-type><sound tempo='90'/></direction>"
    half = ("<direction><direction-type><metronome><beat-unit>half</beat-unit><per-minute>60</per-minute></metronome>"
            "</direction-type></direction>")  # fmt: skip
    read = reading(score(WHOLE, loud + WHOLE, half + WHOLE)).score
    assert read.parts[0].notes["velocity"].tolist() == [80, 96, 96]
    assert read.tempos == ((0, 120.0), (1920, 90.0), (3840, 120.0))
    assert np.diff(read.parts[0].notes["start"]).tolist() == [1920, 1920]
