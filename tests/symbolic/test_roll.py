"""Scores as piano rolls and back."""

import numpy as np
from hypothesis import given

from music_composer.symbolic.roll import TICKS_PER_STEP, bars_of, on_grid, onset_steps, to_roll, to_score
from music_composer.values import NOTE, Part, Score
from tests.properties import cases
from tests.symbolic.rolls import rolls


def score_of(*notes: tuple[int, int, int, int], resolution: int = 4, drums: bool = False) -> Score:
    """With four ticks in a quarter note a tick is a step."""
    return Score((Part(np.array(list(notes), NOTE), drums=drums),), resolution)


@given(rolls())
@cases(200)
def test_a_roll_round_trips_as_a_score(roll):
    again = to_roll(to_score(roll))
    assert np.array_equal(again.velocity, roll.velocity)
    assert np.array_equal(again.onset, roll.onset)


def test_notes_begin_and_end_at_the_nearest_steps_and_last_at_least_one():
    roll = to_roll(score_of((0, 49, 60, 80), (61, 62, 64, 70), (180, 420, 67, 60), resolution=480))
    assert np.flatnonzero(roll.velocity[:, 60]).tolist() == [0]  # 49 of 120 ticks are less than half a step
    assert np.flatnonzero(roll.velocity[:, 64]).tolist() == [1]
    assert np.flatnonzero(roll.velocity[:, 67]).tolist() == [2, 3]


def test_a_second_onset_ends_the_note_before():
    roll = to_roll(score_of((0, 6, 60, 80), (3, 5, 60, 50)))
    assert roll.velocity[:, 60].tolist() == [80, 80, 80, 50, 50, 0]
    assert np.flatnonzero(roll.onset[:, 60]).tolist() == [0, 3]


def test_of_two_notes_that_begin_together_the_longer_and_louder_is_kept():
    roll = to_roll(score_of((0, 2, 60, 90), (0, 4, 60, 50)))
    assert roll.velocity[:, 60].tolist() == [90, 90, 90, 90]


def test_drums_are_left_out():
    both = Score((*score_of((0, 4, 36, 80), drums=True).parts, *score_of((0, 4, 60, 80)).parts), 4)
    assert np.flatnonzero(to_roll(both).active.any(axis=0)).tolist() == [60]


def test_an_empty_score_is_a_roll_without_steps():
    assert to_roll(Score(())).velocity.shape == (0, 128)
    assert to_score(to_roll(Score(()))).count == 0


def test_tempo_and_metre_are_kept():
    score = Score(score_of((0, 40, 60, 80)).parts, 4, ((0, 90.0), (16, 60.0)), ((0, 3, 4), (24, 6, 8)))
    roll = to_roll(score)
    assert (roll.tempos, roll.metres) == (score.tempos, score.metres)
    back = to_score(roll)
    assert back.tempos == ((0, 90.0), (16 * TICKS_PER_STEP, 60.0))
    assert back.metres == ((0, 3, 4), (24 * TICKS_PER_STEP, 6, 8))


def test_positions_count_from_the_bar_line():
    roll = to_roll(Score(score_of((0, 40, 60, 80)).parts, 4, metres=((0, 3, 4), (24, 5, 8))))
    position, length = bars_of(roll)
    assert position.tolist() == [*range(12)] * 2 + [*range(10)] + [*range(6)]
    assert length.tolist() == [12] * 24 + [10] * 16


def steps_of(*ticks: int, resolution: int = 480) -> list[int]:
    notes = [(tick, tick + 100, 60 + i, 80) for i, tick in enumerate(ticks)]
    return onset_steps(score_of(*notes, resolution=resolution), 4)[0].tolist()


def test_a_chord_with_spread_onsets_begins_in_one_step():
    assert steps_of(58, 59, 60, 61) == [0, 0, 0, 0]
    assert steps_of(59, 60, 61, 62) == [1, 1, 1, 1]
    assert steps_of(50, 70) == [1, 1] and steps_of(50, 71) == [0, 1]  # a 24th of a quarter note is 20 ticks
    assert steps_of(45, 60, 75) == [0, 0, 1]  # not a chain: all notes of a chord begin near its first
    assert steps_of(1, 2, resolution=2) == [2, 4]  # too coarse a resolution for any chord
    roll = to_roll(score_of((58, 170, 60, 80), (61, 170, 64, 80), resolution=480))
    assert roll.onset[0].sum() == 2 and not roll.onset[1:].any()


def test_chords_span_pitched_parts_and_exclude_drums():
    parts = (*score_of((55, 100, 60, 80)).parts, *score_of((66, 100, 64, 80)).parts,
             *score_of((61, 100, 36, 80), drums=True).parts)  # fmt: skip
    assert [steps.tolist() for steps in onset_steps(Score(parts), 4)] == [[1], [1], [1]]
    assert [steps.tolist() for steps in onset_steps(Score(parts[::2]), 4)] == [[0], [1]]


def test_on_grid_drops_drums_and_fractions_of_steps():
    rows = [(7, 100, 60, 80), (115, 250, 60, 81), (130, 600, 60, 82), (118, 200, 64, 70)]
    drums = score_of((0, 10, 36, 80), drums=True).parts
    tune = Part(score_of(*rows).parts[0].notes, 5, name="Tune")
    score = on_grid(Score((*drums, tune), 480, ((0, 90.0), (470, 60.0))), 4)
    (part,) = score.parts
    assert (part.program, part.name, score.resolution, score.tempos) == (5, "Tune", 480, ((0, 90.0), (480, 60.0)))
    assert part.notes.tolist() == [(0, 120, 60, 80), (120, 600, 60, 82), (120, 240, 64, 70)]
    assert np.array_equal(to_roll(score).active, to_roll(Score((tune,), 480)).active)


@given(rolls(steady=True))
@cases(50)
def test_on_grid_is_idempotent(roll):
    score = to_score(roll)
    again = on_grid(score, 4)
    assert [part.notes.tolist() for part in again.parts] == [
        part.notes.tolist() for part in score.parts if len(part.notes)
    ]
