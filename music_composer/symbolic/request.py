"""What a piece is to be: what is kept of a primer, where notes may be added, and which.

A beginning that is gone on from, tracks that others are composed around and bars that are composed anew are all alike:
notes that are kept, and steps that are open.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np

from music_composer.errors import OptionError, ScoreError
from music_composer.symbolic.frames import PITCHES, bars_of, to_roll
from music_composer.symbolic.notation import read_score
from music_composer.symbolic.options import BoundOptions, PlayOptions
from music_composer.symbolic.rolls import joined, lengthened, silence, without
from music_composer.symbolic.scales import allowed_pitches
from music_composer.values import Roll

NOTE_VALUES = (1, 2, 4, 8, 16, 32)
VELOCITY = 100  # of a primer that says nothing of loudness
MELODY_END, MELODY_HOLD = -1, -2  # what a step of a melody can be besides a pitch


@dataclasses.dataclass(frozen=True)
class Request:
    """What one piece is to be.

    kept: as long as the whole piece; its notes sound, whatever else does. open_steps: bool (steps,), where other notes
    may be added. pitches: bool (128,), which. fullest: notes at once, those that are kept included; 0: any number.
    omitted: steps at the beginning that are heard and not written.
    """

    kept: Roll
    open_steps: np.ndarray
    pitches: np.ndarray
    fullest: int = 0
    omitted: int = 0

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
    kept, open_steps = _kept(primer, options, blank)
    if options.metre:
        begin = int(np.argmax(open_steps))
        before = tuple(change for change in kept.metres if change[0] < begin)
        kept = dataclasses.replace(kept, metres=(*before, (begin, *metre_of(options.metre))))
    if options.qpm:
        kept = dataclasses.replace(kept, tempos=((0, options.qpm),))
    omitted = int(np.argmax(open_steps)) if options.omit_primer else 0
    return Request(kept, open_steps, pitches, bounds.max_polyphony, omitted)


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
    found = re.fullmatch(r"\s*[\[(]?\s*(-?\d+(?:[\s,]+-?\d+)*)\s*,?\s*[\])]?\s*", words)
    numbers = [int(word) for word in re.split(r"[\s,]+", found[1])] if found else []
    wrong = [number for number in numbers if not least <= number < PITCHES]
    if not numbers or wrong:
        what = f"{wrong[0]} is none of them" if wrong else "no such list"
        also = ", -2 for hold and -1 for rest" if least < 0 else ""
        raise OptionError(f"{flag} is {words!r}: give a list of MIDI pitches, 0 to 127{also}, like [60, 64]; {what}")
    return numbers


def _kept(primer: Path | None, options: PlayOptions, blank: Roll) -> tuple[Roll, np.ndarray]:
    """What is kept of the primer, as long as the whole piece will be, and where notes may be added, bool (steps,)."""
    if options.primer_pitches:
        roll = chord_of(options.primer_pitches, blank)
    elif options.primer_melody:
        roll = melody_of(options.primer_melody, blank)
    elif primer:
        roll = _read(primer, options, blank)
    else:
        if options.lock_tracks or options.from_bar:
            raise OptionError("--lock-track and --from-bar do nothing without --primer-midi: give that too")
        return silence(options.steps, blank), np.ones(options.steps, bool)
    if options.lock_tracks:
        return roll, np.ones(roll.steps, bool)
    if options.from_bar:
        gap = gap_of(roll, options.from_bar, options.to_bar)
        return without(roll, gap), gap
    if not options.inject_primer:
        return lengthened(roll, options.steps), np.arange(roll.steps + options.steps) >= roll.steps
    around = lengthened(roll, max(0, options.steps - roll.steps))
    if not options.condition_on_primer:
        return around, np.ones(around.steps, bool)
    return joined(roll, around), np.arange(roll.steps + around.steps) >= roll.steps


def _read(primer: Path, options: PlayOptions, blank: Roll) -> Roll:
    """A MIDI file, or the tracks of it that are locked."""
    score = read_score(primer).score
    if options.lock_tracks:
        wrong = [track for track in options.lock_tracks if not 0 <= track < len(score.parts)]
        if wrong:
            raise OptionError(f"--lock-track {wrong[0]}: {primer} has tracks 0 to {len(score.parts) - 1}")
        score = dataclasses.replace(score, parts=tuple(score.parts[track] for track in options.lock_tracks))
    roll = to_roll(score, blank.per_quarter)
    if not roll.steps:
        raise ScoreError(f"{primer}: has no notes in it to go on from")
    return roll
