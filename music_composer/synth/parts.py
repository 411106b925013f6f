"""The notes of a part as sound, mixed into consecutive blocks of stereo sound."""

from __future__ import annotations

import numpy as np

from music_composer.synth.controls import Automation
from music_composer.synth.room import place
from music_composer.synth.timeline import Timeline, changes_within, ramps
from music_composer.synth.tones import (
    BLOCK,
    Glide,
    Partials,
    Wave,
    render_drum,
    render_note,
    samples_of,
    seconds_audible,
)
from music_composer.synth.voices import LEVELS, TONES, drum_of
from music_composer.values import Part

GAIN = 0.2  # of a single note, before normalization
MIN_SECONDS = 0.03  # of a note
BY_PITCH = 0.25  # pan of the lowest and highest key relative to their part, unless it has a pan control
SEGMENT = 2048 * BLOCK  # samples, 12 s: longer notes are rendered in several segments
CACHED = 2**23  # samples in the cache; many notes are equal
MIN_PITCH, MAX_PITCH = -12.0, 132.0  # with pitch bend

Key = tuple[object, ...]


class Cache:
    """A cache of sounds by their parameters. The least recently used are dropped."""

    def __init__(self, limit: int = CACHED) -> None:
        self._limit, self.samples = limit, 0
        self._sounds: dict[Key, np.ndarray] = {}

    def get(self, key: Key) -> np.ndarray | None:
        sound = self._sounds.pop(key, None)
        if sound is not None:
            self._sounds[key] = sound
        return sound

    def put(self, key: Key, sound: np.ndarray) -> None:
        self._sounds[key] = sound
        self.samples += len(sound)
        while self.samples > self._limit and len(self._sounds) > 1:
            self.samples -= len(self._sounds.pop(next(iter(self._sounds))))


class PartPlayer:
    """Plays a part with a tone of the synthesizer, or its drums. Blocks are requested in order of time."""

    def __init__(self, part: Part, time: Timeline, tone: str, pan: float, rate: int, cache: Cache) -> None:
        """pan: the position of the part, -1 to 1, where it has no pan of its own."""
        order = np.argsort(part.notes["start"], kind="stable")
        notes, starts, stops = part.notes[order], time.starts[order], time.stops[order]
        self._pitches, self._velocities = notes["pitch"].tolist(), notes["velocity"].tolist()
        self._drums, self._tone, self._rate, self._cache, self._time = part.drums, tone, rate, cache, time
        self._starts = starts.tolist()
        self._at = np.rint(starts * rate).astype(np.int64).tolist()
        held = np.rint(np.maximum(MIN_SECONDS, stops - starts) * 1000).astype(np.int64)  # milliseconds
        self._held = ([0] * len(notes)) if part.drums else held.tolist()
        self._lengths = [self._length(pitch, ms) for pitch, ms in zip(self._pitches, self._held, strict=True)]
        ends = starts + np.array(self._lengths, float).reshape(-1) / rate
        # The pitch stays fixed after the release: players reset the wheel then for the next note.
        self._pitch_changes = [indices.tolist() for indices in changes_within(time.pitch, starts, stops)]
        self._gain_changes, self._pan_changes = (
            [indices.tolist() for indices in changes_within(changes, starts, ends)] for changes in (time.gain, time.pan)
        )
        places = np.clip(pan + BY_PITCH * (notes["pitch"].astype(float) - 64) / 44, -1, 1)
        self._places = places.tolist()
        self._gains = self._fixed_gains(places)
        self._active: list[int] = []
        self._next = 0

    def add(self, dry: np.ndarray, begin: int) -> None:
        """Mixes the notes into a block (2, samples) that begins at sample `begin`."""
        end = begin + dry.shape[1]
        while self._next < len(self._at) and self._at[self._next] < end:
            self._active.append(self._next)
            self._next += 1
        for note in self._active:
            at, length = self._at[note], self._lengths[note]
            for number in range(max(0, begin - at) // SEGMENT, -(-min(length, end - at) // SEGMENT)):
                start = at + number * SEGMENT
                sound = self._segment(note, number)
                low, high = max(start, begin), min(start + len(sound), end)
                if low < high:
                    gains = self._gains_of(note, low, high)
                    for channel in range(2):
                        dry[channel, low - begin : high - begin] += gains[channel] * sound[low - start : high - start]
        # Notes that last beyond this block.
        self._active = [note for note in self._active if self._at[note] + self._lengths[note] > end]

    def _length(self, pitch: int, held: int) -> int:
        """The length of a note in samples, without the inaudible end of a long one."""
        if self._drums:
            return round(6 * drum_of(pitch).decay * self._rate)
        tone = TONES[self._tone]
        audible = min(seconds_audible(tone, pitch) * self._rate, 2.0**62)
        return min(samples_of(tone, held / 1000, self._rate), max(SEGMENT, -(-int(audible) // SEGMENT) * SEGMENT))

    def _segment(self, note: int, number: int) -> np.ndarray:
        """A segment of a note. Equal notes share one sound in the cache."""
        pitch, velocity, held = self._pitches[note], self._velocities[note], self._held[note]
        first, last = self._pitch_changes[0][note], self._pitch_changes[1][note]
        bend = 0.0 if self._drums else float(self._time.pitch.values[first])
        # Notes with a constant pitch are equal by these values; a gliding note is cached for itself.
        key: Key = (self._drums or self._tone, min(max(pitch + bend, MIN_PITCH), MAX_PITCH), velocity, held, number)
        if first != last and not self._drums:
            key = (id(self), note, number)
        sound = self._cache.get(key)
        if sound is None:
            sound = self._made(note, number, pitch + bend, None if first == last else self._glide(note, first, last))
            self._cache.put(key, sound)
        return sound

    def _made(self, note: int, number: int, pitch: float, glide: Glide | None) -> np.ndarray:
        velocity = self._velocities[note] / 127
        if self._drums:
            return (GAIN * render_drum(drum_of(self._pitches[note]), velocity, self._rate)).astype(np.float32)
        tone: Partials | Wave = TONES[self._tone]
        span = number * SEGMENT, min(self._lengths[note], (number + 1) * SEGMENT)
        pitch = self._pitches[note] if glide else min(max(pitch, MIN_PITCH), MAX_PITCH)
        sound = render_note(tone, pitch, velocity, self._held[note] / 1000, self._rate, span, glide)
        return np.asarray(GAIN * (LEVELS.get(self._tone, 1.0) * sound)).astype(np.float32)

    def _glide(self, note: int, first: int, last: int) -> Glide:
        times, values = ramps(self._time.pitch, first, last)
        pitch = self._pitches[note]
        semitones = np.clip(np.concatenate([values[:1], values]), MIN_PITCH - pitch, MAX_PITCH - pitch)
        return Glide(np.concatenate([[0.0], times - self._starts[note]]), semitones)

    def _fixed_gains(self, places: np.ndarray) -> np.ndarray:
        """Left and right gains at the beginning of each note, float32 (notes, 2)."""
        pans = self._time.pan.values[self._pan_changes[0]]
        gains = place(np.where(np.isnan(pans), places, pans)) * self._time.gain.values[self._gain_changes[0]]
        return gains.T.astype(np.float32)

    def _gains_of(self, note: int, low: int, high: int) -> np.ndarray:
        """Left and right gains of a note from sample `low` to `high`: (2,), or (2, samples) where they change."""
        changes = []
        for automation, indices in ((self._time.gain, self._gain_changes), (self._time.pan, self._pan_changes)):
            changes.append((automation, indices[0][note], indices[1][note]))
        if all(first == last for _, first, last in changes):
            return np.asarray(self._gains[note])
        when = np.arange(low, high) / self._rate
        gain, pan = (_curve(when, *change, self._places[note]) for change in changes)
        return np.asarray((place(pan) * gain).astype(np.float32))


def _curve(when: np.ndarray, changes: Automation, first: int, last: int, automatic: float) -> np.ndarray:
    """The value at some times in seconds; `automatic` where there is none."""
    if first == last:
        times, values = np.zeros(1), changes.values[first : first + 1]
    else:
        times, values = ramps(changes, first, last)
    return np.interp(when, times, np.where(np.isnan(values), automatic, values))
