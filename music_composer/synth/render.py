"""Scores to sound: every note by the tone of its part, placed between left and right, in a room, at one loudness."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from music_composer.synth.loudness import levelled
from music_composer.synth.room import place, reverberate
from music_composer.synth.tones import play, strike
from music_composer.synth.voices import AUTO, LEVELS, TONES, VOICES, Voice, drum_of, tone_of_program
from music_composer.values import Part, Score, Waveform

RATE = 44100
TAIL_SECONDS = 1.5  # room for the last notes' release and the reverberation
WIDTH = 0.5  # how far from the middle the outermost parts stand, 0 to 1
BY_PITCH = 0.25  # and how far from its part's place the lowest and the highest key
ECHO = 0.35
GAIN = 0.2  # of a single note, before all is levelled
SHORTEST = 0.03  # seconds that a note sounds at least


def render(score: Score, voices: Sequence[str] = (AUTO,), rate: int = RATE) -> Waveform:
    """The score as stereo sound, by one voice or several layered. The same score and voices give the same sound."""
    seconds = seconds_at(score, np.array([score.ticks]))[0]
    samples = round((float(seconds) + TAIL_SECONDS) * rate)
    mixed = np.zeros((2, samples), np.float32)
    for name in voices:
        mixed += _played(score, name, samples, rate) / np.float32(len(voices))
    return Waveform(np.ascontiguousarray(levelled(mixed, rate).T), rate)


def seconds_at(score: Score, ticks: np.ndarray) -> np.ndarray:
    """When ticks come, by the tempos of the score."""
    changes = np.array([tick for tick, _ in score.tempos], float)
    each = np.array([60 / tempo / score.resolution for _, tempo in score.tempos])  # seconds a tick
    begun = np.concatenate([[0.0], np.cumsum(np.diff(changes) * each[:-1])])
    number = np.clip(np.searchsorted(changes, ticks, side="right") - 1, 0, None)
    return np.asarray(begun[number] + (ticks - changes[number]) * each[number])


def _played(score: Score, name: str, samples: int, rate: int) -> np.ndarray:
    """By one voice, (2, samples)."""
    voice = VOICES.get(name, Voice(()))
    tones = _tones(score.parts, voice)
    dry = np.zeros((2, samples), np.float32)
    for number, part in enumerate(score.parts):
        pan = WIDTH * (2 * number / max(1, len(score.parts) - 1) - 1) if len(score.parts) > 1 else 0.0
        starts, stops = (seconds_at(score, part.notes[field]) for field in ("start", "stop"))
        _add_part(dry, part, tones[number], pan, starts, stops, rate)
    if voice.echo:
        later = round(voice.echo * rate)
        dry[:, later:] += np.float32(ECHO) * dry[::-1, :-later].copy()
    return dry + reverberate(dry, rate) if voice.room else dry


def _tones(parts: Sequence[Part], voice: Voice) -> list[str]:
    """The name of the tone that plays each part."""
    if not voice.upper:
        return [tone_of_program(part.program) for part in parts]
    means = [float(part.notes["pitch"].mean()) if len(part.notes) and not part.drums else np.inf for part in parts]
    lowest = int(np.argmin(means)) if voice.lowest and sum(np.isfinite(means)) > 1 else -1
    upper = [i for i in range(len(parts)) if i != lowest and not parts[i].drums]
    return [
        voice.lowest if i == lowest else voice.upper[upper.index(i) % len(voice.upper)] if i in upper else ""
        for i in range(len(parts))
    ]


def _add_part(
    dry: np.ndarray, part: Part, tone: str, pan: float, starts: np.ndarray, stops: np.ndarray, rate: int
) -> None:
    """Adds the notes of a part. Notes alike are made once."""
    made: dict[tuple[int, int, int], np.ndarray] = {}
    for note, start, stop in zip(part.notes, starts, stops, strict=True):
        pitch, velocity = int(note["pitch"]), int(note["velocity"])
        held = 0 if part.drums else round(max(SHORTEST, stop - start) * 1000)
        key = pitch, velocity, held
        if key not in made:
            if part.drums:
                sound = strike(drum_of(pitch), velocity / 127, rate)
            else:
                sound = LEVELS.get(tone, 1.0) * play(TONES[tone], pitch, velocity / 127, held / 1000, rate)
            made[key] = (GAIN * sound).astype(np.float32)
        at, where = round(start * rate), float(np.clip(pan + BY_PITCH * (pitch - 64) / 44, -1, 1))
        gains = place(where).astype(np.float32)
        sound = made[key][: dry.shape[1] - at]
        for channel in range(2):
            dry[channel, at : at + len(sound)] += gains[channel] * sound
