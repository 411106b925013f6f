"""What the model hears before it plays: an excerpt of real sound, and its frames. No Keras."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from music_composer.audio.reading.recording import read_excerpt, seconds_of
from music_composer.audio.spectrogram import sounding, to_mid_side, waveform_to_frames
from music_composer.errors import RecordingError
from music_composer.options import FrameOptions, GenerateOptions
from music_composer.values import Waveform

ALIKE_BY_CHANCE = 0.1  # correlation of two pieces; at equal shares their mixture is 0.4 dB louder by it
CONTEXT_FRAMES = 16  # frames of real sound that the phase of the continuation grows from


@dataclasses.dataclass(frozen=True)
class Excerpt:
    """A place in a recording, in seconds. whole: the recording as such is the prompt, not this piece of it.

    before: what is heard before it, one after the other, where recordings are too short to go on from one alone.
    """

    path: Path
    start: float
    seconds: float
    whole: bool = False
    before: tuple[Excerpt, ...] = ()


@dataclasses.dataclass(frozen=True)
class Prompt:
    """Real sound up to the cut, and the frames that lie before it.

    samples: float32 (samples, channels), ends at the cut.
    bands: (frames, channels, bands); the next frame's window begins at the cut.
    cut: seconds into the recording.
    voices: of a blend, the prompts that it is mixed from and the share of each; else empty. A network hears each voice
        on its own, and what it remembers of them is mixed; a memory plays steps of both.
    """

    source: Path
    samples: np.ndarray
    bands: np.ndarray
    cut: float
    whole: bool
    voices: tuple[tuple[Prompt, float], ...] = ()


def whole_recording(path: Path, seconds: float) -> Excerpt:
    """The last `seconds` of a recording, or all of it when it is shorter."""
    length = seconds_of(path)
    return Excerpt(path, max(0.0, length - seconds), min(seconds, length), whole=True)


def read_sound(excerpt: Excerpt, channels: int, rate: int) -> Waveform:
    """The sound of an excerpt and of what is heard before it, with so many channels. Raises RecordingError."""
    pieces = [read_excerpt(each.path, rate, each.start, each.seconds) for each in (*excerpt.before, excerpt)]
    return Waveform(np.concatenate([with_channels(piece.samples, channels) for piece in pieces]), rate)


def read_prompt(excerpt: Excerpt, channels: int, stack: int, options: FrameOptions) -> Prompt:
    """Reads an excerpt and cuts it where a frame can follow; silence at its end is left out.

    Raises RecordingError when too little sound is left to go on from.
    """
    waveform = read_sound(excerpt, channels, options.rate)
    bands = waveform_to_frames(waveform, options).bands if len(waveform.samples) else np.zeros((0, channels, 1))
    # Frames whose windows reach over an end of the excerpt have seen silence that is not in the music.
    edge = edge_frames(options)
    first, last = edge, min(len(bands) - 1, (len(waveform.samples) - options.window // 2) // options.hop)
    end = sounding(bands[first : last + 1].max(axis=(1, 2), initial=-np.inf), options)[1]
    steps = end // stack
    if steps * stack < CONTEXT_FRAMES:
        raise RecordingError(
            f"{excerpt.path}: no {CONTEXT_FRAMES * options.hop / options.rate:.1f} s of sound in it to go on from"
        )
    stop = first + end
    cut = stop * options.hop - options.window // 2
    earlier = sum(each.seconds for each in excerpt.before)
    return Prompt(
        excerpt.path,
        waveform.samples[:cut],
        bands[stop - steps * stack : stop],
        max(0.0, excerpt.start + cut / options.rate - earlier),
        excerpt.whole,
    )


def edge_frames(options: FrameOptions) -> int:
    """Frames at the beginning of an excerpt whose windows reach over its edge."""
    return options.window // 2 // options.hop


def blend_prompts(first: Prompt, second: Prompt, share: float) -> Prompt:
    """A mixture of two prompts, their cuts together: as on a mixer whose cross-fader stands at `share` of the second.

    Powers add up to 1, so that two different pieces together are as loud as one. Where they have much in common they
    would be louder, up to 3 dB for a recording and itself: then the mixture is brought down. At 0 it is the first
    prompt, at 1 the second, exactly.
    """
    voices = ((first, 1 - share), (second, share))
    if share in (0, 1):
        return dataclasses.replace(second if share else first, voices=voices)
    samples = np.zeros((max(len(prompt.samples) for prompt, _ in voices), first.samples.shape[1]), np.float32)
    power = np.full((max(len(prompt.bands) for prompt, _ in voices), *first.bands.shape[1:]), -np.inf, np.float32)
    for prompt, part in voices:
        samples[-len(prompt.samples) :] += np.float32(np.sqrt(part)) * prompt.samples
        sounding_bands = power[-len(prompt.bands) :]
        np.logaddexp(sounding_bands, 2 * prompt.bands + np.float32(np.log(part)), out=sounding_bands)
    both = samples[-min(len(prompt.samples) for prompt, _ in voices) :]
    parts = [np.float32(np.sqrt(part)) * prompt.samples[-len(both) :] for prompt, part in voices]
    both *= _gain_of_mixture(both, *map(_power, parts))
    return Prompt(first.source, samples, power / 2, first.cut, False, voices)


def beside(first: Prompt, second: Prompt, share: float) -> Prompt:
    """The first prompt, or the second at a share of 1, for what goes on from the end of one of them, and from both."""
    return dataclasses.replace(second if share == 1 else first, voices=((first, 1 - share), (second, share)))


def _gain_of_mixture(mixture: np.ndarray, first: float, second: float) -> np.float32:
    """Brings a mixture of parts of these powers down to both together, where they are more alike than by chance."""
    power = _power(mixture)
    correlation = (power - first - second) / (2 * np.sqrt(first * second) or 1.0)
    return np.float32(np.sqrt((first + second) / power) if correlation > ALIKE_BY_CHANCE else 1)


def _power(samples: np.ndarray) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64)))


def known_sound(prompt: Prompt, options: FrameOptions) -> tuple[np.ndarray, np.ndarray]:
    """What a PhaseStream begins from: (channels: mid, side; samples) before the cut, and their frames."""
    samples = prompt.samples[-CONTEXT_FRAMES * options.hop :]
    return np.ascontiguousarray(to_mid_side(samples)), prompt.bands[-CONTEXT_FRAMES:]


def cut_of(prompt: Prompt, options: GenerateOptions, frame: FrameOptions) -> float:
    """Seconds of real sound that a file begins with."""
    if options.include_prompt and prompt.whole:
        return prompt.cut
    heard = len(prompt.samples) / frame.rate
    return heard if options.include_prompt else min(options.lead_seconds, heard)


def with_channels(samples: np.ndarray, channels: int) -> np.ndarray:
    """(samples, 1 or 2) -> (samples, channels): doubled, or mixed down."""
    if samples.shape[1] == channels:
        return samples
    return np.repeat(samples, 2, axis=1) if channels == 2 else samples.mean(axis=1, keepdims=True)
