"""MIDI files round-trip, and any bytes give a score or a ScoreError."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from music_composer.errors import ScoreError
from music_composer.symbolic.midi.midi_file import parse_midi, read_midi, write_midi
from music_composer.values import NOTE, Part, Score
from tests.properties import cases

END = b"\x00\xff\x2f\x00"


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack(">L", len(body)) + body


def midi(*tracks: bytes, kind: int = 1, division: int = 480) -> bytes:
    """A MIDI file of tracks, each given as events, with end-of-track events."""
    header = chunk(b"MThd", struct.pack(">HHH", kind, len(tracks), division & 0xFFFF))
    return header + b"".join(chunk(b"MTrk", track + END) for track in tracks)


def note(pitch: int, ticks: int, channel: int = 0, velocity: int = 80) -> bytes:
    """A note of less than 128 ticks at tick 0."""
    return bytes([0, 0x90 + channel, pitch, velocity, ticks, 0x80 + channel, pitch, 0])


def notes_of(part: Part) -> list[tuple[int, ...]]:
    return [tuple(each) for each in part.notes.tolist()]


@st.composite
def scores(draw: st.DrawFn) -> Score:
    """Any score in whose parts notes of a pitch do not overlap."""
    parts = []
    for number in range(draw(st.integers(1, 4))):
        steps = draw(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 3000), st.integers(1, 127)), min_size=1))
        now = 0
        made = []
        for pitch, length, velocity in steps:
            made.append((now, now + length, 12 * pitch + number, velocity))
            now += length * draw(st.booleans())
        table = np.unique(np.array(made, NOTE))
        table = table[np.unique(table[["start", "pitch"]], return_index=True)[1]]
        table["stop"] = np.minimum(table["stop"], _next_of_pitch(table))
        parts.append(Part(table, draw(st.integers(0, 127)), number == 3, f"part {number}"))
    tempos = ((0, 100.0), (960, 60.0)) if draw(st.booleans()) else ((0, 120.0),)
    return Score(tuple(parts), draw(st.sampled_from([1, 96, 480, 960])), tempos, ((0, 3, 4), (1440, 6, 8)))


def _next_of_pitch(table: np.ndarray) -> list[int]:
    """For each note, the next onset of its pitch."""
    begins = [(int(each["pitch"]), int(each["start"])) for each in table]
    return [min((start for other, start in begins if other == pitch and start > now), default=2**40)
            for pitch, now in begins]  # fmt: skip


@given(scores())
@cases(60)
def test_scores_round_trip(tmp_path_factory, score):
    path = tmp_path_factory.mktemp("midi") / "a.mid"
    write_midi(score, path)
    again = read_midi(path)
    assert again.remarks == ()
    assert again.score.resolution == score.resolution
    assert again.score.metres == score.metres
    assert np.array(again.score.tempos) == pytest.approx(np.array(score.tempos))
    for part, back in zip(score.parts, again.score.parts, strict=True):
        assert (back.program, back.drums, back.name) == (part.program, part.drums, part.name)
        assert notes_of(back) == notes_of(part)


def test_drums_and_channels_of_one_track_are_parts_of_their_own():
    score = parse_midi(midi(note(60, 10) + note(36, 10, channel=9) + note(64, 10, channel=1), kind=0)).score
    assert [(part.drums, notes_of(part)[0][2]) for part in score.parts] == [(False, 60), (False, 64), (True, 36)]
    assert [notes_of(part)[0][:2] for part in score.parts] == [(0, 10), (20, 30), (10, 20)]


def test_a_change_of_program_begins_a_new_part():
    score = parse_midi(midi(note(60, 10) + b"\x00\xc0\x28" + note(62, 10))).score
    assert [(part.program, notes_of(part)) for part in score.parts] == [
        (0, [(0, 10, 60, 80)]),
        (40, [(10, 20, 62, 80)]),
    ]


def test_tracks_of_format_1_sound_together_and_pieces_of_format_2_after_each_other():
    tracks = note(60, 100), note(64, 50)
    together, after = (parse_midi(midi(*tracks, kind=kind)).score for kind in (1, 2))
    assert [notes_of(part)[0][:2] for part in together.parts] == [(0, 100), (0, 50)]
    assert [notes_of(part)[0][:2] for part in after.parts] == [(0, 100), (100, 150)]


def test_running_status_and_a_velocity_of_0_end_a_note():
    score = parse_midi(midi(b"\x00\x90\x3c\x50\x30\x3c\x00")).score
    assert notes_of(score.parts[0]) == [(0, 48, 60, 80)]


def test_overlapping_notes_of_a_pitch_end_in_the_order_of_their_onsets():
    events = b"\x00\x90\x3c\x50\x0a\x90\x3c\x40\x0a\x80\x3c\x00\x0a\x80\x3c\x00"
    assert notes_of(parse_midi(midi(events)).score.parts[0]) == [(0, 20, 60, 80), (10, 30, 60, 64)]


def test_notes_without_an_end_end_with_their_track_and_are_counted():
    reading = parse_midi(midi(b"\x00\x90\x3c\x50\x60\xff\x01\x00"))
    assert notes_of(reading.score.parts[0]) == [(0, 96, 60, 80)]
    assert len(reading.remarks) == 1 and "1 notes never end" in reading.remarks[0]


def test_notes_of_length_0_get_a_tick_and_are_counted():
    reading = parse_midi(midi(b"\x00\x90\x3c\x50\x00\x80\x3c\x00"))
    assert notes_of(reading.score.parts[0]) == [(0, 1, 60, 80)]
    assert "1 notes of no length" in reading.remarks[0]


def test_a_tempo_of_0_is_skipped_with_a_remark():
    reading = parse_midi(midi(b"\x00\xff\x51\x03\x00\x00\x00" + note(60, 10)))
    assert reading.score.tempos == ((0, 120.0),)
    assert reading.remarks == ("1 invalid tempos were left out",)


def test_tempo_and_metre_are_kept_with_their_ticks():
    score = parse_midi(midi(b"\x60\xff\x51\x03\x0f\x42\x40\x00\xff\x58\x04\x06\x03\x24\x08" + note(60, 10))).score
    assert score.tempos == ((0, 120.0), (96, 60.0))
    assert score.metres == ((0, 4, 4), (96, 6, 8))


@pytest.mark.parametrize(("frames", "each", "resolution"), [(25, 40, 500), (24, 80, 960), (30, 2, 30)])
def test_time_in_seconds_is_read_as_quarters_at_120(frames, each, resolution):
    score = parse_midi(midi(note(60, 10), division=(-frames << 8) | each)).score
    assert score.resolution == resolution  # half a second of ticks


def test_one_tick_a_quarter_is_a_resolution():
    assert parse_midi(midi(note(60, 10), division=1)).score.resolution == 1


def test_a_chord_of_10000_notes_is_read():
    begun = b"".join(bytes([0, 0x90, i % 128, 80]) for i in range(10_000))
    ended = b"\x10" + b"".join(bytes([0x80, i % 128, 0, 0]) for i in range(10_000))
    assert parse_midi(midi(begun + ended[:-1])).score.count == 10_000


@pytest.mark.parametrize(
    ("content", "declared"),
    [
        (b"", "is empty"),
        (b"Dear diary", "no MIDI file"),
        (midi(note(60, 10))[:-9], "is damaged"),
        (b"MThd", "is damaged"),
        (midi(note(60, 10), division=0), "time division"),
        (midi(note(60, 10), division=(-7 << 8) | 10), "time division"),
        (midi(b"\xff" * 30_000 + b"\x7f"), "is damaged"),
    ],
)
def test_files_without_music_are_refused(tmp_path, content, declared):
    path = tmp_path / "bad.mid"
    path.write_bytes(content)
    with pytest.raises(ScoreError, match=declared) as error:
        read_midi(path)
    assert str(path) in str(error.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.mid", tmp_path):
        with pytest.raises(ScoreError, match="cannot be opened"):
            read_midi(path)


WHOLE = midi(b"\x00\xff\x51\x03\x07\xa1\x20" + note(60, 10), b"\x00\xc1\x05" + note(64, 20, 1) + note(40, 5, 9))


@pytest.mark.journey
@given(
    st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=6),
    st.integers(0, len(WHOLE)),
    st.binary(max_size=12),
)
@cases(1_000)
def test_any_bytes_give_a_score_or_a_score_error(changes, cut, tail):
    """A valid file with bytes changed, cut off anywhere, and with a random tail."""
    content = bytearray(WHOLE)
    for place, value in changes:
        content[place] = value
    try:
        score = parse_midi(bytes(content[:cut]) + tail).score
    except ScoreError:
        return
    for part in score.parts:
        assert (part.notes["stop"] > part.notes["start"]).all()
        assert (part.notes["start"] >= 0).all()
        assert ((part.notes["velocity"] > 0) & (part.notes["velocity"] < 128)).all()
        assert (part.notes["pitch"] < 128).all()
    assert score.resolution > 0
