"""The constraints on one piece: fixed notes of a primer, steps that may get new notes, and allowed pitches.

Continuing a primer, composing around parts and composing bars anew are the same problem: some notes are fixed, some
steps are editable.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.errors import OptionError, ScoreError
from music_composer.symbolic.fixed_parts import (
    NEARBY_STEPS,
    playing_near,
    roll_of,
    twice,
    with_fine_ticks,
    without_bars,
)
from music_composer.symbolic.midi.instruments import listed
from music_composer.symbolic.notation.score_file import read_score
from music_composer.symbolic.play_options import BoundOptions, PieceOptions
from music_composer.symbolic.quantization import grid_remarks
from music_composer.symbolic.roll import DEFAULT_VELOCITY, bars_of, tick_of, to_roll
from music_composer.symbolic.roll_operations import joined, lengthened, silence
from music_composer.symbolic.scales import allowed_pitches
from music_composer.values import PITCHES, Part, Roll, Score

NOTE_VALUES = (1, 2, 4, 8, 16, 32)
MELODY_END, MELODY_HOLD = -1, -2  # events of a melody besides pitches


@dataclasses.dataclass(frozen=True)
class Constraints:
    """The constraints on one piece.

    fixed: as long as the whole piece; its notes are in the result. editable: bool (steps,), where new notes may begin.
    pitches: bool (128,), allowed for new notes. max_polyphony: most simultaneous notes, fixed ones included; 0: any
    number. omitted: steps at the beginning that are not written.
    score: the fixed notes in their own ticks, with all that a roll leaves out; None without a score. instruments: the
    parts that new notes replace or continue, with the notes that tell their range. remarks: on the primer's file.
    """

    fixed: Roll
    editable: np.ndarray
    pitches: np.ndarray = dataclasses.field(default_factory=lambda: np.ones(PITCHES, bool))
    max_polyphony: int = 0
    omitted: int = 0
    score: Score | None = None
    instruments: tuple[Part, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        return self.fixed.steps

    @property
    def primer_steps(self) -> int:
        """Steps before the first editable one."""
        return int(np.argmax(self.editable)) if self.editable.any() else self.steps

    def max_new_notes(self, most: int, fixed: np.ndarray) -> np.ndarray:
        """How many new notes each step may get, int32 (steps,).

        most: notes in a step of the model. fixed: the fixed notes that the model sees, 0 where there is none, (steps,
        notes). They count towards the polyphony, but they are never dropped for it.
        """
        room = min(most, self.max_polyphony or most) - np.count_nonzero(fixed, axis=1)
        return np.where(self.editable, np.maximum(room, 0), 0).astype(np.int32)


def constraints_from(primer: Path | None, options: PieceOptions, bounds: BoundOptions, blank: Roll) -> Constraints:
    """The constraints that the options describe.

    primer: a score file. Pitches, then a melody in the options take precedence over it, as in Magenta's polyphony_rnn.
    blank: a roll without steps, with the grid, tempo and metre to use where neither primer nor options give them.

    Raises OptionError where options contradict each other or the primer, ScoreError when the primer cannot be read.
    """
    pitches = allowed_pitches(bounds)
    constraints = dataclasses.replace(
        _fixed(primer, options, blank), pitches=pitches, max_polyphony=bounds.max_polyphony
    )
    # The new music begins at the first editable step.
    begin = int(np.argmax(constraints.editable))
    if options.metre:
        constraints = _in_metre(constraints, metre_of(options.metre), begin)
    if options.qpm:
        constraints = _with_tempos(constraints, tempos=((0, options.qpm),))
    return dataclasses.replace(constraints, omitted=begin if options.omit_primer else 0)


def metre_of(text: str) -> tuple[int, int]:
    """ "3/4" as the beats in a bar and the note value of a beat. Raises OptionError for anything else."""
    found = re.fullmatch(r"\s*(\d{1,2})\s*/\s*(\d{1,2})\s*", text)
    beats, note = (int(found[1]), int(found[2])) if found else (0, 0)
    if not beats or note not in NOTE_VALUES:
        raise OptionError(f"--metre is {text!r}: give the beats of a bar and the note value of a beat, like 3/4 or 6/8")
    return beats, note


def melody_of(text: str, blank: Roll) -> Roll:
    """A melody such as "[60, -2, 62, -1]" as a roll, one number for each sixteenth.

    A pitch begins a note, -2 holds it, -1 ends it. Raises OptionError for other text, and without a note.
    """
    events = _numbers("--primer-melody", text, MELODY_HOLD)
    roll = silence(len(events), blank)
    pitch = None
    for step, event in enumerate(events):
        if event == MELODY_END:
            pitch = None
        elif event != MELODY_HOLD:
            pitch, roll.onset[step, event] = event, True
        if pitch is not None:
            roll.velocity[step, pitch] = DEFAULT_VELOCITY
    if not roll.active.any():
        raise OptionError(f"--primer-melody is {text!r}: it has no note; give at least one pitch")
    return roll


def chord_of(text: str, blank: Roll) -> Roll:
    """A chord such as "[60, 64, 67]" as a roll of a quarter note. Raises OptionError for other text."""
    pitches = _numbers("--primer-pitches", text, 0)
    roll = silence(blank.per_quarter, blank)
    roll.velocity[:, pitches], roll.onset[0, pitches] = DEFAULT_VELOCITY, True
    return roll


def gap_of(roll: Roll, first_bar: int, last_bar: int) -> np.ndarray:
    """The steps of some bars, counted from 1, both ends included: bool (steps,).

    Raises OptionError for bars that the roll does not have.
    """
    position, _ = bars_of(roll)
    bar = np.cumsum(position == 0)
    if not 1 <= first_bar <= last_bar <= bar[-1]:
        raise OptionError(f"--from-bar {first_bar} --to-bar {last_bar}: give bars from 1 to {bar[-1]}, the lower first")
    return (bar >= first_bar) & (bar <= last_bar)


def _numbers(flag: str, text: str, minimum: int) -> list[int]:
    # Accepts lists with or without brackets, separated by commas or spaces.
    found = re.fullmatch(r"\s*[\[(]?\s*(-?\d{1,9}(?:[\s,]+-?\d{1,9})*)\s*,?\s*[\])]?\s*", text)
    numbers = [int(number) for number in re.split(r"[\s,]+", found[1])] if found else []
    wrong = [number for number in numbers if not minimum <= number < PITCHES]
    if not numbers or wrong:
        fault = f"{wrong[0]} is not one" if wrong else "this is not a list of numbers"
        also = ", -2 to hold and -1 to rest" if minimum < 0 else ""
        raise OptionError(
            f"{flag} is {text[:60]!r}: give a list of MIDI pitches, 0 to 127{also}, like [60, 64]; {fault}"
        )
    return numbers


def _fixed(primer: Path | None, options: PieceOptions, blank: Roll) -> Constraints:
    """The fixed notes of the primer, as long as the whole piece, and the editable steps."""
    if options.primer_pitches:
        return _primed(chord_of(options.primer_pitches, blank), options)
    if options.primer_melody:
        return _primed(melody_of(options.primer_melody, blank), options)
    if primer:
        reading = read_score(primer)
        constraints = _of_score(
            with_fine_ticks(reading.score, blank.per_quarter), str(primer), options, blank.per_quarter
        )
        return dataclasses.replace(
            constraints, remarks=(*reading.remarks, *grid_remarks(reading.score, blank.per_quarter))
        )
    if options.lock_tracks or options.from_bar:
        raise OptionError("--lock-track and --from-bar do nothing without --primer-midi: give that too")
    return Constraints(silence(options.steps, blank), np.ones(options.steps, bool))


def _primed(roll: Roll, options: PieceOptions) -> Constraints:
    """A primer that the new music continues, or that is fixed within it, or both."""
    if not options.inject_primer:
        return Constraints(lengthened(roll, options.steps), np.arange(roll.steps + options.steps) >= roll.steps)
    # An injected primer may be longer than the new music: the piece is as long as the longer of both.
    around = lengthened(roll, max(0, options.steps - roll.steps))
    if not options.condition_on_primer:
        return Constraints(around, np.ones(around.steps, bool))
    return Constraints(joined(roll, around), np.arange(roll.steps + around.steps) >= roll.steps)


def _of_score(score: Score, primer: str, options: PieceOptions, grid: int) -> Constraints:
    whole = roll_of(score, grid)
    if not score.count:
        raise ScoreError(f"{primer}: has no notes in it to go on from")
    if options.lock_tracks:
        return _around_tracks(score, options.lock_tracks, primer, grid)
    if options.from_bar:
        gap = gap_of(whole, options.from_bar, options.to_bar)
        sides = without_bars(score, gap, grid)
        fixed = roll_of(sides, grid)
        fixed = _like(lengthened(fixed, whole.steps - fixed.steps), whole)
        return Constraints(fixed, gap, score=sides, instruments=playing_near(score, gap, grid))
    if not whole.active.any() and options.condition_on_primer:
        raise ScoreError(f"{primer}: has nothing but drums in it, which no model reads: --lock-track composes to them")
    constraints = _primed(whole, options)
    if not options.inject_primer:
        # New notes go to the instruments that play at the end of the primer.
        end = np.arange(whole.steps) >= whole.steps - NEARBY_STEPS
        return dataclasses.replace(constraints, score=score, instruments=playing_near(score, end, grid))
    if not options.condition_on_primer:
        return dataclasses.replace(constraints, score=score)
    again = twice(score, whole.steps, grid)
    return dataclasses.replace(constraints, fixed=_like(constraints.fixed, to_roll(again, grid)), score=again)


def _around_tracks(score: Score, fixed: Sequence[int], primer: str, per_quarter: int) -> Constraints:
    wrong = [track for track in fixed if not 0 <= track < len(score.parts)]
    if wrong:
        raise OptionError(f"--lock-track {wrong[0]}: {primer} has no such part; its parts are {listed(score.parts)}")
    others = [part for i, part in enumerate(score.parts) if i not in fixed]
    kept = dataclasses.replace(score, parts=tuple(part for i, part in enumerate(score.parts) if i in fixed))
    roll = roll_of(kept, per_quarter)
    instruments = tuple(part for part in others if len(part.notes) and not part.drums)
    return Constraints(roll, np.ones(roll.steps, bool), score=kept, instruments=instruments)


def _like(roll: Roll, other: Roll) -> Roll:
    """A roll with the tempos and metres of another."""
    return dataclasses.replace(roll, tempos=other.tempos, metres=other.metres)


def _in_metre(constraints: Constraints, metre: tuple[int, int], begin: int) -> Constraints:
    """The constraints with another metre from a step on.

    Where bars are composed anew, the metre after them stays as it was.
    """
    fixed, score = constraints.fixed, constraints.score
    closed = np.flatnonzero(~constraints.editable[begin:])
    end = begin + int(closed[0]) if len(closed) else constraints.steps

    def changed(changes: Any, begin: int, end: int | None) -> Any:
        before = tuple(change for change in changes if change[0] < begin)
        if end is None:
            return (*before, (begin, *metre))
        # The metre after the new bars is the last change before their end.
        held = [change for change in changes if change[0] <= end][-1]
        return (*before, (begin, *metre), (end, *held[1:]), *(change for change in changes if change[0] > end))

    fixed = dataclasses.replace(fixed, metres=changed(fixed.metres, begin, end if len(closed) else None))
    if score:
        first, last = (int(tick_of(step, score.resolution, fixed.per_quarter)) for step in (begin, end))
        score = dataclasses.replace(score, metres=changed(score.metres, first, last if len(closed) else None))
    return dataclasses.replace(constraints, fixed=fixed, score=score)


def _with_tempos(constraints: Constraints, tempos: tuple[tuple[int, float], ...]) -> Constraints:
    score = dataclasses.replace(constraints.score, tempos=tempos) if constraints.score else None
    return dataclasses.replace(constraints, fixed=dataclasses.replace(constraints.fixed, tempos=tempos), score=score)
