"""Scores of several parts for tests: a fixed band, and a strategy for any score."""

import numpy as np
from hypothesis import strategies as st

from music_composer.symbolic.roll import PITCHES
from music_composer.values import BEND, CONTROL, NOTE, Part, Roll, Score

BLANK = Roll(np.zeros((0, PITCHES), np.uint8), np.zeros((0, PITCHES), bool), 4, ((0, 90.0),), ((0, 4, 4),))
BAR = 3 * 480  # ticks of the band's 3/4


def notes(*rows: tuple[int, int, int, int]) -> np.ndarray:
    return np.sort(np.array(list(rows), NOTE), order=["start", "pitch"])


def band(bars: int = 8) -> Score:
    """Piano, bass, strings and drums in 3/4, slightly off the grid; the tempo changes in the middle."""
    piano = [
        (BAR * bar + 480 * beat + 7 * beat, BAR * bar + 480 * beat + 400, pitch + bar % 3, 70 + beat)
        for bar in range(bars) for beat in range(3) for pitch in (60, 64, 67)
    ]  # fmt: skip
    bass = [(BAR * bar + 3, BAR * bar + 1201, 36 + bar % 5, 93) for bar in range(bars)]
    strings = [(BAR * bar + 11, BAR * (bar + 2) - 17, 76 + bar % 4, 51) for bar in range(0, bars, 2)]
    drums = [(BAR * bar + 240 * i + 1, BAR * bar + 240 * i + 31, 42 if i % 3 else 36, 100) for bar in range(bars)
             for i in range(6)]  # fmt: skip
    downs = [(BAR * bar + at, 64, value) for bar in range(bars) for at, value in ((0, 127), (700, 0))]
    wheel = np.array([(500, 100), (600, -8192), (700, 0), (BAR * bars - 50, 8191)], BEND)
    parts = (
        Part(notes(*piano), 4, name="Keys", controls=np.array(downs, CONTROL)),
        Part(notes(*bass), 33, name="Bass", controls=np.array([(0, 7, 90), (0, 10, 30)], CONTROL)),
        Part(notes(*strings), 48, name="Strings", bends=wheel),
        Part(notes(*drums), 0, drums=True, name="Kit", controls=np.array([(0, 7, 110)], CONTROL)),
    )
    return Score(parts, 480, ((0, 90.0), (BAR * bars // 2, 120.0)), ((0, 3, 4),))


@st.composite
def scores(draw: st.DrawFn) -> Score:
    """Any score that round-trips through a MIDI file: notes of a pitch do not overlap, and no part is empty."""
    resolution = draw(st.sampled_from([1, 2, 24, 100, 480]))
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        rows, ends = [], dict.fromkeys(range(PITCHES), 0)
        for _ in range(draw(st.integers(1, 6))):
            pitch = draw(st.integers(30, 90))
            start = ends[pitch] + draw(st.integers(0, 3 * resolution))
            ends[pitch] = start + draw(st.integers(1, 3 * resolution))
            rows.append((start, ends[pitch], pitch, draw(st.integers(1, 127))))
        drums = draw(st.booleans()) if parts else False
        program, name = draw(st.integers(0, 127)), draw(st.sampled_from(["", "Lead", "Pad 2"]))
        ticks = sorted(draw(st.lists(st.integers(0, 20 * resolution), max_size=4)))
        controls = [(tick, draw(st.sampled_from([7, 10, 11, 64])), draw(st.integers(0, 127))) for tick in ticks]
        bends = [(tick, draw(st.integers(-8192, 8191))) for tick in ticks]
        parts.append(Part(notes(*rows), 0 if drums else program, drums, name, np.array(controls, CONTROL),
                          np.array(bends, BEND)))  # fmt: skip
    at = draw(st.integers(1, 40)) * resolution
    return Score(tuple(parts), resolution, ((0, 120.0), (at, 60.0)), ((0, 3, 4), (12 * resolution, 4, 4)))


def any_roll(seed: int, steps: int) -> Roll:
    """A roll that a model could play: notes begin and end anywhere."""
    rng = np.random.default_rng(seed)
    active = np.cumsum(rng.random((steps, PITCHES)) < 0.1 * (np.arange(PITCHES) % 8 == 0), axis=0) % 2 == 1
    velocity = np.where(active, rng.integers(1, 128, (steps, PITCHES)), 0).astype(np.uint8)
    return Roll(velocity, active & (rng.random((steps, PITCHES)) < 0.3), 4)
