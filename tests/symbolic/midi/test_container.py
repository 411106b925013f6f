"""Damaged MIDI files: all readable notes are read, and repairs are counted."""

import gzip
import struct

import pytest

from music_composer.errors import ScoreError
from music_composer.symbolic.midi import container, events
from music_composer.symbolic.midi.midi_file import parse_midi
from tests.symbolic.midi.midi_bytes import (
    END,
    chunk,
    control,
    file,
    meta,
    number,
    off,
    on,
    program,
    scale,
    sysex,
    track,
)

SCALE = [(480 * i, 480 * (i + 1), pitch) for i, pitch in enumerate((60, 62, 64, 65, 67, 69, 71, 72))]
PLAIN = file(track((0, meta(0x51, b"\x07\xa1\x20"))), track(*scale()))


def notes_of(content: bytes) -> list[tuple[int, int, int]]:
    return sorted(tuple(note)[:3] for part in parse_midi(content).score.parts for note in part.notes.tolist())


def riff(content: bytes, *before: bytes, length: int | None = None) -> bytes:
    length = len(content) if length is None else length
    chunks = b"RMID" + b"".join(before) + b"data" + struct.pack("<L", length) + content
    return b"RIFF" + struct.pack("<L", len(chunks)) + chunks


ODD = {
    "sharps": meta(0x59, b"\x08\x00"), "mode": meta(0x59, b"\xfe\xff"), "no key": meta(0x59, b""),
    "short tempo": meta(0x51, b"\x07"), "no tempo": meta(0x51, b"\x00\x00\x00"),
    "long tempo": meta(0x51, b"\x07\xa1\x20\x00"),
    "two bytes of metre": meta(0x58, b"\x04\x02"), "no beats": meta(0x58, b"\x00\x02\x18\x08"),
    **{f"beats of 2^{power}": meta(0x58, bytes([4, power, 24, 8])) for power in (7, 33, 63, 64, 255)},
    "SMPTE": meta(0x54, b"\xff\x00\x00\x00\x00"), "prefix": meta(0x20, b""), "port": meta(0x21, b""),
    "number": meta(0x00, b"\x01"), "F4": b"\xf4", "F5": b"\xf5", "clock": b"\xf8", "position": b"\xf2\x01\x02",
    "no position": b"\xf2", "song": b"\xf3\x05", "no song": b"\xf3", "no time code": b"\xf1",
}  # fmt: skip


@pytest.mark.parametrize("place", [0, 3])
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_an_invalid_event_is_skipped_alone(odd, place):
    with_it = scale()
    with_it.insert(place, (0, odd))
    reading = parse_midi(file(track(*with_it)))
    (part,) = reading.score.parts
    assert [tuple(note)[:3] for note in part.notes.tolist()] == SCALE
    assert (reading.score.tempos, reading.score.metres) == (((0, 120.0),), ((0, 4, 4),))
    assert len(reading.remarks) == 1 and "left out" in reading.remarks[0]


TWO = [track(*scale()), track(*scale(1))]
FILES = {
    "foreign chunk between": (file(TWO[0], chunk(b"XFIH", b"abcd"), TWO[1], declared=2), 16, "are no tracks"),
    "foreign chunk after": (file(*TWO, chunk(b"XFKM", b"abcd"), declared=2), 16, "are no tracks"),
    "more tracks declared": (file(*TWO, declared=5), 16, "3 tracks of the number"),
    "fewer tracks declared": (file(*TWO, declared=1), 16, "1 tracks more"),
    "no tracks declared": (file(*TWO, declared=0), 16, "2 tracks more"),
    "a track is not so long": (file(track(*scale(), length=500), TWO[1]), 16, "wrong length"),
    "a track is longer": (file(track(*scale(), length=20), TWO[1]), 16, "wrong length"),
    "a track is 0 long": (file(track(*scale(), length=0), TWO[1]), 16, "wrong length"),
    "the last has no end": (file(TWO[0], track(*scale(1), length=2**32 - 1)), 16, "wrong length"),
    "a length over the next track": (file(track(*scale(), length=len(b"".join(TWO)) - 8), TWO[1]), 16, ""),
    "no end": (file(track(*scale(), end=b"")), 8, "no end-of-track"),
    "events after the end": (file(track(*scale(), end=END + number(0) + on(60) + number(480) + off(60))), 9, "behind"),
    "bytes after": (file(*TWO) + b"\x1a" * 300 + b"TAG" + b"x" * 125, 16, "428 bytes behind"),
    "bytes between": (file(TWO[0]) + b"\x00\x01\x02" + TWO[1], 16, ""),
    "format 7": (file(*TWO, kind=7), 16, "undefined formats"),
    "long header": (chunk(b"MThd", struct.pack(">HHHH", 1, 2, 480, 0)) + b"".join(TWO), 16, ""),
    "wrong header length": (file(*TWO).replace(b"MThd\0\0\0\x06", b"MThd\0\0\0\x60"), 16, ""),
    "MacBinary": (b"\0" * 128 + file(*TWO), 16, "128 bytes before"),
    "gzip": (gzip.compress(file(*TWO)), 16, ""),
    "RIFF": (riff(file(*TWO)), 16, ""),
    "RIFF with more before": (riff(file(*TWO), b"LIST" + struct.pack("<L", 4) + b"INFO"), 16, ""),
    "RIFF of a wrong length": (riff(file(*TWO), length=2**31), 16, ""),
    "sysex without a length": (file(track((0, b"\xf0\x7e\x7f\x09\x01\xf7"), *scale())), 8, ""),
    "a delta of eleven bytes": (file(track((0, on(60)), (480, off(60)))).replace(
        b"\x00\x90", b"\xff" * 10 + b"\x7f\x90"), 1, "invalid"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "count", "declared"), FILES.values(), ids=FILES)
def test_wrong_lengths_and_counts_lose_no_note(content, count, declared):
    reading = parse_midi(content)
    assert reading.score.count == count
    assert any(declared in remark for remark in reading.remarks) if declared else True
    if count % 8 == 0:
        assert notes_of(content)[:: count // 8] == SCALE


def test_complete_notes_of_a_truncated_file_are_read():
    for length in range(22, len(PLAIN)):
        try:
            reading = parse_midi(PLAIN[:length])
        except ScoreError as error:
            assert "is damaged" in str(error)
            continue
        found = notes_of(PLAIN[:length])
        assert found == SCALE[: len(found)]
        assert length == len(PLAIN) or reading.remarks
    assert len(notes_of(PLAIN[:-4])) == 8  # without the end of the track
    assert len(notes_of(PLAIN[:-9])) == 7


def test_running_status_survives_sysex_and_meta_events():
    between = (sysex(b"\x7e\x7f\x09\x01"), meta(1, b"words"), b"\xf8")
    for each in between:
        content = file(track((0, on(60)), (480, b"\x3c\x00"), (0, each), (0, b"\x40\x64"), (480, b"\x40\x00")))
        assert notes_of(content) == [(0, 480, 60), (480, 960, 64)]


def test_a_velocity_above_127_is_clipped_and_a_pitch_above_127_skipped():
    content = file(track((0, b"\x90\x3c\xc0"), (480, off(60)), (0, b"\x90\xbc\x50"), (480, off(64))))
    assert parse_midi(content).score.parts[0].notes.tolist() == [(0, 480, 60, 127)]


@pytest.mark.parametrize(("name", "limit"), [("MAX_EVENTS", 15), ("MAX_CHUNKS", 1)])
def test_limits_are_counts(monkeypatch, name, limit):
    monkeypatch.setattr(container, name, limit)
    with pytest.raises(ScoreError, match="a.mid: holds more than [0-9,]+ (events|chunks)"):
        parse_midi(PLAIN, "a.mid")


def test_unexpected_errors_become_score_errors(monkeypatch):
    def broken(content, name):
        raise RecursionError("deep")

    monkeypatch.setattr("music_composer.symbolic.midi.midi_file.read_container", broken)
    with pytest.raises(ScoreError, match="a.mid: is damaged: RecursionError deep"):
        parse_midi(PLAIN, "a.mid")


def test_a_zip_bomb_of_gzip_is_refused(monkeypatch):
    monkeypatch.setattr(container, "MAX_BYTES", 1000)
    with pytest.raises(ScoreError, match="holds more than"):
        parse_midi(gzip.compress(PLAIN + bytes(1000)))


def test_events_of_all_kinds_together():
    events_ = [(0, program(5)), (0, control(7, 90)), (0, sysex(b"\x41\x10\x42\x12")), *scale(), (10, b"\xe0\x00\x50")]
    (part,) = parse_midi(file(track(*events_))).score.parts
    assert part.program == 5 and part.controls.tolist() == [(0, 7, 90)] and part.bends.tolist() == [(3850, 2048)]
    assert events.MAX_EVENTS >= 1_000_000
