"""Recordings in other keys: played faster and higher, or slower and lower, like a tape."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from music_composer.audio.memory.analysis.recordings import Recording
from music_composer.audio.memory.analysis.steps import StepOptions, Steps, steps_of
from music_composer.audio.options import FrameOptions
from music_composer.audio.spectrogram import blocks_to_bands
from music_composer.errors import OptionError

RATIOS = {
    -2: (55, 49),
    -1: (89, 84),
    1: (84, 89),
    2: (49, 55),
}  # samples of a copy to those it is made of: 0.1 cents off
WINDOW = ("kaiser", 9.0)  # of the low-pass filter, whose side lobes lie below -90 dB
BLOCK_SECONDS = 10.0


@dataclasses.dataclass(frozen=True)
class KeyOptions:
    """The keys in which recordings are stored."""

    # Three semitones cost adherence on strings and gained nothing.
    farthest: int = 2  # semitones up and down
    seconds: float = 4800.0  # of music in all keys together, at most

    def __post_init__(self) -> None:
        if not 0 <= self.farthest <= max(RATIOS) or self.seconds < 0.0:
            raise OptionError(f"{self}: farthest must be 0 to {max(RATIOS)}, and seconds not below 0.")


@dataclasses.dataclass(frozen=True)
class Transposed:
    """A recording in another key. Its sound is resampled while it plays.

    steps: of the transposed sound.
    """

    recording: Recording
    semitones: int
    steps: Steps

    def sound(self, first: int, last: int) -> np.ndarray:
        """See `Recording`."""
        return transposed_sound(self.recording.sound, first, last, self.semitones)

    @property
    def speed(self) -> float:
        """Samples of the original for each sample of the copy."""
        up, down = RATIOS[self.semitones]
        return down / up


def semitones_for(seconds: float, options: KeyOptions) -> tuple[int, ...]:
    """Returns the transpositions for an amount of music, in semitones, rising.

    Little music finds companions for a prompt in other keys; much music has them in its own.
    """
    far = max((far for far in range(options.farthest + 1) if (2 * far + 1) * seconds <= options.seconds), default=0)
    return tuple(semitones for semitones in range(-far, far + 1) if semitones)


def transposed_length(samples: int, semitones: int) -> int:
    """Returns the length of the copy of a recording, in samples."""
    up, down = RATIOS[semitones]
    return samples * up // down


def transposed(samples: np.ndarray, semitones: int) -> np.ndarray:
    """Resamples a whole recording, (samples, ...), to another key."""
    found = _resampled(samples, *RATIOS[semitones])
    return np.asarray(found[: transposed_length(len(samples), semitones)], np.float32)


def transposed_sound(sound: Callable[[int, int], np.ndarray], first: int, last: int, semitones: int) -> np.ndarray:
    """Returns samples first..last of a recording in another key, float32 (samples, channels).

    sound: the `Recording.sound` of the original.
    """
    up, down = RATIOS[semitones]
    begin, end = first // up - 1, -(-last // up) + 1  # one block of context on either side covers the filter
    found = _resampled(sound(begin * down, end * down), up, down)
    return np.asarray(found[first - begin * up : last - begin * up], np.float32)


def transposed_steps(
    sound: Callable[[int, int], np.ndarray], samples: int, semitones: int, frame: FrameOptions, options: StepOptions
) -> Steps:
    """Returns the steps of a recording in another key. sound: the `Recording.sound` of the original."""
    count, size = transposed_length(samples, semitones), round(BLOCK_SECONDS * frame.rate)
    blocks = (transposed_sound(sound, at, min(at + size, count), semitones) for at in range(0, count, size))
    bands = np.concatenate([block[:, :1].astype(np.float16) for block in blocks_to_bands(blocks, frame)])
    return steps_of(bands[: count // (frame.hop * options.frames) * options.frames], options)


def _resampled(samples: np.ndarray, up: int, down: int) -> np.ndarray:
    import scipy.signal  # takes a second, and most commands play no other keys

    found: np.ndarray = scipy.signal.resample_poly(samples, up, down, axis=0, window=WINDOW)
    return found
