"""Prompts: excerpts of real sound and their frames. No Keras."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from music_composer.audio.options import FrameOptions
from music_composer.audio.play_options import GenerateOptions
from music_composer.audio.reading.recording import read_excerpt, seconds_of
from music_composer.audio.spectrogram import sounding, to_mid_side, waveform_to_frames
from music_composer.errors import RecordingError
from music_composer.values import Waveform

ALIKE_BY_CHANCE = 0.1  # correlation of two pieces; at equal shares it makes their mixture 0.4 dB louder
CONTEXT_FRAMES = 16  # frames of real sound from which the phase of a continuation grows
CUT = "new_music_from_second"  # of a WAV, in the JSON beside it


@dataclasses.dataclass(frozen=True)
class Excerpt:
    """A span of a recording, in seconds. whole: the recording as such is the prompt, not this part of it.

    before: excerpts that precede it, in order, where recordings are too short to be a prompt alone.
    """

    path: Path
    start: float
    seconds: float
    whole: bool = False
    before: tuple[Excerpt, ...] = ()


@dataclasses.dataclass(frozen=True)
class Prompt:
    """Real sound up to the cut, and the frames before the cut.

    samples: float32 (samples, channels), ending at the cut.
    bands: (frames, channels, bands); the window of the next frame begins at the cut.
    cut: seconds into the recording.
    blended: the prompts that a blend is mixed from and the share of each; empty for a single prompt. A network reads
    each of them separately and mixes the resulting states; a memory plays steps of both.
    """

    source: Path
    samples: np.ndarray
    bands: np.ndarray
    cut: float
    whole: bool
    blended: tuple[tuple[Prompt, float], ...] = ()


def whole_recording(path: Path, seconds: float) -> Excerpt:
    """Returns the last `seconds` of a recording as an excerpt, or all of it when it is shorter."""
    length = seconds_of(path)
    return Excerpt(path, max(0.0, length - seconds), min(seconds, length), whole=True)


def read_sound(excerpt: Excerpt, channels: int, rate: int) -> Waveform:
    """Reads an excerpt and the excerpts before it, with `channels` channels. Raises RecordingError."""
    pieces = [read_excerpt(part.path, rate, part.start, part.seconds) for part in (*excerpt.before, excerpt)]
    return Waveform(np.concatenate([with_channels(piece.samples, channels) for piece in pieces]), rate)


def read_prompt(excerpt: Excerpt, channels: int, frames_per_step: int, options: FrameOptions) -> Prompt:
    """Reads an excerpt and cuts it where a frame can follow. Silence at its end is left out.

    Raises RecordingError when too little sound is left.
    """
    waveform = read_sound(excerpt, channels, options.rate)
    bands = waveform_to_frames(waveform, options).bands if len(waveform.samples) else np.zeros((0, channels, 1))
    # Windows that reach over an end of the excerpt contain silence that is not in the music.
    edge = edge_frames(options)
    first, last = edge, min(len(bands) - 1, (len(waveform.samples) - options.window // 2) // options.hop)
    end = sounding(bands[first : last + 1].max(axis=(1, 2), initial=-np.inf), options)[1]
    steps = end // frames_per_step
    if steps * frames_per_step < CONTEXT_FRAMES:
        raise RecordingError(
            f"{excerpt.path}: no {CONTEXT_FRAMES * options.hop / options.rate:.1f} s of sound in it to continue"
        )
    stop = first + end
    cut = stop * options.hop - options.window // 2
    earlier = sum(earlier.seconds for earlier in excerpt.before)
    return Prompt(
        excerpt.path,
        waveform.samples[:cut],
        bands[stop - steps * frames_per_step : stop],
        max(0.0, excerpt.start + cut / options.rate - earlier),
        excerpt.whole,
    )


def edge_frames(options: FrameOptions) -> int:
    """Returns how many frames at the beginning of an excerpt have windows that reach over its edge."""
    return options.window // 2 // options.hop


def blend_prompts(first: Prompt, second: Prompt, share: float) -> Prompt:
    """Mixes two prompts with their cuts aligned. share: of the second, as on the cross-fader of a mixer.

    Powers add up to 1, so two different pieces together are as loud as one. Similar pieces would be louder, up to 3 dB
    for a recording and itself; their mixture is brought down. Shares of 0 and 1 give the first and the second prompt
    exactly.
    """
    blended = ((first, 1 - share), (second, share))
    if share in (0, 1):
        return dataclasses.replace(second if share else first, blended=blended)
    samples = np.zeros((max(len(prompt.samples) for prompt, _ in blended), first.samples.shape[1]), np.float32)
    power = np.full((max(len(prompt.bands) for prompt, _ in blended), *first.bands.shape[1:]), -np.inf, np.float32)
    for prompt, part in blended:
        samples[-len(prompt.samples) :] += np.float32(np.sqrt(part)) * prompt.samples
        sounding_bands = power[-len(prompt.bands) :]
        # Powers add up in the bands as they do in the samples.
        np.logaddexp(sounding_bands, 2 * prompt.bands + np.float32(np.log(part)), out=sounding_bands)
    both = samples[-min(len(prompt.samples) for prompt, _ in blended) :]
    parts = [np.float32(np.sqrt(part)) * prompt.samples[-len(both) :] for prompt, part in blended]
    both *= _gain_of_mixture(both, *map(_power, parts))
    return Prompt(first.source, samples, power / 2, first.cut, False, blended)


def pair_prompts(first: Prompt, second: Prompt, share: float) -> Prompt:
    """Returns the prompt whose end is continued, with both prompts and their shares in `blended`.

    share: of the second prompt; its end is continued only at a share of 1.
    """
    return dataclasses.replace(second if share == 1 else first, blended=((first, 1 - share), (second, share)))


def _gain_of_mixture(mixture: np.ndarray, first: float, second: float) -> np.float32:
    """Returns the gain that brings a mixture down to the summed power of its parts.

    It is 1 unless the parts are alike beyond chance.
    """
    power = _power(mixture)
    correlation = (power - first - second) / (2 * np.sqrt(first * second) or 1.0)
    return np.float32(np.sqrt((first + second) / power) if correlation > ALIKE_BY_CHANCE else 1)


def _power(samples: np.ndarray) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64)))


def phase_context(prompt: Prompt, options: FrameOptions) -> tuple[np.ndarray, np.ndarray]:
    """Returns what a PhaseStream begins from: (channels: mid, side; samples) before the cut, and their frames."""
    samples = prompt.samples[-CONTEXT_FRAMES * options.hop :]
    return np.ascontiguousarray(to_mid_side(samples)), prompt.bands[-CONTEXT_FRAMES:]


def cut_of(prompt: Prompt, options: GenerateOptions, frame: FrameOptions) -> float:
    """Returns the seconds of real sound with which a file begins."""
    if options.include_prompt and prompt.whole:
        return prompt.cut
    length = len(prompt.samples) / frame.rate
    return length if options.include_prompt else min(options.lead_seconds, length)


def with_channels(samples: np.ndarray, channels: int) -> np.ndarray:
    """(samples, 1 or 2) -> (samples, channels). Mono is doubled; stereo is averaged."""
    if samples.shape[1] == channels:
        return samples
    return np.repeat(samples, 2, axis=1) if channels == 2 else samples.mean(axis=1, keepdims=True)
