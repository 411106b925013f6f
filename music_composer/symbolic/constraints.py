"""What a piece is to be: what is kept of a primer, where notes may be added, and which.

A beginning that is gone on from, tracks that others are composed around and bars that are composed anew are all alike:
notes that are kept, and steps that are open.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.errors import OptionError, ScoreError
from music_composer.symbolic.fixed_parts import LATELY, playing_beside, ready, roll_of, twice, without_bars
from music_composer.symbolic.midi.instruments import listed
from music_composer.symbolic.notation.score_file import read_score
from music_composer.symbolic.options import BoundOptions, PlayOptions
from music_composer.symbolic.quantization import grid_remarks
from music_composer.symbolic.roll import PITCHES, bars_of, tick_of, to_roll
from music_composer.symbolic.roll_operations import joined, lengthened, silence
from music_composer.symbolic.scales import allowed_pitches
from music_composer.values import Part, Roll, Score

NOTE_VALUES = (1, 2, 4, 8, 16, 32)
VELOCITY = 100  # of a primer that says nothing of loudness
MELODY_END, MELODY_HOLD = -1, -2  # what a step of a melody can be besides a pitch


@dataclasses.dataclass(frozen=True)
class Request:
    """What one piece is to be.

    kept: as long as the whole piece; its notes sound, whatever else does. open_steps: bool (steps,), where other notes
    may be added. pitches: bool (128,), which. fullest: notes at once, those that are kept included; 0: any number.
    omitted: steps at the beginning that are heard and not written.
    score: what is kept, in its own ticks, with all that a roll knows nothing of; None where there was no score.
    instruments: parts that new notes take the place of, or that they go on from, with the notes that say so.
    remarks: on the file that it was read from.
    """

    kept: Roll
    open_steps: np.ndarray
    pitches: np.ndarray = dataclasses.field(default_factory=lambda: np.ones(PITCHES, bool))
    fullest: int = 0
    omitted: int = 0
    score: Score | None = None
    instruments: tuple[Part, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        return self.kept.steps

    @property
    def primed(self) -> int:
        """Steps before the first that is open."""
        return int(np.argmax(self.open_steps)) if self.open_steps.any() else self.steps


def request_of(primer: Path | None, options: PlayOptions, bounds: BoundOptions, blank: Roll) -> Request:
    """What the options ask for. primer: a MIDI file; pitches and then a melody among the options go before it, as in
    Magenta's polyphony_rnn. blank: a roll without steps, whose grid, tempo and metre hold where nothing else says.

    Raises OptionError where they contradict each other or the primer, ScoreError when that cannot be read.
    """
    pitches = allowed_pitches(bounds)
    request = dataclasses.replace(_kept(primer, options, blank), pitches=pitches, fullest=bounds.max_polyphony)
    begin = int(np.argmax(request.open_steps))
    if options.metre:
        request = _in_metre(request, metre_of(options.metre), begin)
    if options.qpm:
        request = _with(request, tempos=((0, options.qpm),))
    return dataclasses.replace(request, omitted=begin if options.omit_primer else 0)


def metre_of(words: str) -> tuple[int, int]:
    """ "3/4" to beats in a bar and what note a beat is."""
    found = re.fullmatch(r"\s*(\d{1,2})\s*/\s*(\d{1,2})\s*", words)
    beats, note = (int(found[1]), int(found[2])) if found else (0, 0)
    if not beats or note not in NOTE_VALUES:
        raise OptionError(f"--metre is {words!r}: give beats and what note a beat is, like 3/4 or 6/8")
    return beats, note


def melody_of(words: str, blank: Roll) -> Roll:
    """ "[60, -2, 62, -1]" to notes: a pitch begins in its sixteenth, -2 holds it on, -1 ends it."""
    events = _numbers("--primer-melody", words, MELODY_HOLD)
    roll = silence(len(events), blank)
    sounding = None
    for step, event in enumerate(events):
        if event == MELODY_END:
            sounding = None
        elif event != MELODY_HOLD:
            sounding, roll.struck[step, event] = event, True
        if sounding is not None:
            roll.velocity[step, sounding] = VELOCITY
    if not roll.sounding.any():
        raise OptionError(f"--primer-melody is {words!r}: there is no note in it")
    return roll


def chord_of(words: str, blank: Roll) -> Roll:
    """ "[60, 64, 67]" to a chord of a quarter."""
    pitches = _numbers("--primer-pitches", words, 0)
    roll = silence(blank.per_quarter, blank)
    roll.velocity[:, pitches], roll.struck[0, pitches] = VELOCITY, True
    return roll


def gap_of(roll: Roll, first_bar: int, last_bar: int) -> np.ndarray:
    """Steps of some bars, counted from 1, the last one included, bool (steps,). Raises OptionError for no such bars."""
    position, _ = bars_of(roll)
    bar = np.cumsum(position == 0)
    if not 1 <= first_bar <= last_bar <= bar[-1]:
        raise OptionError(f"--from-bar {first_bar} --to-bar {last_bar}: there are bars 1 to {bar[-1]}, the lower first")
    return (bar >= first_bar) & (bar <= last_bar)


def _numbers(flag: str, words: str, least: int) -> list[int]:
    found = re.fullmatch(r"\s*[\[(]?\s*(-?\d{1,9}(?:[\s,]+-?\d{1,9})*)\s*,?\s*[\])]?\s*", words)
    numbers = [int(word) for word in re.split(r"[\s,]+", found[1])] if found else []
    wrong = [number for number in numbers if not least <= number < PITCHES]
    if not numbers or wrong:
        what = f"{wrong[0]} is none of them" if wrong else "no such list"
        also = ", -2 for hold and -1 for rest" if least < 0 else ""
        said = f"{flag} is {words[:60]!r}"
        raise OptionError(f"{said}: give a list of MIDI pitches, 0 to 127{also}, like [60, 64]; {what}")
    return numbers


def _kept(primer: Path | None, options: PlayOptions, blank: Roll) -> Request:
    """What is kept of the primer, as long as the whole piece will be, and where notes may be added."""
    if options.primer_pitches:
        return _primed(chord_of(options.primer_pitches, blank), options)
    if options.primer_melody:
        return _primed(melody_of(options.primer_melody, blank), options)
    if primer:
        reading = read_score(primer)
        request = _of_score(ready(reading.score, blank.per_quarter), str(primer), options, blank.per_quarter)
        return dataclasses.replace(request, remarks=(*reading.remarks, *grid_remarks(reading.score, blank.per_quarter)))
    if options.lock_tracks or options.from_bar:
        raise OptionError("--lock-track and --from-bar do nothing without --primer-midi: give that too")
    return Request(silence(options.steps, blank), np.ones(options.steps, bool))


def _primed(roll: Roll, options: PlayOptions) -> Request:
    """A beginning that is gone on from, or that notes are composed around, or both."""
    if not options.inject_primer:
        return Request(lengthened(roll, options.steps), np.arange(roll.steps + options.steps) >= roll.steps)
    around = lengthened(roll, max(0, options.steps - roll.steps))
    if not options.condition_on_primer:
        return Request(around, np.ones(around.steps, bool))
    return Request(joined(roll, around), np.arange(roll.steps + around.steps) >= roll.steps)


def _of_score(score: Score, primer: str, options: PlayOptions, grid: int) -> Request:
    whole = roll_of(score, grid)
    if not score.count:
        raise ScoreError(f"{primer}: has no notes in it to go on from")
    if options.lock_tracks:
        return _around_tracks(score, options.lock_tracks, primer, grid)
    if options.from_bar:
        gap = gap_of(whole, options.from_bar, options.to_bar)
        kept = without_bars(score, gap, grid)
        sides = roll_of(kept, grid)
        sides = _like(lengthened(sides, whole.steps - sides.steps), whole)
        return Request(sides, gap, score=kept, instruments=playing_beside(score, gap, grid))
    if not whole.sounding.any() and options.condition_on_primer:
        raise ScoreError(f"{primer}: has nothing but drums in it, which no model hears: --lock-track composes to them")
    request = _primed(whole, options)
    if not options.inject_primer:
        lately = np.arange(whole.steps) >= whole.steps - LATELY
        return dataclasses.replace(request, score=score, instruments=playing_beside(score, lately, grid))
    if not options.condition_on_primer:
        return dataclasses.replace(request, score=score)
    again = twice(score, whole.steps, grid)
    return dataclasses.replace(request, kept=_like(request.kept, to_roll(again, grid)), score=again)


def _around_tracks(score: Score, locked: Sequence[int], primer: str, per_quarter: int) -> Request:
    wrong = [track for track in locked if not 0 <= track < len(score.parts)]
    if wrong:
        raise OptionError(f"--lock-track {wrong[0]}: there is no such part; {primer} has parts {listed(score.parts)}")
    others = [part for i, part in enumerate(score.parts) if i not in locked]
    kept = dataclasses.replace(score, parts=tuple(part for i, part in enumerate(score.parts) if i in locked))
    roll = roll_of(kept, per_quarter)
    instruments = tuple(part for part in others if len(part.notes) and not part.drums)
    return Request(roll, np.ones(roll.steps, bool), score=kept, instruments=instruments)


def _like(roll: Roll, other: Roll) -> Roll:
    """In the tempos and metres of another roll."""
    return dataclasses.replace(roll, tempos=other.tempos, metres=other.metres)


def _in_metre(request: Request, metre: tuple[int, int], begin: int) -> Request:
    """In another metre from a step on; after bars that are composed anew, as it was."""
    kept, score = request.kept, request.score
    closed = np.flatnonzero(~request.open_steps[begin:])
    end = begin + int(closed[0]) if len(closed) else request.steps

    def changed(changes: Any, begin: int, end: int | None) -> Any:
        before = tuple(change for change in changes if change[0] < begin)
        if end is None:
            return (*before, (begin, *metre))
        held = [change for change in changes if change[0] <= end][-1]
        return (*before, (begin, *metre), (end, *held[1:]), *(change for change in changes if change[0] > end))

    kept = dataclasses.replace(kept, metres=changed(kept.metres, begin, end if len(closed) else None))
    if score:
        first, last = (int(tick_of(step, score.resolution, kept.per_quarter)) for step in (begin, end))
        score = dataclasses.replace(score, metres=changed(score.metres, first, last if len(closed) else None))
    return dataclasses.replace(request, kept=kept, score=score)


def _with(request: Request, tempos: tuple[tuple[int, float], ...]) -> Request:
    score = dataclasses.replace(request.score, tempos=tempos) if request.score else None
    return dataclasses.replace(request, kept=dataclasses.replace(request.kept, tempos=tempos), score=score)
