"""Fills a gap with a network: candidates continue the left side, and the one that meets the right side best is used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from music_composer.audio import gap as gaps
from music_composer.audio.gap import Filling, Gap
from music_composer.audio.options import FrameOptions
from music_composer.audio.phase import samples_of
from music_composer.audio.play_options import GenerateOptions, InfillOptions
from music_composer.audio.prompts import CONTEXT_FRAMES, Prompt, with_channels
from music_composer.audio.reading.recording import read_blocks
from music_composer.audio.spectrogram import bands_to_magnitudes, spectrum, time_stretched, to_left_right, to_mid_side
from music_composer.audio.wav import write_wav
from music_composer.errors import RecordingError

Candidates = Callable[[Prompt, int, int, int], np.ndarray]  # (prompt, count, seed, frames of each) -> frames


def fill_gap(
    played: Candidates,
    frames_per_step: int,
    gap: Gap,
    channels: int,
    frame: FrameOptions,
    options: GenerateOptions,
    infill: InfillOptions,
    seed: int,
) -> Filling:
    """Generates candidates side by side and fits the best one into the gap.

    played: returns frames (candidates, frames, channels, bands), as many as requested or more. channels and
    frames_per_step are those of the network. Candidate i equals sample i with the music left of the gap as its prompt.
    """
    prompt = gaps.prompt_before(gap, channels, frames_per_step, frame)
    right = gaps.bands_of(with_channels(gap.right, channels), frame)[: frame.frames_in(infill.match_seconds)]
    places = gaps.places_to_join(gap, frame, infill)
    candidates = played(prompt, infill.candidates, seed, places[-1] + len(right))
    join = gaps.best_join(candidates, right, places)
    speed = join.frame / gaps.frames_to_end(gap, frame)
    turn = np.random.default_rng([seed, join.candidate, 1])
    sound, origin = _sound(gap, candidates[join.candidate], speed, frame, options.phase_iterations, turn)
    crossfade = round(options.crossfade_seconds * frame.rate)
    first = gap.start - crossfade
    # The recording may be mono where the network is stereo, or the other way round.
    samples = with_channels(sound[first - origin : gap.stop + crossfade - origin], gap.left.shape[1])
    ramp = np.linspace(0, 1, crossfade, dtype=np.float32)[:, None]
    samples[:crossfade] = (1 - ramp) * gap.left[-crossfade:] + ramp * samples[:crossfade]
    samples[-crossfade:] = (1 - ramp) * samples[-crossfade:] + ramp * gap.right[:crossfade]
    return Filling(samples, first, join, speed)


def write_filled(path: Path, gap: Gap, filling: Filling, frame: FrameOptions, subtype: str) -> int:
    """Writes the whole recording with the filling in it. Returns the number of clipped samples.

    All other samples are copied from the file, block by block. A recording that was amplified for reading gets its own
    level again.
    """
    place, down = 0, np.float32(gap.gain)
    last = filling.first + len(filling.samples)
    with write_wav(path, frame.rate, gap.left.shape[1], subtype, gap.total) as writer:
        for block in read_blocks(gap.path, frame.rate)[1]:
            begin, end = (min(max(at - place, 0), len(block)) for at in (filling.first, last))
            writer.copy(block[:begin] / down)
            writer.write(filling.samples[place + begin - filling.first :][: end - begin] / down)
            writer.copy(block[end:] / down)
            place += len(block)
        if place != gap.total:
            raise RecordingError(f"{gap.path}: changed while its gap was filled: run this again when it is at rest")
        return writer.clipped


def _sound(
    gap: Gap, candidate: np.ndarray, speed: float, frame: FrameOptions, iterations: int, rng: np.random.Generator
) -> tuple[np.ndarray, int]:
    """Returns the sound of a candidate from before the gap to after it, in phase with the music on both sides.

    candidate: bands (frames, channels, bands). Returns (samples, channels), and the sample of the recording at which
    they begin.
    """
    channels, new = candidate.shape[1], int(np.ceil(gaps.frames_to_end(gap, frame)))
    begin = gaps.first_new_sample(gap, frame)
    origin = begin - CONTEXT_FRAMES * frame.hop
    left = np.ascontiguousarray(to_mid_side(with_channels(gap.left[origin - gap.start :], channels)))
    right = np.ascontiguousarray(to_mid_side(with_channels(gap.right, channels)))
    whole = begin + new * frame.hop - gap.stop  # where the first frame without any of the gap begins in the right side
    middle = bands_to_magnitudes(time_stretched(candidate, new, speed).transpose(1, 0, 2), frame)
    sides = np.abs(spectrum(left, frame)), np.abs(spectrum(right[:, whole:], frame))
    magnitudes = np.concatenate([sides[0], middle, sides[1]], axis=1)
    end = origin + (magnitudes.shape[1] - 1) * frame.hop + frame.window
    samples = samples_of(magnitudes, frame, iterations, rng, left, right[:, : end - gap.stop])
    return to_left_right(samples), origin
