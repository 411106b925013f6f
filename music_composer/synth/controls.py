"""Control changes and pitch bends of a part as values over time (MIDI 1.0; General MIDI's volume curve; RP-015)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from music_composer.values import Part

VOLUME, PAN, EXPRESSION, SUSTAIN, SOSTENUTO = 7, 10, 11, 64, 66
DATA, DATA_FINE, NRPN_FINE, NRPN, RPN_FINE, RPN = 6, 38, 98, 99, 100, 101
SOUND_OFF, RESET = 120, 121
BEND_RANGE, FINE_TUNING, COARSE_TUNING = (0, 0), (0, 1), (0, 2)  # registered parameters
DEFAULT_VOLUME, DEFAULT_EXPRESSION = 100, 127  # of General MIDI; a channel at these has a gain of 1
DOWN = 64  # the least value of a pressed pedal
NEVER = 2**54  # the tick at which a pedal that stays down is lifted
AUTOMATIC = math.nan  # the pan of a part without a pan control


@dataclass(frozen=True)
class Automation:
    """A value that changes in steps: `values[i]` holds before `times[i]`, `values[i + 1]` from then on.

    times: ticks or seconds, strictly rising, shape (changes,); values: shape (changes + 1,).
    """

    times: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Channel:
    """The settings of a part's channel over time, in ticks.

    gain: of amplitude. pan: -1 (left) to 1, or AUTOMATIC. pitch: semitones from the written pitch. sustain, sostenuto:
    the spans in which each pedal is down, (spans, 2). silenced: "all sound off".
    """

    gain: Automation
    pan: Automation
    pitch: Automation
    sustain: np.ndarray
    sostenuto: np.ndarray
    silenced: np.ndarray


def channel_of(part: Part) -> Channel:
    """Reads a part's controls and bends in order of time. At one tick, bends come after controls."""
    events = [(tick, number, value) for tick, number, value in part.controls.tolist()]
    events += [(tick, -1, value) for tick, value in part.bends.tolist()]
    events.sort(key=lambda event: (event[0], event[1] < 0))
    state = _State()
    for tick, number, value in events:
        if number < 0:
            state.bend = value
        else:
            state.control(tick, number, value)
        state.record(tick)
    gain, pan, pitch = (_automation(steps) for steps in (state.gains, state.pans, state.pitches))
    silenced = np.array(state.silenced, np.int64)
    return Channel(gain, pan, pitch, _spans(state.sustain), _spans(state.sostenuto), silenced)


class _State:
    """The state of a MIDI channel while its events are read, and the changes: a list of (tick, value) for each."""

    def __init__(self) -> None:
        self.volume, self.expression, self.pan, self.bend = DEFAULT_VOLUME, DEFAULT_EXPRESSION, AUTOMATIC, 0
        self.parameter: tuple[int, int] = (127, 127)  # the target of data entry: none
        self.data = {BEND_RANGE: [2, 0], FINE_TUNING: [64, 0], COARSE_TUNING: [64, 0]}
        self.gains, self.pans, self.pitches = ([(-1, value)] for value in (1.0, AUTOMATIC, 0.0))
        self.sustain: list[list[int]] = []
        self.sostenuto: list[list[int]] = []
        self.silenced: list[int] = []

    def control(self, tick: int, number: int, value: int) -> None:
        if number == VOLUME:
            self.volume = value
        elif number == EXPRESSION:
            self.expression = value
        elif number == PAN:
            self.pan = max(-1.0, (value - 64) / 63)
        elif number in (SUSTAIN, SOSTENUTO):
            _press(self.sustain if number == SUSTAIN else self.sostenuto, tick, value >= DOWN)
        elif number in (RPN, RPN_FINE):
            self.parameter = (value, self.parameter[1]) if number == RPN else (self.parameter[0], value)
        # Non-registered parameters are not supported: their data must not change a registered one.
        elif number in (NRPN, NRPN_FINE):
            self.parameter = (127, 127)
        elif number in (DATA, DATA_FINE) and self.parameter in self.data:
            self.data[self.parameter][number == DATA_FINE] = value
        elif number == SOUND_OFF:
            self.silenced.append(tick)
        elif number == RESET:  # volume, pan and bend range stay (RP-015)
            self.expression, self.bend, self.parameter = DEFAULT_EXPRESSION, 0, (127, 127)
            _press(self.sustain, tick, False)
            _press(self.sostenuto, tick, False)

    def record(self, tick: int) -> None:
        for steps, value in ((self.gains, self.gain()), (self.pans, self.pan), (self.pitches, self.semitones())):
            if value != steps[-1][1] and not (math.isnan(value) and math.isnan(steps[-1][1])):
                # Of several values at one tick the last one counts.
                if steps[-1][0] == tick:
                    steps.pop()
                steps.append((tick, value))

    def gain(self) -> float:
        """40 log10 of the value in dB, for volume and expression each, relative to their defaults."""
        return (self.volume / DEFAULT_VOLUME) ** 2 * (self.expression / DEFAULT_EXPRESSION) ** 2

    def semitones(self) -> float:
        """The deviation from the written pitch: the wheel's ends are the bend range."""
        (semitones, cents), (fine, finer), (coarse, _) = self.data.values()
        wheel = self.bend / (8192 if self.bend < 0 else 8191)
        return wheel * (semitones + cents / 100) + (128 * fine + finer - 8192) / 8192 + coarse - 64


def _press(pedal: list[list[int]], tick: int, down: bool) -> None:
    is_down = bool(pedal) and pedal[-1][1] == NEVER
    if down and not is_down:
        pedal.append([tick, NEVER])
    elif is_down and not down:
        pedal[-1][1] = tick


def _automation(steps: list[tuple[int, float]]) -> Automation:
    return Automation(np.array([tick for tick, _ in steps[1:]], np.int64), np.array([value for _, value in steps]))


def _spans(pedal: list[list[int]]) -> np.ndarray:
    spans = np.array(pedal, np.int64).reshape(-1, 2)
    return spans[spans[:, 1] > spans[:, 0]]
