"""Scores to sound: every note by the tone of its part, placed between left and right, in a room, at one loudness.

Sound is made in blocks, so that memory does not grow with the length of a score.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from music_composer.errors import OptionError, ScoreError
from music_composer.synth.loudness import amplified, gain_to
from music_composer.synth.parts import Cache, PartPlayer
from music_composer.synth.room import Echo, Reverb
from music_composer.synth.scratch import Scratch
from music_composer.synth.timeline import Timeline, seconds_at, timeline_of
from music_composer.synth.voices import AUTO, VOICES, Voice, tone_of_program
from music_composer.values import Part, Score, Waveform

__all__ = ["RATE", "TAIL_SECONDS", "render", "render_blocks", "seconds_at"]

RATE = 44100
TAIL_SECONDS = 1.5  # room for the last notes' release and the reverberation
WIDTH = 0.5  # how far from the middle the outermost parts stand, 0 to 1
ECHO = 0.35
LONGEST_HOURS = 6  # what a WAV file holds at this rate
MOST_NOTES = 1_000_000
MOST_NOTE_HOURS = 100  # the lengths of all notes together: more is a wrong number, not music


def render(score: Score, voices: Sequence[str] = (AUTO,), rate: int = RATE) -> Waveform:
    """The score as stereo sound, by one voice or several layered. The same score and voices give the same sound.

    Raises as `render_blocks` does.
    """
    samples = np.concatenate(list(render_blocks(score, voices, rate)))
    return Waveform(samples, rate)


def render_blocks(
    score: Score, voices: Sequence[str] = (AUTO,), rate: int = RATE, folder: Path | None = None
) -> Iterator[np.ndarray]:
    """The same in blocks of float32, shape (samples, 2), however long the score is.

    folder: where a long score's sound is kept until its loudness is known, 350 kB a second; without one it is kept in
    memory. Raises OptionError when there is no such voice, ScoreError when the score is too long, MusicComposerError
    when the folder cannot be written to.
    """
    check_voices(voices)
    check_length(score)
    times = [timeline_of(score, part) for part in score.parts]
    return _levelled_blocks(score, times, voices, rate, folder)


def check_voices(voices: Sequence[str]) -> None:
    """Raises OptionError, naming the voices there are."""
    unknown = [name for name in voices if name != AUTO and name not in VOICES]
    if unknown or not voices:
        told = f"there is no voice {unknown[0]!r}" if unknown else "no voice was given"
        raise OptionError(f"{told}: give one or more of {', '.join([AUTO, *VOICES])}")


def check_length(score: Score) -> None:
    """Raises ScoreError when more would be rendered than a WAV file holds, or than anyone plays."""
    hours = float(seconds_at(score, np.array([score.ticks]))[0]) / 3600
    if not hours <= LONGEST_HOURS:
        raise ScoreError(f"would last {hours:.1f} hours: at most {LONGEST_HOURS} are rendered")
    if score.count > MOST_NOTES:
        raise ScoreError(f"holds {score.count} notes: at most {MOST_NOTES} are rendered")
    sounding = sum(
        float((seconds_at(score, part.notes["stop"]) - seconds_at(score, part.notes["start"])).sum())
        for part in score.parts
        if not part.drums
    )
    if sounding > MOST_NOTE_HOURS * 3600:
        raise ScoreError(
            f"holds its notes for {sounding / 3600:.0f} hours in all: at most {MOST_NOTE_HOURS} are rendered"
        )


def _levelled_blocks(
    score: Score, times: Sequence[Timeline], voices: Sequence[str], rate: int, folder: Path | None
) -> Iterator[np.ndarray]:
    samples = round((max((time.end for time in times), default=0.0) + TAIL_SECONDS) * rate)
    cache = Cache()
    players = [_VoicePlayer(score.parts, times, name, samples, rate, cache) for name in voices]
    step = players[0].step
    with Scratch(folder) as mix:
        for begin in range(0, samples, step):
            mixed = np.zeros((2, min(step, samples - begin)), np.float32)
            for player in players:
                mixed += player.block(begin, mixed.shape[1]) / np.float32(len(voices))
            mix.append(mixed)
        gain = gain_to(lambda: mix, rate)
        for mixed in mix:
            yield np.ascontiguousarray(amplified(mixed, gain).T)


class _VoicePlayer:
    """A score by one voice, in blocks of `step` samples."""

    def __init__(
        self, parts: Sequence[Part], times: Sequence[Timeline], name: str, samples: int, rate: int, cache: Cache
    ) -> None:
        voice = VOICES.get(name, Voice(()))
        tones = _tones(parts, voice)
        self._parts = []
        for number, (part, time) in enumerate(zip(parts, times, strict=True)):
            pan = WIDTH * (2 * number / max(1, len(parts) - 1) - 1) if len(parts) > 1 else 0.0
            self._parts.append(PartPlayer(part, time, tones[number], pan, rate, cache))
        self._echo = Echo(round(voice.echo * rate), ECHO) if voice.echo else None
        self._reverb = Reverb(rate, samples, np.dtype(np.float32))
        self._in_room, self.step = voice.room, self._reverb.step

    def block(self, begin: int, samples: int) -> np.ndarray:
        """The next block, float32 (2, samples)."""
        dry = np.zeros((2, samples), np.float32)
        for part in self._parts:
            part.add(dry, begin)
        if self._echo:
            dry = self._echo.added(dry)
        return dry + self._reverb.answer(dry) if self._in_room else dry


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
