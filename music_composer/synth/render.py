"""Renders scores: each note with the tone of its part, panned, in a room, normalized to one loudness.

Sound is rendered in blocks, so that memory does not grow with the length of a score.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from music_composer.errors import OptionError, ScoreError
from music_composer.synth.loudness import amplified, gain_to
from music_composer.synth.options import RenderOptions
from music_composer.synth.parts import Cache, PartPlayer
from music_composer.synth.room import Echo, Reverb
from music_composer.synth.scratch import Scratch
from music_composer.synth.timeline import Timeline, seconds_at, timeline_of
from music_composer.synth.voices import AUTO, VOICES, Voice, tone_of_program
from music_composer.values import Part, Score, Waveform

__all__ = ["RATE", "TAIL_SECONDS", "render", "render_blocks", "seconds_at"]

RATE = 44100
TAIL_SECONDS = 1.5  # for the release of the last notes and the reverberation
WIDTH = 0.5  # pan of the outermost parts, 0 to 1
ECHO = 0.35
MAX_HOURS = 6  # a WAV file at this rate holds no more
MAX_NOTES = 1_000_000
MAX_NOTE_HOURS = 100  # sum over all notes; more comes from a wrong number


def render(score: Score, voices: Sequence[str] = RenderOptions.voices, rate: int = RATE) -> Waveform:
    """Renders a score as stereo sound with one voice, or several layered ones. The result is deterministic.

    Raises as `render_blocks` does.
    """
    samples = np.concatenate(list(render_blocks(score, voices, rate)))
    return Waveform(samples, rate)


def render_blocks(
    score: Score, voices: Sequence[str] = RenderOptions.voices, rate: int = RATE, folder: Path | None = None
) -> Iterator[np.ndarray]:
    """Renders a score of any length in blocks of float32, shape (samples, 2).

    folder: for a temporary file with a long score's sound, 350 kB a second, until its loudness is known; without one,
    sound stays in memory. Raises OptionError for an unknown voice, ScoreError when the score is too long,
    MusicComposerError when the folder cannot be written to.
    """
    check_voices(voices)
    check_length(score)
    times = [timeline_of(score, part) for part in score.parts]
    return _levelled_blocks(score, times, voices, rate, folder)


def check_voices(voices: Sequence[str]) -> None:
    """Raises OptionError, with the names of all voices, for an unknown one."""
    unknown = [name for name in voices if name != AUTO and name not in VOICES]
    if unknown or not voices:
        fault = f"there is no voice {unknown[0]!r}" if unknown else "no voice was given"
        raise OptionError(f"{fault}: give one or more of {', '.join([AUTO, *VOICES])}")


def check_length(score: Score) -> None:
    """Raises ScoreError for a score longer than a WAV file, or one whose notes are implausibly long."""
    hours = float(seconds_at(score, np.array([score.ticks]))[0]) / 3600
    if not hours <= MAX_HOURS:
        raise ScoreError(f"would last {hours:.1f} hours: at most {MAX_HOURS} are rendered")
    if score.count > MAX_NOTES:
        raise ScoreError(f"holds {score.count} notes: at most {MAX_NOTES} are rendered")
    sounding = sum(
        float((seconds_at(score, part.notes["stop"]) - seconds_at(score, part.notes["start"])).sum())
        for part in score.parts
        if not part.drums
    )
    if sounding > MAX_NOTE_HOURS * 3600:
        raise ScoreError(
            f"holds its notes for {sounding / 3600:.0f} hours in all: at most {MAX_NOTE_HOURS} are rendered"
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
        # The loudness of the whole is known only now: a second pass applies the gain.
        gain = gain_to(lambda: mix, rate)
        for mixed in mix:
            yield np.ascontiguousarray(amplified(mixed, gain).T)


class _VoicePlayer:
    """A score with one voice, in blocks of `step` samples."""

    def __init__(
        self, parts: Sequence[Part], times: Sequence[Timeline], name: str, samples: int, rate: int, cache: Cache
    ) -> None:
        voice = VOICES.get(name, Voice(()))
        tones = _tones(parts, voice)
        self._parts = []
        for number, (part, time) in enumerate(zip(parts, times, strict=True)):
            # Parts are spread evenly from left to right.
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
            dry = self._echo.process(dry)
        return dry + self._reverb.wet(dry) if self._in_room else dry


def _tones(parts: Sequence[Part], voice: Voice) -> list[str]:
    """The name of the tone of each part."""
    if not voice.upper:
        return [tone_of_program(part.program) for part in parts]
    means = [float(part.notes["pitch"].mean()) if len(part.notes) and not part.drums else np.inf for part in parts]
    lowest = int(np.argmin(means)) if voice.lowest and sum(np.isfinite(means)) > 1 else -1
    upper = [i for i in range(len(parts)) if i != lowest and not parts[i].drums]
    return [
        voice.lowest if i == lowest else voice.upper[upper.index(i) % len(voice.upper)] if i in upper else ""
        for i in range(len(parts))
    ]
