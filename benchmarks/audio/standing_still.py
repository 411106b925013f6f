"""How often a model's continuations turn to another chord, and how long they stand still, beside held-out music.

    python benchmarks/audio/standing_still.py CHORALES MODEL [FIELD=VALUE ...] [--seconds 60] [--each 4]

CHORALES/test holds recordings, MODEL is a run folder; a field is one of GenerateOptions (temperature, context_noise,
flow_steps). Counted in the frames that the model plays, before any phase is sought, so that a trial takes a minute:
peaks of the novelty of the mid channel (see music_composer/evaluation/audio/structure/harmonic_changes.py), for each
third of the time.
"""

import argparse
import itertools
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from continuation_trial import chosen, fields_of

from music_composer.audio.continuation import run_folder
from music_composer.audio.continuation.networks import trained_network
from music_composer.audio.dataset import cache
from music_composer.audio.play_options import GenerateOptions
from music_composer.audio.prompts import Prompt
from music_composer.evaluation.audio.structure.harmonic_changes import (
    HarmonicChangeOptions,
    harmonic_changes,
    threshold_of,
)
from music_composer.training import devices

TURNS = HarmonicChangeOptions(frames=12)  # 0.14 s
LONG_SECONDS = 4.0  # without a turn: the chorales hold no chord for longer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chorales", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("fields", nargs="*", metavar="FIELD=VALUE")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--each", type=int, default=4, help="prompts from each recording")
    options = parser.parse_args()

    run = run_folder.read_run(options.model)
    with tempfile.TemporaryDirectory() as folder:
        ready, _ = cache.prepare(options.chorales / "test", Path(folder), run.frame, print, lambda done, total: None)
        songs = [np.array(cache.load_frames(ready, song), np.float32) for song in ready.songs]
    devices.load_keras()
    playing = GenerateOptions(**chosen(GenerateOptions, fields_of(options.fields, GenerateOptions)))
    frames = run.frame.frames_in(playing.prompt_seconds) // run.model.frames_per_step * run.model.frames_per_step
    prompts = [song[at : at + frames] for song in songs for at in _starts(len(song) - frames, options.each)]
    played = _play(run, prompts, playing, run.frame.frames_in(options.seconds))

    rate = run.frame.frames_per_second
    real = [_levels(song) for song in songs]
    threshold = threshold_of(real, TURNS)
    print("| music | turns a second | share of the time without one for 4 s |\n|---|---|---|")
    _print("real, held out", real, threshold, rate)
    third = played.shape[1] // 3
    for i in range(3):
        name = f"{i * third / rate:.0f} to {(i + 1) * third / rate:.0f} s"
        _print(name, [_levels(song[i * third : (i + 1) * third]) for song in played], threshold, rate)


def _starts(spare: int, count: int) -> list[int]:
    return [spare * i // count for i in range(count)]


def _play(run: run_folder.Run, prompts: Sequence[np.ndarray], options: GenerateOptions, frames: int) -> np.ndarray:
    """New frames (prompts, frames, channels, bands)."""
    from music_composer.audio.continuation.generate import continue_prompts

    model = trained_network(run, options)
    rngs = [np.random.default_rng([1, i]) for i in range(len(prompts))]
    steps = 256
    chunks = continue_prompts(model, [_prompt(bands) for bands in prompts], rngs, options, steps)
    needed = -(-(frames + run.model.reach * run.model.frames_per_step) // (steps * run.model.frames_per_step))
    return np.concatenate(list(itertools.islice(chunks, needed)), axis=1)[:, :frames]


def _prompt(bands: np.ndarray) -> Prompt:
    """What a model listens to; no sound is needed where none is written."""
    return Prompt(Path(), np.zeros((0, bands.shape[1]), np.float32), bands, cut=0.0, whole=True)


def _levels(frames: np.ndarray) -> np.ndarray:
    """Log magnitudes (frames, channels, bands) -> dB of the mid channel (frames, bands)."""
    return frames[:, 0] * (20 / np.log(10))


def _print(name: str, music: Sequence[np.ndarray], threshold: float, rate: float) -> None:
    seconds = sum(map(len, music)) / rate
    found = [harmonic_changes(levels, threshold, TURNS) for levels in music]
    gaps = np.concatenate([np.diff([0, *at, len(levels)]) for at, levels in zip(found, music, strict=True)]) / rate
    still = gaps[gaps > LONG_SECONDS].sum() / seconds
    print(f"| {name} | {sum(map(len, found)) / seconds:.2f} | {100 * still:.0f} % |")


if __name__ == "__main__":
    main()
