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
from music_composer.symbolic.midi import read_midi
from music_composer.symbolic.options import BoundOptions, PlayOptions
from music_composer.symbolic.scales import allowed_pitches
from music_composer.values import Roll

NOTE_VALUES = (1, 2, 4, 8, 16, 32)


@dataclasses.dataclass(frozen=True)
class Request:
    """What one piece is to be.

    kept: as long as the whole piece; its notes sound, whatever else does. open_steps: bool (steps,), where other notes
    may be added. pitches: bool (128,), which. fullest: notes at once, those that are kept included; 0: any number.
    """

    kept: Roll
    open_steps: np.ndarray
    pitches: np.ndarray
    fullest: int = 0

    @property
    def steps(self) -> int:
        return self.kept.steps

    @property
    def primed(self) -> int:
        """Steps before the first that is open."""
        return int(np.argmax(self.open_steps)) if self.open_steps.any() else self.steps


def request_of(primer: Path | None, options: PlayOptions, bounds: BoundOptions, blank: Roll) -> Request:
    """What the options ask for. blank: a roll without steps, whose grid, tempo and metre hold where nothing else says.

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
    return Request(kept, open_steps, pitches, bounds.max_polyphony)


def metre_of(words: str) -> tuple[int, int]:
    """ "3/4" to beats in a bar and what note a beat is."""
    found = re.fullmatch(r"\s*(\d{1,2})\s*/\s*(\d{1,2})\s*", words)
    beats, note = (int(found[1]), int(found[2])) if found else (0, 0)
    if not beats or note not in NOTE_VALUES:
        raise OptionError(f"--metre is {words!r}: give beats and what note a beat is, like 3/4 or 6/8")
    return beats, note


def silence(steps: int, blank: Roll) -> Roll:
    """Silent steps on the grid, in the tempo and metre of another roll."""
    none = np.zeros((steps, PITCHES), np.uint8)
    return dataclasses.replace(blank, velocity=none, struck=none.astype(bool))


def lengthened(roll: Roll, steps: int) -> Roll:
    """With so many silent steps more."""
    more = np.zeros((steps, roll.velocity.shape[1]))
    velocity, struck = (np.concatenate([each, more.astype(each.dtype)]) for each in (roll.velocity, roll.struck))
    return dataclasses.replace(roll, velocity=velocity, struck=struck)


def without(roll: Roll, gap: np.ndarray) -> Roll:
    """Silent in a gap, bool (steps,). What is held on over its end is struck there."""
    velocity, struck = roll.velocity.copy(), roll.struck.copy()
    velocity[gap], struck[gap] = 0, False
    before = np.concatenate([np.zeros_like(velocity[:1]), velocity[:-1]]) > 0
    return dataclasses.replace(roll, velocity=velocity, struck=(struck | ~before) & (velocity > 0))


def laid_over(made: Roll, kept: Roll) -> Roll:
    """What was made, with what was to be kept exactly as it was: no shade is lost, and no note beyond the keys."""
    sounds = kept.sounding
    velocity = np.where(sounds, kept.velocity, made.velocity)
    return dataclasses.replace(made, velocity=velocity, struck=np.where(sounds, kept.struck, made.struck))


def gap_of(roll: Roll, first_bar: int, last_bar: int) -> np.ndarray:
    """Steps of some bars, counted from 1, the last one included, bool (steps,). Raises OptionError for no such bars."""
    position, _ = bars_of(roll)
    bar = np.cumsum(position == 0)
    if not 1 <= first_bar <= last_bar <= bar[-1]:
        raise OptionError(f"--from-bar {first_bar} --to-bar {last_bar}: there are bars 1 to {bar[-1]}, the lower first")
    return (bar >= first_bar) & (bar <= last_bar)


def _kept(primer: Path | None, options: PlayOptions, blank: Roll) -> tuple[Roll, np.ndarray]:
    """What is kept of the primer, as long as the whole piece will be, and where notes may be added, bool (steps,)."""
    if primer is None:
        if options.lock_tracks or options.from_bar:
            raise OptionError("--lock-track and --from-bar do nothing without --primer-midi: give that too")
        return silence(options.steps, blank), np.ones(options.steps, bool)
    score = read_midi(primer).score
    if options.lock_tracks:
        wrong = [track for track in options.lock_tracks if not 0 <= track < len(score.parts)]
        if wrong:
            raise OptionError(f"--lock-track {wrong[0]}: {primer} has tracks 0 to {len(score.parts) - 1}")
        score = dataclasses.replace(score, parts=tuple(score.parts[track] for track in options.lock_tracks))
    roll = to_roll(score, blank.per_quarter)
    if not roll.steps:
        raise ScoreError(f"{primer}: has no notes in it to go on from")
    if options.lock_tracks:
        return roll, np.ones(roll.steps, bool)
    if options.from_bar:
        gap = gap_of(roll, options.from_bar, options.to_bar)
        return without(roll, gap), gap
    return lengthened(roll, options.steps), np.arange(roll.steps + options.steps) >= roll.steps
