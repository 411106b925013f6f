"""A recording that is played from, and the prompt made one."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np

from music_composer.audio.memory.analysis.steps import StepOptions, Steps, steps_of
from music_composer.audio.spectrogram import waveform_to_frames
from music_composer.errors import OptionError
from music_composer.options import FrameOptions
from music_composer.values import Waveform


class Recording(Protocol):
    """What is remembered of a recording: `store.Remembered` is one."""

    @property
    def steps(self) -> Steps: ...

    def sound(self, first: int, last: int) -> np.ndarray:
        """Samples first..last, float32 (samples, channels), silent outside the recording."""


@dataclasses.dataclass(frozen=True)
class Heard:
    """The prompt as a recording."""

    steps: Steps
    samples: np.ndarray

    def sound(self, first: int, last: int) -> np.ndarray:
        """As `Recording` has it."""
        sound = np.zeros((last - first, self.samples.shape[1]), np.float32)
        start, stop = max(first, 0), min(last, len(self.samples))
        if start < stop:
            sound[start - first : stop - first] = self.samples[start:stop]
        return sound


def hear(prompt: Waveform, frame: FrameOptions, options: StepOptions) -> Heard:
    """The prompt's steps, the last of which ends at the cut; less than a step is left out at its beginning.

    Beyond its ends the prompt is mirrored, so that the last steps hear no silence that is not there. Raises OptionError
    for a prompt at another rate, or of less than three steps.
    """
    step = frame.hop * options.frames
    count = len(prompt.samples) // step
    if prompt.rate != frame.rate or count < 3:
        raise OptionError(
            f"the prompt has {len(prompt.samples)} samples at {prompt.rate} Hz: it needs {3 * step} at {frame.rate} Hz"
        )
    samples = np.ascontiguousarray(prompt.samples[len(prompt.samples) - count * step :], np.float32)
    edge = step * -(-frame.window // (2 * step))
    mono = np.pad(samples.mean(axis=1, keepdims=True), ((edge, edge), (0, 0)), "reflect")
    bands = waveform_to_frames(Waveform(mono, prompt.rate), frame).bands.astype(np.float16)  # as the cache has them
    skipped = edge // frame.hop
    return Heard(steps_of(bands[skipped : skipped + count * options.frames], options), samples)
