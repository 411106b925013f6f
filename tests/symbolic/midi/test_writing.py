"""Scores round-trip: notes, programs, drums, names, controls, bends, tempos, metres; with many parts, too."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from music_composer.errors import ScoreError
from music_composer.symbolic.midi.midi_file import parse_midi, read_midi, write_midi
from music_composer.symbolic.midi.writing import midi_bytes
from music_composer.values import BEND, CONTROL, NOTE, Part, Score
from tests.properties import cases

ONE = np.array([(0, 480, 60, 80)], NOTE)
CONTROLLERS = st.integers(0, 119) | st.just(121)


@st.composite
def parts(draw: st.DrawFn) -> Part:
    notes, now = [], 0
    for pitch, length, rest in draw(
        st.lists(st.tuples(st.integers(0, 127), st.integers(1, 5000), st.integers(0, 900)), min_size=1, max_size=8)
    ):
        notes.append((now, now + length, pitch, draw(st.integers(1, 127))))
        now += length + rest
    ticks = st.lists(st.integers(0, 20_000), max_size=6).map(sorted)
    controls = [(tick, draw(CONTROLLERS), draw(st.integers(0, 127))) for tick in draw(ticks)]
    bends = [(tick, draw(st.integers(-8192, 8191))) for tick in draw(ticks)]
    name = draw(st.text(st.characters(categories=("L", "N", "P")), max_size=20))
    program, drums = draw(st.integers(0, 127)), draw(st.booleans())
    return Part(np.array(notes, NOTE), program, drums, name, np.array(controls, CONTROL), np.array(bends, BEND))


@given(st.lists(parts(), min_size=1, max_size=40))
@cases(60)
def test_scores_round_trip(made):
    score = Score(tuple(made), 480, ((0, 120.0), (960, 60.0)), ((0, 5, 8), (1440, 3, 4)))
    reading = parse_midi(midi_bytes(score))
    assert reading.remarks == ()
    assert (reading.score.tempos, reading.score.metres) == (score.tempos, score.metres)
    for part, back in zip(score.parts, reading.score.parts, strict=True):
        assert (back.program, back.drums, back.name) == (part.program, part.drums, part.name)
        for table in ("notes", "controls", "bends"):
            assert getattr(back, table).tolist() == getattr(part, table).tolist(), table


@pytest.mark.parametrize("drums", [0, 5])
def test_a_hundred_parts_do_not_mix(drums):
    made = [Part(ONE, i, i < drums, f"{i}", np.array([(0, 7, i)], CONTROL)) for i in range(100)]
    back = parse_midi(midi_bytes(Score(tuple(made)))).score.parts
    assert [(part.program, part.drums, part.name, part.controls.tolist()) for part in back] == [
        (i, i < drums, f"{i}", [(0, 7, i)]) for i in range(100)
    ]


def test_more_parts_than_channels_are_refused():
    with pytest.raises(ScoreError, match="1,921 parts"):
        midi_bytes(Score((Part(ONE),) * 1921))


def test_inexpressible_metres_and_tempos_are_not_written():
    wild = Score((Part(ONE),), tempos=((0, 120.0), (1, 1e-9), (2, 1e9)), metres=((0, 4, 4), (1, 4, 2**33), (2, 300, 4)))
    again = parse_midi(midi_bytes(wild))
    assert (again.score.tempos, again.score.metres, again.remarks) == (((0, 120.0),), ((0, 4, 4),), ())


def test_a_bank_comes_before_its_program():
    controls = np.array([(0, 0, 5), (0, 32, 1), (0, 7, 90)], CONTROL)
    content = midi_bytes(Score((Part(ONE, 30, controls=controls),)))
    assert content.index(b"\xb0\x00\x05") < content.index(b"\xc0\x1e") < content.index(b"\x90\x3c")


def test_long_delta_times_are_split():
    far = [(2**28 + 2**27, 7, 90)]
    part = Part(ONE, controls=np.array(far, CONTROL))
    content = midi_bytes(Score((part,), 32767, ((0, 1000.0),)))
    assert parse_midi(content).score.parts[0].controls.tolist() == far


def test_files_round_trip(tmp_path):
    part = Part(ONE, 5, controls=np.array([(0, 64, 127), (500, 64, 0)], CONTROL))
    score = dataclasses.replace(Score((part,)), resolution=96)
    write_midi(score, tmp_path / "a.mid")
    first = read_midi(tmp_path / "a.mid").score
    write_midi(first, tmp_path / "b.mid")
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()


@pytest.mark.parametrize("bank", [120, 126, 127])
def test_a_melody_in_a_drum_bank_stays_a_melody(bank):
    melody = Part(ONE, 5, controls=np.array([(0, 0, bank)], CONTROL))
    again = parse_midi(midi_bytes(Score((melody, Part(ONE, drums=True))))).score.parts
    assert [(each.program, each.drums, each.controls["value"].tolist()) for each in again] == [
        (5, False, [bank]),
        (0, True, []),
    ]
