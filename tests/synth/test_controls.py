"""Pedals, bends, volume, expression and pan, measured in the sound: levels, spectra, lengths."""

import numpy as np
import pytest

from music_composer.symbolic.midi.midi_file import parse_midi
from music_composer.synth.controls import channel_of
from music_composer.synth.pedals import release_ticks
from music_composer.synth.render import RATE, render
from music_composer.values import BEND, CONTROL, NOTE, Part, Score
from tests.symbolic.midi.midi_bytes import control, file, off, on, track

TEMPO = ((0, 60.0),)  # a quarter is a second, of 480 ticks
RANGE = ((0, 101, 0), (0, 100, 0))  # what follows sets the bend range


def part_of(*notes, controls=(), bends=(), **more):
    """Notes are (start, stop, pitch), controls (start, number, value), bends (start, value); times are seconds."""
    table = np.array([(round(480 * start), round(480 * stop), pitch, 90) for start, stop, pitch in notes], NOTE)
    changes = np.array([(round(480 * time), number, value) for time, number, value in controls], CONTROL)
    wheel = np.array([(round(480 * time), value) for time, value in bends], BEND)
    return Part(table, controls=changes, bends=wheel, **more)


def sound_of(*parts, voice="organ"):
    return render(Score(parts, tempos=TEMPO), [voice]).samples


def level(sound, start, stop):
    """RMS in dB from one second to another."""
    return 20 * np.log10(max(1e-9, np.sqrt(np.mean(sound[round(start * RATE) : round(stop * RATE)] ** 2))))


def pitch_at(sound, start, stop):
    """The strongest frequency in Hz, between the lines of the spectrum."""
    piece = sound[round(start * RATE) : round(stop * RATE)].mean(axis=1)
    power = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 8 * len(piece)))
    return np.argmax(power) * RATE / (8 * len(piece))


def hertz(pitch):
    return 440 * 2 ** ((pitch - 69) / 12)


# --- bends ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("voice", ["flute", "strings", "organ", "nes"])
def test_a_bend_before_a_note_moves_it_by_two_semitones(voice):
    part = part_of((0, 2, 60), (2, 4, 60), bends=((0, 8191), (2, 0)))
    sound = sound_of(part, voice=voice)
    assert pitch_at(sound, 0.5, 1.9) == pytest.approx(hertz(62), rel=0.006)
    assert pitch_at(sound, 2.5, 3.9) == pytest.approx(hertz(60), rel=0.006)


@pytest.mark.parametrize("voice", ["flute", "piano", "brass", "nes"])
def test_a_bend_within_a_note_moves_its_pitch(voice):
    sound = sound_of(part_of((0, 4, 60), bends=((0, 0), (2, -8192))), voice=voice)
    assert pitch_at(sound, 0.5, 1.9) == pytest.approx(hertz(60), rel=0.006)
    assert pitch_at(sound, 2.1, 3.9) == pytest.approx(hertz(58), rel=0.006)


def test_a_gliding_note_has_no_clicks_or_gaps():
    part = part_of((0, 2, 60), bends=[(0.5 + step / 100, 80 * step) for step in range(100)])
    steady, moving = (sound_of(each, voice="flute").mean(axis=1) for each in (part_of((0, 2, 60)), part))
    middle = slice(RATE // 2, 3 * RATE // 2)
    assert np.abs(np.diff(moving[middle], 2)).max() < 2 * np.abs(np.diff(steady[middle], 2)).max()


def test_a_slow_bend_glides():
    bends = [(1 + step / 50, round(8191 * step / 100)) for step in range(101)]
    sound = sound_of(part_of((0, 4, 60), bends=bends), voice="flute")
    for time in (1.5, 2.0, 2.5):
        assert pitch_at(sound, time - 0.1, time + 0.1) == pytest.approx(hertz(60 + 2 * (time - 1) / 2), rel=0.003)


@pytest.mark.parametrize(("semitones", "cents"), [(12, 0), (5, 50), (1, 0)])
def test_the_bend_range_follows_its_registered_parameter(semitones, cents):
    controls = (*RANGE, (0, 6, semitones), (0, 38, cents), (0, 101, 127), (0, 100, 127), (0, 6, 2))
    sound = sound_of(part_of((0, 2, 60), controls=controls, bends=((0, 8191),)), voice="flute")
    assert pitch_at(sound, 0.5, 1.9) == pytest.approx(hertz(60 + semitones + cents / 100), rel=0.003)


def test_tuning_parameters_apply_and_other_parameters_do_not():
    tuned = ((0, 101, 0), (0, 100, 1), (0, 6, 96), (0, 100, 2), (0, 6, 65))  # half a semitone, and one
    assert channel_of(part_of((0, 1, 60), controls=tuned)).pitch.values[-1] == pytest.approx(1.5)
    other = (*RANGE, (0, 99, 0), (0, 98, 0), (0, 6, 24))
    assert channel_of(part_of((0, 1, 60), controls=other, bends=((0, 8191),))).pitch.values[-1] == 2


def test_resetting_the_wheel_does_not_bend_a_release():
    sound = sound_of(part_of((0, 1, 60), bends=((0, 8191), (1, 0))))
    assert pitch_at(sound, 1.0, 1.2) == pytest.approx(hertz(62), rel=0.01)


def test_extreme_bends_are_limited():
    controls = (*RANGE, (0, 6, 127))
    for pitch, wheel in ((127, 8191), (0, -8192), (60, 8191)):
        for bends in (((0, wheel),), ((0, 0), (0.5, wheel))):
            for voice in ("piano", "strings"):
                sound = sound_of(part_of((0, 1, pitch), controls=controls, bends=bends), voice=voice)
                assert np.isfinite(sound).all()
                assert np.abs(sound).max() < 1


# --- volume, expression, pan -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [7, 11])
@pytest.mark.parametrize("value", [120, 90, 64, 32])
def test_volume_and_expression_follow_the_curve_of_general_midi(number, value):
    """40 log10 of the value: from 127 to 64 it is 11.9 dB."""
    part = part_of((0, 2, 60), (2.5, 4.5, 60), controls=((0, number, 127), (2.25, number, value)))
    sound = sound_of(part)
    assert level(sound, 2.8, 4.4) - level(sound, 0.3, 1.9) == pytest.approx(40 * np.log10(value / 127), abs=0.2)


def test_volume_changes_within_a_note_without_a_click():
    sound = sound_of(part_of((0, 4, 60), controls=((0, 7, 100), (2, 7, 50))), voice="flute")
    assert level(sound, 2.5, 3.9) - level(sound, 1, 1.9) == pytest.approx(40 * np.log10(0.5), abs=0.2)
    around = slice(2 * RATE - 500, 2 * RATE + 500)
    steady = slice(RATE - 500, RATE + 500)
    assert np.abs(np.diff(sound[around], 2, axis=0)).max() < 1.2 * np.abs(np.diff(sound[steady], 2, axis=0)).max()


@pytest.mark.parametrize("drums", [False, True])
def test_volume_zero_is_silence(drums):
    silent = part_of((0, 2, 40), controls=((0, 7, 0),), drums=drums)
    assert not sound_of(silent).any()
    low = part_of((2, 4, 36), program=73)
    sound = sound_of(silent, low, voice="auto")
    assert level(sound, 0, 1.9) < level(sound, 2.2, 4) - 80


def test_default_values_change_nothing():
    plain = part_of((0, 1, 60), (0.5, 1.5, 64))
    controls = ((0, 7, 100), (0, 11, 127), (0, 64, 0), (0, 121, 0), *RANGE, (0, 6, 2), (0, 1, 99), (0, 91, 40))
    fault = part_of((0, 1, 60), (0.5, 1.5, 64), controls=controls, bends=((0, 0),))
    assert np.array_equal(sound_of(plain), sound_of(fault))


def test_pan_overrides_the_position_of_a_part():
    left, right, middle = (
        part_of((at, at + 1, 60), controls=((0, 10, pan),)) for at, pan in ((0, 0), (1, 127), (2, 64))
    )
    power = np.array([(sound_of(right, left, middle, voice="nes")[at * RATE + 4000 : (at + 1) * RATE] ** 2).sum(axis=0)
                      for at in range(3)])  # fmt: skip
    assert power[0, 1] < 1e-6 * power[0, 0]
    assert power[1, 0] < 1e-6 * power[1, 1]
    assert power[2, 0] == pytest.approx(power[2, 1], rel=1e-3)


def test_pan_moves_an_active_note():
    sound = sound_of(part_of((0, 3, 60), controls=((1, 10, 0), (2, 10, 127))), voice="nes")
    power = [(sound[round(at * RATE) : round((at + 0.9) * RATE)] ** 2).sum(axis=0) for at in (0.05, 1.05, 2.05)]
    assert 0.5 < power[0][0] / power[0][1] < 2  # where it stood before it was told
    assert power[1][1] < 1e-6 * power[1][0]
    assert power[2][0] < 1e-6 * power[2][1]


def test_reset_all_controllers_keeps_the_volume():
    controls = ((0, 7, 50), (0, 11, 20), (0, 64, 127), (0, 10, 0), (1, 121, 0))
    channel = channel_of(part_of((0, 2, 60), controls=controls, bends=((0, 4000),)))
    assert channel.gain.values[-1] == 0.25
    assert channel.pan.values[-1] == -1
    assert channel.pitch.values[-1] == 0
    assert channel.sustain.tolist() == [[0, 480]]


# --- pedals ----------------------------------------------------------------------------------------------------------


def ends_of(*notes, controls):
    part = part_of(*notes, controls=controls)
    return (release_ticks(part, channel_of(part), int(part.notes["stop"].max())) / 480).tolist()


@pytest.mark.parametrize(
    ("controls", "ends"),
    [
        (((0, 64, 127), (4, 64, 0)), [4, 4]),  # case 61
        (((0, 64, 64), (4, 64, 63)), [4, 4]),
        (((0, 64, 63), (4, 64, 0)), [0.125, 1.125]),
        (((0, 64, 127), (0.5, 64, 0)), [0.5, 1.125]),
        (((0, 64, 127), (0.5, 64, 0), (0.5, 64, 127), (3, 64, 0)), [0.5, 3]),  # pressed again at once
        (((0, 64, 127), (0.125, 64, 0), (0.125, 64, 127), (3, 64, 0)), [0.125, 3]),  # as the key comes up
        (((0, 64, 127), (4, 121, 0)), [4, 4]),
        (((0, 64, 127), (2, 120, 0), (4, 64, 0)), [2, 2]),  # all sound off
        (((0, 64, 127), (2, 123, 0), (4, 64, 0)), [4, 4]),  # all notes off: the pedal still holds
        (((0, 64, 127),), [1.125, 1.125]),  # never lifted: until the last key is up
        (((0.05, 66, 127), (4, 66, 0)), [4, 1.125]),  # sostenuto: what was down when it was pressed
        (((0.5, 66, 127), (4, 66, 0)), [0.125, 1.125]),
    ],
)
def test_notes_end_when_the_pedal_is_lifted(controls, ends):
    assert ends_of((0, 0.125, 60), (1, 1.125, 64), controls=controls) == ends


def test_all_sound_off_ends_held_notes():
    held = (0, control(64, 127)), (0, on(60)), (480, off(60)), (480, control(120, 0)), (480, control(64, 0))
    (part,) = parse_midi(file(track(*held))).score.parts
    assert release_ticks(part, channel_of(part), 10_000).tolist() == [960]


def test_a_held_note_ends_at_the_next_onset_of_its_pitch():
    ends = ends_of((0, 1, 60), (2, 3, 60), (2, 3, 64), (4, 5, 61), controls=((0, 64, 127), (6, 64, 0)))
    assert ends == [2, 6, 6, 6]


def test_the_pedal_prolongs_the_score():
    notes = ((0, 0.125, 60), (1, 1.125, 64))
    sound = sound_of(part_of(*notes, controls=((0, 64, 127), (4, 64, 0))))
    assert len(sound) == round(5.5 * RATE)
    assert level(sound, 3, 3.9) > level(sound, 1.5, 2.4) - 3
    assert level(sound, 4.5, 5.5) < level(sound, 3, 3.9) - 20
    dry = sound_of(part_of(*notes))
    assert level(dry, 1.9, 2.4) < level(dry, 0.05, 0.2) - 20


def test_a_pedal_down_for_hours_does_not_hold_notes_for_hours():
    sound = sound_of(part_of((0, 1, 60), controls=((0, 64, 127), (7200, 64, 0))))
    assert len(sound) == round(32.5 * RATE)


def test_pedals_do_not_hold_drums():
    part = part_of((0, 0.1, 36), (1, 1.1, 38), controls=((0, 64, 127), (9, 64, 0)), bends=((0, 5000),), drums=True)
    assert np.array_equal(sound_of(part), sound_of(part_of((0, 0.1, 36), (1, 1.1, 38), drums=True)))
