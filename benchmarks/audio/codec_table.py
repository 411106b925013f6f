"""What music loses on its way through frames, components and the search for phase, one candidate a row.

    python benchmarks/audio/codec_table.py CHORALES WORK [--only WORD ...] [--learn-minutes 6]

CHORALES/train is what components and learned decoders are fitted to, and what distances are taken from; CHORALES/test,
never seen by either, goes through each candidate. Prints markdown: the scorecard's distances, onset strength and
side-to-mid ratio, and the log-spectral error. The decoded recordings stay in WORK.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import numpy as np
import soundfile
from learned_decoder import trained_magnitudes, trained_waveforms
from phase_gradient import integrated_phases

from music_composer.audio import phase
from music_composer.audio import spectrogram as bands
from music_composer.audio.codec import log_spectral_error
from music_composer.audio.options import FrameOptions, ModelOptions
from music_composer.audio.pca import Encoding, decode, encode, fit_encoding
from music_composer.audio.play_options import GenerateOptions
from music_composer.audio.spectrogram import to_frames, to_steps
from music_composer.evaluation.audio.analysis import (
    MetricOptions,
    ReferenceStatistics,
    Span,
    analyze,
    reference_statistics_of,
)
from music_composer.evaluation.audio.distances import distance_row
from music_composer.values import Waveform

ITERATIONS = GenerateOptions().phase_iterations
COLUMNS = ("candidate", "numbers a second", "discrepancy", "x real", "Frechet", "x real", "bands alone",
           "change", "onset", "side to mid", "log-spectral error", "x real time")  # fmt: skip


@dataclass(frozen=True)
class Candidate:
    """frame: bands. frames_per_step, components: of a step; no components leaves the frames as they are.

    start: a first guess of phase. learned: what turns latents into frames or into sound in place of the components.
    """

    name: str
    frame: FrameOptions = FrameOptions()
    frames_per_step: int = ModelOptions().frames_per_step
    components: int = ModelOptions().components
    iterations: int = ITERATIONS
    start: str = "peaks"
    learned: str = ""


FULL = replace(FrameOptions(), bands=FrameOptions().bins)
CANDIDATES = [
    Candidate("as it is: 192 bands, 192 components of 3 frames, 8 rounds from a pass over peaks"),
    *(Candidate(f"{n} components", components=n) for n in (64, 96, 128, 256, 384)),
    *(Candidate(f"{64 * n} components of {n} frames", frames_per_step=n, components=64 * n) for n in (1, 2, 4)),
    Candidate("256 bands", replace(FrameOptions(), bands=256)),
    Candidate("384 bands", replace(FrameOptions(), bands=384)),
    Candidate("full spectrum, 64 components of 1 frame", FULL, 1, 64),
    Candidate("full spectrum, 192 components of 1 frame", FULL, 1, 192),
    Candidate("192 bands, no components", components=0),
    Candidate("256 bands, no components", replace(FrameOptions(), bands=256), components=0),
    Candidate("full spectrum, no components", FULL, components=0),
    Candidate("phase: 8 rounds, bins around a peak half a turn apart", start="half turns"),
    Candidate("phase: peaks alone", iterations=0),
    Candidate("phase: 32 rounds from peaks", iterations=32),
    Candidate("phase: 8 rounds of fast Griffin-Lim from noise", start="noise"),
    Candidate("phase: 32 rounds of fast Griffin-Lim from noise", iterations=32, start="noise"),
    Candidate("phase: PGHI alone", iterations=0, start="gradient"),
    Candidate("phase: 8 rounds from PGHI", start="gradient"),
    Candidate("a learned decoder of frames, 8 rounds from peaks", learned="magnitudes"),
    Candidate("a learned decoder of waveforms (inverse STFT)", learned="waveforms"),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chorales", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--only", nargs="*", default=[], help="candidates whose names hold one of these")
    parser.add_argument("--learn-minutes", type=float, default=6.0, help="of training, of each learned decoder")
    options = parser.parse_args()
    metrics = MetricOptions()
    training, held_out = (sorted((options.chorales / part).glob("*.wav")) for part in ("train", "test"))
    statistics = reference_statistics_of([analyze(Span(path, trim=True), metrics) for path in training], metrics)
    music, real = _read(training), _read(held_out)
    print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|", flush=True)
    ruler = _row("real, held out", "", real, real, (0, 0), options.work, statistics, metrics, 0.0)
    for candidate in CANDIDATES:
        if options.only and not any(word in candidate.name for word in options.only):
            continue
        decoder = _decoder_of(candidate, music, options.learn_minutes)
        started = time.monotonic()
        decoded = [decoder(sound) for sound in real]
        speed = sum(len(sound.samples) / sound.rate for sound in real) / (time.monotonic() - started)
        step = candidate.frame.frames_per_second / candidate.frames_per_step
        size = candidate.components or candidate.frames_per_step * 2 * candidate.frame.bands
        _row(candidate.name, f"{size * step:.0f}", real, decoded, ruler, options.work, statistics, metrics, speed)


def _read(paths: Iterable[Path]) -> list[Waveform]:
    """Stereo recordings without their silent ends."""
    sounds = []
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        loud = np.flatnonzero(np.abs(samples).max(axis=1) > 1e-3)
        sounds.append(Waveform(samples[loud[0] : loud[-1] + 1], rate))
    return sounds


def _decoder_of(candidate: Candidate, music: list[Waveform], minutes: float) -> Callable[[Waveform], Waveform]:
    frame, frames_per_step = candidate.frame, candidate.frames_per_step

    def steps_of(sound: Waveform) -> np.ndarray:
        return to_steps(bands.waveform_to_frames(sound, frame).bands, frames_per_step)

    def sound_of(steps: np.ndarray) -> Waveform:
        return _with_phase(to_frames(steps.astype(np.float32), frames_per_step, 2), candidate)

    if not candidate.components:
        return lambda sound: sound_of(steps_of(sound))
    fitted = _encoding(frame, frames_per_step, candidate.components, music)
    if candidate.learned == "magnitudes":
        better = trained_magnitudes([steps_of(sound) for sound in music], fitted, minutes)
        return lambda sound: sound_of(better(encode(steps_of(sound), fitted)))
    if candidate.learned == "waveforms":
        pairs = [(encode(steps_of(sound), fitted), sound) for sound in music]
        play = trained_waveforms(pairs, fitted, frames_per_step, frame, minutes)
        return lambda sound: play(encode(steps_of(sound), fitted))
    return lambda sound: sound_of(decode(encode(steps_of(sound), fitted), fitted))


def _encoding(frame: FrameOptions, frames_per_step: int, components: int, music: list[Waveform]) -> Encoding:
    songs = [bands.waveform_to_frames(sound, frame).bands.astype(np.float16) for sound in music]
    return fit_encoding(songs, frames_per_step, components)


def _with_phase(made: np.ndarray, candidate: Candidate) -> Waveform:
    """(frames, channels, bands) -> sound, the phase found as the candidate says."""
    frame, rng = candidate.frame, np.random.default_rng(0)
    magnitudes = bands.bands_to_magnitudes(made.transpose(1, 0, 2), frame)
    if candidate.start == "noise":
        phases = rng.uniform(0, 2 * np.pi, magnitudes.shape).astype(np.float32)
    elif candidate.start == "gradient":
        phases = np.stack([integrated_phases(each, frame, rng) for each in magnitudes])
    else:
        slopes = half_turns if candidate.start == "half turns" else phase._slopes
        with mock.patch.object(phase, "_slopes", slopes):
            phases = phase.propagated_phases(magnitudes, frame, rng, None)
    samples = phase.refined_samples(magnitudes, phases, frame, candidate.iterations)
    half = frame.window // 2
    return Waveform(bands.to_left_right(samples[:, half : samples.shape[1] - half]), frame.rate)


def half_turns(magnitudes: np.ndarray, options: FrameOptions) -> np.ndarray:
    """As `phase._slopes` was: everything sounds evenly around the middle of its window."""
    return np.full(magnitudes.shape, np.pi, np.float32)


def _row(
    name: str,
    size: str,
    real: list[Waveform],
    decoded: list[Waveform],
    ruler: tuple[float, float],
    work: Path,
    statistics: ReferenceStatistics,
    metrics: MetricOptions,
    speed: float,
) -> tuple[float, float]:
    """Prints the row; returns discrepancy and Frechet distance."""
    folder = work / name.replace(" ", "-").replace(":", "").replace(",", "")
    folder.mkdir(parents=True, exist_ok=True)
    for i, sound in enumerate(decoded):
        soundfile.write(folder / f"{i}.wav", sound.samples, sound.rate, "FLOAT")
    heard = [analyze(Span(path), metrics) for path in sorted(folder.glob("*.wav"))]
    row = distance_row(name, heard, statistics, metrics)
    error = np.mean([log_spectral_error(a, b, FrameOptions()) for a, b in zip(real, decoded, strict=True)])
    first, second = ruler if ruler[0] else (row.discrepancy, row.frechet)
    cells = [
        name, size, f"{row.discrepancy:.2f}", f"{row.discrepancy / first:.2f}", f"{row.frechet:.2f}",
        f"{row.frechet / second:.2f}", f"{row.frechet_bands:.2f}", f"{row.change_db:.2f} dB",
        f"{row.onset_db:.2f} dB", f"{row.side_db:.1f} dB", f"{error:.1f} dB", f"{speed:.0f}" if speed else "",
    ]  # fmt: skip
    print(f"| {' | '.join(cells)} |", flush=True)
    return row.discrepancy, row.frechet


if __name__ == "__main__":
    main()
