"""Pairing of note-on and note-off: a lost end does not spoil later notes."""

import pytest

from music_composer.symbolic.midi.midi_file import parse_midi
from tests.symbolic.midi.midi_bytes import control, file, off, on, track


def notes_of(*events: tuple[int, bytes], pitch: int = 60) -> list[tuple[int, int]]:
    """(start, stop) of the notes of one track with these events."""
    parts = parse_midi(file(track(*events))).score.parts
    return [(start, stop) for part in parts for start, stop, found, _ in part.notes.tolist() if found == pitch]


def messages(words: str) -> list[tuple[int, bytes]]:
    """ "+0 -480" to note-ons and note-offs at ticks."""
    found, now = [], 0
    for word in words.split():
        tick = int(word[1:])
        found.append((tick - now, on(60) if word[0] == "+" else off(60)))
        now = tick
    return found


@pytest.mark.parametrize(
    ("words", "notes"),
    [
        ("+0 -480 +480 -960", [(0, 480), (480, 960)]),
        ("+0 +480 -960", [(0, 480), (480, 960)]),  # one end is lost
        ("+0 +480 -720 +960 -1200 +1440 -1680", [(0, 480), (480, 720), (960, 1200), (1440, 1680)]),
        ("+0 +10 -20 -30", [(0, 20), (10, 30)]),  # two hands
        ("+0 +100 -110 +200 -210 +300 -310 -410", [(0, 110), (100, 210), (200, 310), (300, 410)]),  # a legato
        ("+0 +480 -480 -960", [(0, 480), (480, 960)]),  # a second onset at the tick of the end
        ("+0 +0 -480", [(0, 480), (0, 480)]),  # doubled, with one end
        ("-0 +10 -20 -30 -40 +50 -60", [(10, 20), (50, 60)]),  # needless ends
        ("+0 +100000 -100480", [(0, 960), (100000, 100480)]),  # a second onset long after
    ],
)
def test_ends_are_paired_with_onsets(words, notes):
    assert notes_of(*messages(words)) == notes


def test_a_hanging_note_lasts_two_quarters():
    for late in (480 * 60 * 100, 2**28 - 1):
        late_end = file(track(*messages("+0"), (late, b"\xff\x01\x00")))
        (part,) = parse_midi(late_end).score.parts
        assert part.notes.tolist() == [(0, 960, 60, 100)]


@pytest.mark.parametrize("controller", [120, 123])
def test_all_notes_off_ends_active_notes(controller):
    assert notes_of((0, on(60)), (480, control(controller, 0)), (4800, on(64)), (480, off(64))) == [(0, 480)]
    assert notes_of((0, on(60)), (480, control(controller, 0)), (480, off(60))) == [(0, 480)]
    assert notes_of((0, on(60)), (480, control(controller, 0, channel=1)), (480, off(60))) == [(0, 960)]


def test_a_panic_of_note_offs_does_not_prolong_other_notes():
    """One end is lost, and a panic ends every pitch at the end: notes between keep their lengths."""
    panic = [(0, off(pitch)) for pitch in range(128)]
    events = [*messages("+0 +480 -720 +960 -1200"), (4800, b"\xff\x01\x00"), *panic]
    assert notes_of(*events) == [(0, 480), (480, 720), (960, 1200)]
