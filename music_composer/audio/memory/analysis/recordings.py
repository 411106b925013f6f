"""The interface of a recording that is played from, and the prompt as such a recording."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np

from music_composer.audio.memory.analysis.steps import StepOptions, Steps, steps_of
from music_composer.audio.options import FrameOptions
from music_composer.audio.spectrogram import waveform_to_frames
from music_composer.errors import OptionError
from music_composer.values import Waveform


class Recording(Protocol):
    """A recording of a memory, such as `store.StoredPart`."""

    @property
    def steps(self) -> Steps: ...

    def sound(self, first: int, last: int) -> np.ndarray:
        """Returns samples first..last, float32 (samples, channels), silent outside the recording."""


@dataclasses.dataclass(frozen=True)
class PromptRecording:
    """The prompt as a recording."""

    steps: Steps
    samples: np.ndarray

    def sound(self, first: int, last: int) -> np.ndarray:
        """See `Recording`."""
        sound = np.zeros((last - first, self.samples.shape[1]), np.float32)
        start, stop = max(first, 0), min(last, len(self.samples))
        if start < stop:
            sound[start - first : stop - first] = self.samples[start:stop]
        return sound


def analyze_prompt(prompt: Waveform, frame: FrameOptions, options: StepOptions) -> PromptRecording:
    """Returns the prompt as a recording. Its last step ends at the cut; less than a step is dropped at its beginning.

    The prompt is mirrored at its ends, so that the outer steps contain no silence. Raises OptionError for a prompt at
    another rate, or of less than three steps.
    """
    step = frame.hop * options.frames
    count = len(prompt.samples) // step
    if prompt.rate != frame.rate or count < 3:
        raise OptionError(
            f"the prompt has {len(prompt.samples)} samples at {prompt.rate} Hz: it needs {3 * step} at {frame.rate} Hz"
        )
    samples = np.ascontiguousarray(prompt.samples[len(prompt.samples) - count * step :], np.float32)
    # Whole steps, so that the mirrored part is dropped again exactly.
    edge = step * -(-frame.window // (2 * step))
    mono = np.pad(samples.mean(axis=1, keepdims=True), ((edge, edge), (0, 0)), "reflect")
    bands = waveform_to_frames(Waveform(mono, prompt.rate), frame).bands.astype(np.float16)  # as the cache has them
    skipped = edge // frame.hop
    return PromptRecording(steps_of(bands[skipped : skipped + count * options.frames], options), samples)
