"""Seconds by the tempo map; rests and notes of hours are cut."""

import dataclasses

import numpy as np
import pytest

from music_composer.errors import ScoreError
from music_composer.symbolic.midi.midi_file import parse_midi
from music_composer.symbolic.midi.tempo import seconds_at, seconds_of, ticks_at, without_long_rests
from music_composer.values import BEND, CONTROL, NOTE, Part, Roll, Score
from tests.symbolic.midi.midi_bytes import control, file, meta, off, on, track

HOUR = 480 * 2 * 3600  # ticks at 120


def score_of(*notes: tuple[int, int], **more) -> Score:
    return Score((Part(np.array([(start, stop, 60, 80) for start, stop in notes], NOTE)),), **more)


def test_every_tempo_counts():
    score = score_of((0, 3840), tempos=((0, 60.0), (1920, 240.0)))
    assert seconds_of(score) == 5
    assert seconds_at(score, np.array([0, 480, 1920, 2400])) == pytest.approx([0, 1, 4, 4.25])
    assert ticks_at(score, np.array([0.5, 4.0, 4.25])).tolist() == [240, 1920, 2400]
    roll = Roll(np.zeros((32, 128), np.uint8), np.zeros((32, 128), bool), 4, ((0, 60.0), (16, 240.0)))
    assert seconds_of(roll) == 5


def test_a_score_without_long_rests_is_the_same():
    score = score_of((0, 480), (HOUR, HOUR + 480))
    assert without_long_rests(score) == (score, ())


@pytest.mark.parametrize("hours", [1.5, 2, 26, 20_000])
def test_a_rest_of_hours_is_cut_by_whole_bars_and_later_events_move(hours):
    late = round(hours * HOUR) // 1440 * 1440 + 480
    score = score_of((0, 480), (late, late + 480), metres=((0, 3, 4),), tempos=((0, 120.0), (late, 60.0)))
    part = dataclasses.replace(
        score.parts[0],
        controls=np.array([(0, 7, 90), (late // 2, 7, 20), (late + 10, 7, 30)], CONTROL),
        bends=np.array([(late + 480, 5)], BEND),
    )
    cut, remarks = without_long_rests(dataclasses.replace(score, parts=(part,)))
    assert len(remarks) == 1 and "hours of rest were cut" in remarks[0]
    start, stop = cut.parts[0].notes.tolist()[1][:2]
    assert stop - start == 480 and 480 + 1440 <= start < 480 + 2 * 1440 and start % 1440 == 480
    assert cut.tempos == ((0, 120.0), (start, 60.0))
    assert cut.parts[0].controls.tolist() == [(0, 7, 90), (480, 7, 20), (start + 10, 7, 30)]
    assert cut.parts[0].bends.tolist() == [(stop, 5)]


def test_rests_before_the_first_note_and_between_many_are_cut():
    cut, _ = without_long_rests(score_of(*((2 * HOUR * i, 2 * HOUR * i + 480) for i in range(1, 5))))
    assert seconds_of(cut) < 30 and cut.count == 4


def test_a_note_of_hours_is_shortened():
    cut, remarks = without_long_rests(score_of((0, 30 * HOUR), (480, 960)))
    assert cut.parts[0].notes["stop"].tolist() == [HOUR, 960] and "1 notes of more than 1 hour" in remarks[0]


def test_a_pedal_long_after_the_end_is_moved_to_within_an_hour():
    reading = parse_midi(file(track((0, on(60)), (480, off(60)), (2**28 - 1, control(64, 0)))))
    assert reading.score.parts[0].controls.tolist() == [(480 + HOUR, 64, 0)]


def test_a_score_of_days_is_refused():
    slow = meta(0x51, (14_999_999).to_bytes(3))
    events = [each for _ in range(60) for each in ((0, on(60)), (480 * 200, off(60)), (480 * 30, b"\xff\x01\x00"))]
    with pytest.raises(ScoreError, match="a.mid: is damaged: it would last for"):
        parse_midi(file(track((0, slow), *events)), "a.mid")
    with pytest.raises(ScoreError, match="50,2.. quarter notes"):
        parse_midi(file(track(*((0, on(60)), (1, off(60))) * 50_200), division=1), "a.mid")
