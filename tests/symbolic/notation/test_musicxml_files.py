"""Files that hold MusicXML: compressed, in any alphabet, by time, invalid and hostile."""

import zipfile

import pytest

from music_composer.errors import ScoreError
from music_composer.symbolic.notation import musicxml_elements, score_file
from music_composer.symbolic.notation.score_file import read_notation
from tests.symbolic.notation.musicxml_text import (
    WHOLE,
    note,
    notes_of,
    score,
)

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
