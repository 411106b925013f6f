"""What the codec costs by how its latents are decoded: components alone, windows of latents, and a residual of noise.

    python benchmarks/audio/windowed_decoder.py FOLDER... --work WORK

FOLDER holds train/ and test/ with WAV files, or is an album, divided as `albums.py` does it; a FOLDER that is called
`demo` and is not there is the demonstration's music. Everything is fitted to the first `--minutes` of the training
music; `--seconds` of the held-out music go through frames, latents, frames and the search for phase. Prints markdown:
the distance of `evaluation/audio/similarity/frechet_distance.py`, frame-to-frame change and level beside real music,
and what is left unexplained of the variance of held-out frames.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile
from memory.cuts import RATE, divide

from music_composer.audio.linear_decoder import WindowDecoder, extended, fit_decoder, windows_of
from music_composer.audio.options import FrameOptions, ModelOptions
from music_composer.audio.pca import Encoding, encode, fit_encoding
from music_composer.audio.phase import frames_to_waveform
from music_composer.audio.play_options import GenerateOptions
from music_composer.audio.spectrogram import to_frames, to_steps, waveform_to_frames
from music_composer.demo.composer import compose
from music_composer.demo.synth import render
from music_composer.evaluation.audio.similarity.frechet_distance import (
    DistanceOptions,
    Reference,
    frame_change,
    frechet,
    loudness_db,
    reference_of,
    window_features,
)
from music_composer.values import Frames, Waveform

FRAME, MODEL, DISTANCE = FrameOptions(), ModelOptions(), DistanceOptions()
ROWS = [(0, 0.0), (0, 0.7), (1, 0.7), (2, 0.0), (2, 0.7), (3, 0.7)]  # reach, share of the deviation that is noise
MORE = [(0, 0.5), (1, 0.0), (1, 0.5), (2, 0.5), (2, 1.0), (3, 0.0), (3, 0.5)]
SKIPPED = 5.0  # seconds at the beginning of each held-out recording: music fades in
DEMO_PIECES = (8, 6)  # for training, held out


@dataclasses.dataclass(frozen=True)
class Ruler:
    """Held-out music, and what its figures are held against."""

    reference: Reference
    real: tuple[float, float, float]

    def row(self, name: str, sounds: Sequence[np.ndarray], unexplained: float | None = None) -> str:
        distance, change, level = figures(self.reference, sounds)
        cells = [
            name,
            f"{distance:.2f}",
            f"{distance / self.real[0]:.2f}x",
            f"{change / self.real[1]:.3f}x",
            f"{level - self.real[2]:+.2f} dB",
            "" if unexplained is None else f"{100 * unexplained:.2f} %",
        ]
        return f"| {' | '.join(cells)} |"


def figures(reference: Reference, sounds: Sequence[np.ndarray]) -> tuple[float, float, float]:
    """Distance, frame-to-frame change and level of several recordings."""
    distance = frechet(reference, np.concatenate([window_features(sound, DISTANCE) for sound in sounds]))
    change, level = (np.mean([measure(sound) for sound in sounds]) for measure in (_change, loudness_db))
    return distance, float(change), float(level)


def _change(sound: np.ndarray) -> float:
    return frame_change(sound, DISTANCE)


def music_of(folder: Path, work: Path, minutes: float, seconds: float) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Training and held-out music, (samples, 2) each."""
    if (folder / "train").is_dir():
        training, held = (
            [_sound_of(path) for path in sorted((folder / part).glob("*.wav"))] for part in ("train", "test")
        )
    elif folder.name == "demo" and not folder.exists():
        training, held = (
            [render(compose(np.random.default_rng([seed, i])), RATE).astype(np.float32) for i in range(count)]
            for seed, count in enumerate(DEMO_PIECES, 1)
        )
    else:
        album = divide(folder, work)
        training, held = [each.load() for each in album.training], [cut.track.load() for cut in album.cuts]
    ends = np.cumsum([len(sound) for sound in training])
    part, skipped = round(seconds / len(held) * RATE), round(SKIPPED * RATE)
    kept = [sound for sound, end in zip(training, ends, strict=True) if end - len(sound) < minutes * 60 * RATE]
    return kept, [sound[skipped:][:part] for sound in held]


def _sound_of(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == RATE, f"{path} has {rate} Hz"
    return samples[:, :2] if samples.shape[1] > 1 else np.repeat(samples, 2, axis=1)


def codec_rows(
    training: Sequence[np.ndarray],
    held: Sequence[np.ndarray],
    rows: Sequence[tuple[int, float]],
    say: Callable[[str], None],
) -> None:
    reference = reference_of(np.concatenate([window_features(sound, DISTANCE) for sound in training]), DISTANCE)
    ruler = Ruler(reference, figures(reference, held))
    songs = [_bands_of(sound).astype(np.float16) for sound in training]
    frames = [_bands_of(sound) for sound in held]
    say("| decoder | distance | over real | change | level | unexplained |\n|---|---|---|---|---|---|")
    say(ruler.row("real", held))
    say(ruler.row("frames as they are", [_heard(each) for each in frames]))
    encoding = fit_encoding(songs, MODEL.frames_per_step, MODEL.components)
    steps = [to_steps(each, MODEL.frames_per_step) for each in frames]
    variance = np.concatenate(steps).var(axis=0).sum()
    decoders = {reach: fit_decoder(songs, MODEL.frames_per_step, encoding, reach) for reach, _ in rows}
    for reach, share in rows:
        decoder = decoders[reach]
        decoded = [_decoded(each, encoding, decoder, reach) for each in steps]
        lost = np.concatenate([one - other for one, other in zip(steps, decoded, strict=True)])
        rng = np.random.default_rng(1)
        noise = np.float32(share) * decoder.deviations
        name = f"+-{reach} steps" if reach else "components"
        name += f", noise of {share:g} deviations" if share else ""
        unexplained = float(np.square(lost).mean(axis=0).sum() / variance)
        drawn = [noise * rng.standard_normal(each.shape, np.float32) for each in decoded]
        shifts = {"": np.zeros_like(noise), ", power kept": np.square(noise)}
        for words, shift in shifts.items() if reach == 2 and share else [*shifts.items()][:1]:
            noisy = [one + other - shift for one, other in zip(decoded, drawn, strict=True)]
            sounds = [_heard(to_frames(each, MODEL.frames_per_step, 2)) for each in noisy]
            say(ruler.row(name + words, sounds, unexplained))


def _bands_of(sound: np.ndarray) -> np.ndarray:
    return waveform_to_frames(Waveform(np.ascontiguousarray(sound, np.float32), RATE), FRAME).bands


def _heard(bands: np.ndarray) -> np.ndarray:
    """(frames, channels, bands) to samples (n, 2)."""
    iterations = GenerateOptions().phase_iterations
    return frames_to_waveform(Frames(bands), FRAME, iterations, np.random.default_rng(0)).samples


def _decoded(steps: np.ndarray, encoding: Encoding, decoder: WindowDecoder, reach: int) -> np.ndarray:
    return windows_of(extended(encode(steps, encoding), reach), reach) @ decoder.kernel + decoder.bias


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=20.0, help="of the training music that it is fitted to")
    parser.add_argument("--seconds", type=float, default=180.0, help="of all held-out music together")
    parser.add_argument("--more", action="store_true", help="more rows")
    options = parser.parse_args()
    for folder in options.folders:
        training, held = music_of(folder, options.work, options.minutes, options.seconds)
        minutes = sum(map(len, training)) / RATE / 60
        print(f"\n**{folder.name}**: {minutes:.0f} min to fit to, {len(held)} held-out recordings\n", flush=True)
        codec_rows(training, held, ROWS + MORE * options.more, lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
