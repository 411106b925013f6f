"""Scores as sound: when, where and how loud notes are."""

import numpy as np
import pytest

from music_composer.cli_render import VOICES
from music_composer.synth.render import RATE, TAIL_SECONDS, render, seconds_at
from music_composer.values import NOTE, Part, Score


def part_of(*notes, **more):
    """(start, stop, pitch) in quarters."""
    rows = [(round(480 * start), round(480 * stop), pitch, 90) for start, stop, pitch in notes]
    return Part(np.array(rows, NOTE), **more)


def test_ticks_come_when_the_tempos_say():
    score = Score((part_of((0, 8, 60)),), 480, ((0, 120.0), (960, 60.0), (1920, 240.0)))
    assert seconds_at(score, np.array([0, 480, 960, 1440, 1920, 2400])) == pytest.approx([0, 0.5, 1, 2, 3, 3.25])


def test_notes_sound_when_they_should_and_the_tail_dies_away():
    score = Score((part_of((2, 3, 69)),), tempos=((0, 60.0),))
    sound = render(score, ["organ"]).samples
    assert sound.shape == (round((3 + TAIL_SECONDS) * RATE), 2)
    assert np.abs(sound[: 2 * RATE - 10]).max() < 1e-5
    assert np.std(sound[2 * RATE : 3 * RATE]) > 20 * np.std(sound[4 * RATE :])


@pytest.mark.parametrize("voice", VOICES)
def test_every_voice_plays_the_same_each_time_in_stereo(voice):
    score = Score((part_of((0, 1, 72), (1, 2, 76)), part_of((0, 2, 40), program=33), part_of((0, 1, 36), drums=True)))
    one, two = (render(score, [voice]) for _ in range(2))
    assert one.rate == RATE
    assert one.samples.dtype == np.float32
    assert np.array_equal(one.samples, two.samples)
    assert 0.1 < np.abs(one.samples).max() < 1
    assert not np.allclose(one.samples[:, 0], one.samples[:, 1])


def test_parts_stand_beside_one_another():
    left, right = part_of((0, 2, 64)), part_of((2, 4, 64))
    power = (render(Score((left, right), tempos=((0, 60.0),)), ["nes"]).samples ** 2).reshape(-1, 2)
    first, second = power[: 2 * RATE].sum(axis=0), power[2 * RATE : 4 * RATE].sum(axis=0)
    assert first[0] > 2 * first[1]
    assert second[1] > 2 * second[0]


def test_layers_are_all_heard():
    score = Score((part_of((0, 2, 57)),), tempos=((0, 60.0),))
    spectra = [np.abs(np.fft.rfft(render(score, voices).samples[: 2 * RATE].mean(axis=1)))
               for voices in (["flute"], ["nes"], ["flute", "nes"])]  # fmt: skip
    high = [each[20000:].max() / each.max() for each in spectra]
    assert high[0] < 0.01 * high[2]
    assert high[2] < high[1]


def test_the_lowest_part_of_a_console_is_its_triangle():
    """Even partials: a square's and a triangle's are missing, a quarter pulse's are not."""
    low, high, middle = part_of((0, 2, 45)), part_of((4, 6, 81)), part_of((8, 10, 69))
    sound = render(Score((high, low, middle), tempos=((0, 60.0),)), ["nes"]).samples.mean(axis=1)
    third = []
    for start, hz in ((0, 110), (4, 880)):
        power = np.abs(np.fft.rfft(sound[start * RATE : (start + 1) * RATE] * np.hanning(RATE)))
        third.append(power[3 * hz - 3 : 3 * hz + 4].max() / power[hz - 3 : hz + 4].max())
    assert third[0] == pytest.approx(1 / 9, rel=0.1)  # a triangle
    assert third[1] == pytest.approx(1 / 3, rel=0.1)  # a square


def test_notes_without_length_and_at_the_edges_of_the_keyboard_sound():
    score = Score((part_of((0, 0.002, 0), (1, 1.002, 127), (2, 2.002, 60)),))
    assert np.isfinite(render(score, ["strings"]).samples).all()
