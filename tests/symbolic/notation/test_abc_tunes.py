"""ABC tune books: all tunes in playing order, within limits."""

import pytest

from music_composer.errors import ScoreError
from music_composer.symbolic.notation import abc_tunes
from music_composer.symbolic.notation.score_file import read_notation

HEADER = "X:1\nT:A tune\nM:4/4\nL:1/4\n"


@pytest.fixture
def reading(tmp_path):
    def read(text: str):
        (tmp_path / "a.abc").write_text(text)
        return read_notation(tmp_path / "a.abc")

    return read


@pytest.fixture
def heard(reading):
    """(start, length, pitch) of the first part, in quarters, of music in K:C."""

    def hear(music: str, key: str = "C", header: str = HEADER) -> list[tuple[float, float, int]]:
        part = reading(f"{header}K:{key}\n{music}\n").score.parts[0]
        return [(start / 480, (stop - start) / 480, pitch) for start, stop, pitch, _ in part.notes.tolist()]

    return hear


@pytest.mark.parametrize(
    ("music", "notes"),
    [
        ("C, C c c'", [(0, 1, 48), (1, 1, 60), (2, 1, 72), (3, 1, 84)]),
        ("C2 C/ C/2 C//C3/4", [(0, 2, 60), (2, 0.5, 60), (2.5, 0.5, 60), (3, 0.25, 60), (3.25, 0.75, 60)]),
        ("C z C2", [(0, 1, 60), (2, 2, 60)]),
        ("^C _D =E ^^F", [(0, 1, 61), (1, 1, 61), (2, 1, 64), (3, 1, 67)]),
        ("^C C | C", [(0, 1, 61), (1, 1, 61), (2, 1, 60)]),
        ("[CEG]2 [C2E2]", [(0, 2, 60), (0, 2, 64), (0, 2, 67), (2, 2, 60), (2, 2, 64)]),
        ("C>D E<F", [(0, 1.5, 60), (1.5, 0.5, 62), (2, 0.5, 64), (2.5, 1.5, 65)]),
        ("C>>D", [(0, 1.75, 60), (1.75, 0.25, 62)]),
        ("(3CDE F", [(0, 2 / 3, 60), (2 / 3, 2 / 3, 62), (4 / 3, 2 / 3, 64), (2, 1, 65)]),
        ("(3:2:2CD E", [(0, 2 / 3, 60), (2 / 3, 2 / 3, 62), (4 / 3, 1, 64)]),
        ("C4-|C4", [(0, 8, 60)]),
        ('"Am"C !trill!D ~E (FG)', [(0, 1, 60), (1, 1, 62), (2, 1, 64), (3, 1, 65), (4, 1, 67)]),
        ("C2 {DE}F2", [(0, 2, 60), (1.75, 0.125, 62), (1.875, 0.125, 64), (2, 2, 65)]),
        ("C [L:1/8] D [K:G] F", [(0, 1, 60), (1, 0.5, 62), (1.5, 0.5, 66)]),
        ("C2 E2 & G4", [(0, 2, 60), (0, 4, 67), (2, 2, 64)]),
        ("C4|Z2|D4", [(0, 4, 60), (12, 4, 62)]),
        ("C % D E\nF", [(0, 1, 60), (1, 1, 65)]),
        ('[!f!C"G"E]2', [(0, 2, 60), (0, 2, 64)]),
        ("C\n%%begintext\nA BAD CAFE\n%%endtext\nD\nw: la la\n+: la CAB", [(0, 1, 60), (1, 1, 62)]),
        ("C2-|[CE]2", [(0, 4, 60), (2, 2, 64)]),
    ],
)
def test_music(heard, music, notes):
    assert [tuple(round(value, 2) for value in each) for each in heard(music)] == [
        tuple(round(value, 2) for value in each) for each in notes
    ]


@pytest.mark.parametrize(
    ("key", "pitches"),
    [
        ("C", [65, 71]), ("G", [66, 71]), ("F", [65, 70]), ("Am", [65, 71]), ("Em", [66, 71]), ("D mix", [66, 71]),
        ("Ador", [66, 71]), ("Bb", [65, 70]), ("F#", [66, 71]), ("none", [65, 71]), ("D exp _b", [65, 70]),
        ("C octave=-1", [53, 59]), ("C transpose=-2", [63, 69]),
        ("C treble-8", [53, 59]), ("C clef=bass+8", [77, 83]), ("C treble", [65, 71]),
    ],
)  # fmt: skip
def test_keys(heard, key, pitches):
    assert [pitch for *_, pitch in heard("FB", key)] == pitches


@pytest.mark.parametrize(
    ("music", "played"),
    [
        ("C4|D4:|E4", "CDCDE"), ("C4|:D4:|E4", "CDDE"), ("|:C4::D4:|", "CCDD"), ("C4|1D4:|2E4|]F4", "CDCEF"),
        ("|:C4|[1 D4:|[2 E4||F4", "CDCEF"), ("|:C4::|", "CCC"), ("C4!fine!|D4!D.C.!|", "CDC"),
        ("|:C4:|\n|:D4:|", "CCDD"), ("C4|[|:D4:|E4|", "CDDE"), ("|:C4|1D4|D4:|2E4|E4|]F4", "CDDCEEF"),
        ("|:C4|1D4:|E4|F4|", "CDCEF"), ("|:C4|1D4:|", "CDCD"), ("|:C4|1D4:|:E4:|", "CDCDEE"),
    ],
)  # fmt: skip
def test_repeats(heard, music, played):
    letters = {60: "C", 62: "D", 64: "E", 65: "F"}
    assert "".join(letters[pitch] for *_, pitch in heard(music)) == played


@pytest.mark.parametrize(
    ("order", "played"),
    [("AB", "CCD"), ("B2A", "DDCC"), ("A(BA)2", "CCDCCDCC"), ("A.B", "CCD"), ("AZ", "CCD"), ("((B9)99)9A", "CCD"),
     ("A99999999999", "CCD"), ("B17A", "CCD"), ("", "CCD")],
)  # fmt: skip
def test_parts_are_played_in_the_order_of_the_header(heard, monkeypatch, order, played):
    monkeypatch.setattr(abc_tunes, "MAX_BARS", 500)
    letters = {60: "C", 62: "D"}
    found = heard("P:A\n|:C4:|\nP:B\nD4|", header=f"{HEADER}P:{order}\n")
    assert "".join(letters[pitch] for *_, pitch in found) == played


def test_header_fields_apply_to_all_voices(reading):
    parts = reading(
        "X:1\nV:1 clef=treble\nV:2 clef=bass octave=-1\nM:3/4\nQ:90\nL:1/4\nK:D\nFCF|\nV:2\nFCF|\n"
    ).score.parts
    assert [part.notes["pitch"].tolist() for part in parts] == [[66, 61, 66], [54, 49, 54]]
    assert [part.notes["start"].tolist() for part in parts] == [[0, 480, 960]] * 2


def test_repeats_apply_to_voices_that_begin_in_the_body(reading):
    read = reading(HEADER + "K:C\nV:1\n|:CDEF:|\nV:2\n|:C4:|\n").score
    assert [len(part.notes) for part in read.parts] == [8, 2]


def test_a_metre_in_the_body_changes_no_lengths(reading):
    read = reading("X:1\nM:4/4\nK:C\nCDEF GABc|[M:2/4]CDEF|\n").score
    assert read.ticks == 12 * 240 and read.metres == ((0, 4, 4), (1920, 2, 4))


def test_a_pickup_shifts_no_bar_line(reading):
    assert reading(HEADER + "K:C\nC|DEFG|ABcd|\n").score.metres == ((0, 1, 4), (480, 4, 4))


def test_all_tunes_of_a_book_are_read_one_after_another(reading):
    first = "X:1\nL:1/4\nQ:1/4=60\nK:C\nCDE|\n\nwords between\n\n"
    book = f"% a book\nM:3/4\n\n{first}X:2\nM:4/4\nL:1/4\nK:G\n|:FGAB:|\n\nX:3\nL:1/8\nK:C\nc2d2e2|\n"
    read = reading(book)
    assert read.score.parts[0].notes["pitch"].tolist() == [60, 62, 64, *([66, 67, 69, 71] * 2), 72, 74, 76]
    assert read.score.tempos == ((0, 60.0), (1440, 120.0))
    assert read.score.metres == ((0, 3, 4), (1440, 4, 4), (1440 + 2 * 1920, 3, 4))
    assert read.remarks == ("3 tunes are read, one after another",)


def test_voices_are_parts_with_names_and_programs(reading):
    read = reading(HEADER + 'K:C\nV:1 name="Upper"\n%%MIDI program 73\nV:2 name=Lower\n%%MIDI program 32\n'
                            "V:1\nc4|d4|\nV:2\nC4|D4|\n[V:1] e4|\n")  # fmt: skip
    assert [(part.name, part.program, part.notes["pitch"].tolist()) for part in read.score.parts] == [
        ("Upper", 73, [72, 74, 76]),
        ("Lower", 32, [60, 62]),
    ]


@pytest.mark.parametrize("odd", ["C99999999999", "C" + "/" * 40, "C/99999", "[CE]99999999"])
def test_invalid_lengths_are_counted(reading, odd):
    read = reading(f"{HEADER}K:C\n{odd} D\n")
    assert read.score.count == 1 and "invalid" in read.remarks[0]


def test_many_repeats_are_played_and_text_without_a_tune_is_refused(reading, monkeypatch):
    assert reading("X:1\nK:C\n" + "|:C:|" * 1000).score.count == 2000
    for text in ("", "Dear diary", "X:1\n"):
        with pytest.raises(ScoreError, match=r"a\.abc: cannot be read as notation: there is no tune"):
            reading(text)
    monkeypatch.setattr(abc_tunes, "MAX_TOKENS", 100)
    with pytest.raises(ScoreError, match="more than 100 signs"):
        reading(f"{HEADER}K:C\n{'C' * 200}\n")


def test_the_first_tunes_of_a_long_book_are_read(reading, monkeypatch):
    monkeypatch.setattr(abc_tunes, "MAX_BARS", 5)
    read = reading("\n".join(f"X:{i}\nL:1/4\nK:C\nCDEF|GABc|\n" for i in range(4)))
    assert read.score.count == 16 and "2 tunes of 4 are read" in read.remarks[0]
