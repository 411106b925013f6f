"""Programs, drums and controls of channels, over all tracks and in the order of time."""

import pytest

from music_composer.symbolic.midi.midi_file import parse_midi
from music_composer.values import Part
from tests.symbolic.midi.midi_bytes import control, file, meta, off, on, program, scale, sysex, track

GS_RESET = sysex(b"\x41\x10\x42\x12\x40\x00\x7f\x00\x41")
XG_RESET = sysex(b"\x43\x10\x4c\x00\x00\x7e\x00")


def parts_of(*tracks: bytes, **more) -> tuple[Part, ...]:
    return parse_midi(file(*tracks, **more)).score.parts


def gs_drums(part: int, value: int) -> bytes:
    return sysex(bytes([0x41, 0x10, 0x42, 0x12, 0x40, 0x10 | part, 0x15, value, 0]))


def a_note(pitch: int, channel: int = 0) -> list[tuple[int, bytes]]:
    return [(0, on(pitch, channel)), (480, off(pitch, channel))]


def test_programs_set_by_another_track_apply():
    parts = parts_of(track((0, program(73)), (0, program(32, 1))), track(*scale()), track(*scale(1)))
    assert [part.program for part in parts] == [73, 32]
    later = parts_of(track(*scale()), track((960, program(40))))
    assert [(part.program, len(part.notes)) for part in later] == [(0, 2), (40, 6)]
    at_once = parts_of(track(*scale()), track((0, program(40))))
    assert [part.program for part in at_once] == [40]


def test_tracks_that_share_a_channel_keep_programs_of_their_own():
    tracks = [track((0, meta(3, b"%d" % i)), (0, program(i, i % 16)), *scale(i % 16)) for i in range(70)]
    parts = parts_of(*tracks)
    assert sorted(part.program for part in parts) == list(range(70))
    assert all(part.name == str(part.program) for part in parts)


def test_ports_have_channels_of_their_own():
    parts = parts_of(track((0, program(5)), *scale()), track((0, meta(0x21, b"\x01")), *scale()))
    assert [part.program for part in parts] == [5, 0]


@pytest.mark.parametrize(
    ("before", "drums"),
    [
        ([], False),
        ([(0, gs_drums(1, 1))], True),  # part 1 is channel 1
        ([(0, gs_drums(2, 1))], False),
        ([(0, gs_drums(1, 2)), (0, gs_drums(1, 0))], False),
        ([(0, control(0, 127)), (0, program(0))], True),
        ([(0, control(0, 126)), (0, program(0))], True),
        ([(0, control(0, 120)), (0, program(0))], True),
        ([(0, control(0, 8)), (0, program(0))], False),
        ([(0, GS_RESET), (0, control(0, 127)), (0, program(0))], False),  # in GS a melodic bank
        ([(0, XG_RESET), (0, control(0, 127)), (0, program(0))], True),
        ([(0, sysex(b"\x43\x10\x4c\x08\x00\x07\x02"))], True),  # XG part mode
    ],
)
def test_drums_of_gs_and_xg_on_other_channels(before, drums):
    (part,) = parts_of(track(*before, *a_note(60)))
    assert part.drums is drums


def test_gs_switches_the_drum_channel_to_melodies_and_back():
    assert [part.drums for part in parts_of(track(*a_note(60, 9)))] == [True]
    assert [part.drums for part in parts_of(track((0, gs_drums(0, 0)), *a_note(60, 9)))] == [False]
    parts = parts_of(track(*a_note(60), (0, gs_drums(1, 1)), *a_note(62)))
    assert [(part.drums, part.notes["pitch"].tolist()) for part in parts] == [(False, [60]), (True, [62])]


def test_controls_and_bends_belong_to_every_part_of_their_channel():
    begin, end = [(0, control(7, 10)), (5, b"\xe0\x00\x00")], [(7, control(64, 127))]
    parts = parts_of(track(*begin, *a_note(60), (0, program(5)), *a_note(62), *end))
    assert [part.program for part in parts] == [0, 5]
    for part in parts:
        assert part.controls.tolist() == [(0, 7, 10), (972, 64, 127)]
        assert part.bends.tolist() == [(5, -8192)]


def test_a_pedal_applies_to_both_hands_and_volumes_to_one():
    left = track((0, control(7, 50)), (0, control(64, 127)), *a_note(40))
    right = track((0, control(7, 90)), *a_note(60))
    parts = parts_of(left, right)
    assert [part.controls.tolist() for part in parts] == [[(0, 7, 50), (0, 64, 127)], [(0, 64, 127), (0, 7, 90)]]


def test_all_sound_off_and_reset_are_controls_but_all_notes_off_is_not():
    """A pedal holds notes after their keys are released: only all sound off ends these, too."""
    (part,) = parts_of(track((0, control(121, 0)), *a_note(60), (0, control(123, 0)), (0, control(120, 0))))
    assert part.controls["controller"].tolist() == [121, 120]


def test_pieces_of_format_2_are_independent():
    parts = parts_of(track((0, program(5)), *scale()), track(*scale()), kind=2)
    assert [part.program for part in parts] == [5, 0]


def test_names_are_utf8_or_latin1_and_printable():
    names = {"Café".encode(): "Café", "Café".encode("latin1"): "Café", b"a\x1b[2Jb\nc": "a [2Jb c"}
    for written, read in names.items():
        (part,) = parts_of(track((0, meta(3, written)), *a_note(60)))
        assert part.name == read
