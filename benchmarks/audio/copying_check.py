"""Whether planted copies are found, and how long the runs are that real music shares with other real music.

    python benchmarks/audio/copying_check.py CHORALES [--pieces 15]

CHORALES holds train/*.wav, test/*.wav and midi/*.mid, numbered through. Prints markdown: the longest run of held-out
and of training recordings against the (other) training recordings, a histogram of all such runs, and the share found of
copies of 5, 8 and 15 s that were damaged and set between held-out music. Transposed copies are the MIDI files, played
at another pitch by fluidsynth with the soundfont the WAVs were made with; without fluidsynth they are left out.
A copy counts as found when one run covers 80 % of it and is aligned within 0.3 s of where it came from, or of where
that recording plays the same again. Two minutes on one core.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.signal

from music_composer.audio.options import FrameOptions
from music_composer.audio.phase import frames_to_waveform
from music_composer.audio.reading.recording import mono_samples
from music_composer.audio.spectrogram import waveform_to_frames
from music_composer.evaluation.audio.signal.semitones import semitone_levels, semitones_of_file
from music_composer.evaluation.audio.similarity.copying import (
    NO_COPY,
    Copy,
    CopyOptions,
    Library,
    find_copies,
    library_of,
    library_of_files,
)
from music_composer.values import Waveform

RATE = 44100
LENGTHS = (5.0, 8.0, 15.0)  # s
HOST_SECONDS = 6.0  # of held-out music before, between and after the copies
COVERED, SOURCE_SECONDS = 0.8, 0.3
SAME_DB = 3.0  # mean difference of levels: two training passages nearer than this are one and its repeat; others read 9
Damage = Callable[[np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Plant:
    """What was copied: seconds, but for source (index of the training recording) and shift (semitones)."""

    seconds: float
    start: float
    source: int
    source_start: float
    shift: int


def main() -> None:
    options = _parse()
    copying = CopyOptions(threshold=options.threshold, cap=options.cap)
    training = sorted((options.chorales / "train").glob("*.wav"))
    held_out = sorted((options.chorales / "test").glob("*.wav"))
    library = library_of_files(training, copying)
    _print_real_music(held_out, training, library, copying)
    sources = {i: mono_samples(path, RATE) for i, path in enumerate(training)}
    hosts = [mono_samples(path, RATE) for path in held_out]
    lengths = " | ".join(f"{length:g} s" for length in LENGTHS)
    print(f"\n| copies | {lengths} | all | mean and least likeness |\n" + "|---" * 6 + "|")
    results = []
    for number, (name, damage) in enumerate(DAMAGES.items()):
        rng = np.random.default_rng((options.seed, number))
        pieces = [_piece(sources, 0, hosts, rng) for _ in range(options.pieces)]
        results += _print_found(name, [(damage(music, rng), plants) for music, plants in pieces], library, copying)
    for shift in (-2, -1, 1, 2) if shutil.which("fluidsynth") else ():
        rng = np.random.default_rng((options.seed, len(DAMAGES), shift + 2))
        picks = rng.choice(len(sources), options.renders, replace=False)
        played = {int(pick): _played(options, training[pick].stem, shift) for pick in picks}
        pieces = [_piece(played, shift, hosts, rng) for _ in range(options.pieces)]
        results += _print_found(f"played {shift:+d} semitones", pieces, library, copying)
    print(_found_row("all", results))


def _print_real_music(held_out: list[Path], training: list[Path], library: Library, copying: CopyOptions) -> None:
    print("| real music | longest run | at | in training recording | at | semitones | likeness |\n" + "|---" * 7 + "|")
    runs = {}
    for path in held_out:
        levels = semitones_of_file(path, copying.spectrum)
        runs[f"held out {path.stem}"] = find_copies(levels, library, copying)
    kept = np.split(library.levels, library.firsts[1:])
    for i, path in enumerate(training):
        others = library_of([*kept[:i], library.levels[:0], *kept[i + 1 :]])
        runs[f"training {path.stem}"] = find_copies(kept[i], others, copying)
    for name, found in runs.items():
        if found:
            print(
                f"| {name} | {found[0].seconds:.1f} s | {found[0].start:.1f} s | {training[found[0].source].stem} "
                f"| {found[0].source_start:.1f} s | {found[0].shift:+d} | {found[0].likeness:.2f} |"
            )
    edges = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, np.inf]
    print("\n| runs of real music | " + " | ".join(f"{a:g} to {b:g} s" for a, b in itertools.pairwise(edges)) + " |")
    print("|---" * len(edges) + "|")
    for kind in ("held out", "training"):
        lengths = [run.seconds for name, found in runs.items() if name.startswith(kind) for run in found]
        print(f"| {kind} | " + " | ".join(map(str, np.histogram(lengths, edges)[0])) + " |", flush=True)


def _piece(
    sources: dict[int, np.ndarray], shift: int, hosts: list[np.ndarray], rng: np.random.Generator
) -> tuple[np.ndarray, list[Plant]]:
    """Held-out music with one copy of each length in it, at places that are on no grid."""
    host = hosts[rng.integers(len(hosts))]
    parts, plants, at = [], [], 0
    for length in rng.permutation(LENGTHS):
        parts.append(_cut(host, HOST_SECONDS + rng.uniform(0.0, 0.2), rng)[0])
        at += len(parts[-1])
        pick = rng.choice([pick for pick in sources if len(sources[pick]) > (length + 4.0) * RATE])
        copied, start = _cut(sources[pick][: -3 * RATE], length, rng)  # the last seconds are silence
        plants.append(Plant(length, at / RATE, int(pick), start, shift))
        parts.append(copied)
        at += len(copied)
    return np.concatenate([*parts, _cut(host, HOST_SECONDS, rng)[0]]), plants


def _cut(samples: np.ndarray, seconds: float, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    start = int(rng.integers(len(samples) - round(seconds * RATE)))
    return samples[start : start + round(seconds * RATE)], start / RATE


def _played(options: argparse.Namespace, name: str, shift: int) -> np.ndarray:
    """A training recording from its MIDI file, so many semitones higher."""
    with tempfile.TemporaryDirectory() as folder:
        router, wav = Path(folder, "router"), Path(folder, "played.wav")
        others = "".join(f"router_begin {kind}\nrouter_end\n" for kind in ("cc", "prog", "pbend"))
        router.write_text(f"router_clear\n{others}router_begin note\nrouter_par1 0 127 1 {shift}\nrouter_end\n")
        midi = options.chorales / "midi" / f"{name}.mid"
        arguments = ["-ni", "-q", "-g", "0.6", "-r", str(RATE), "-f", router, "-F", wav, options.soundfont, midi]
        subprocess.run(["fluidsynth", *map(str, arguments)], check=True, capture_output=True)
        return mono_samples(wav, RATE)


def _print_found(
    name: str, pieces: list[tuple[np.ndarray, list[Plant]]], library: Library, copying: CopyOptions
) -> list[tuple[Plant, Copy]]:
    """Prints a row, and returns each copy with the run that it was found by, or NO_COPY."""
    results = []
    for music, plants in pieces:
        runs = find_copies(semitone_levels(music, copying.spectrum), library, copying)
        for plant in plants:
            results.append((plant, next((run for run in runs if _is_of(run, plant, library, copying)), NO_COPY)))
    print(_found_row(name, results), flush=True)
    return results


def _found_row(name: str, results: list[tuple[Plant, Copy]]) -> str:
    by_length = [[run for plant, run in results if plant.seconds == length] for length in LENGTHS]
    cells = [f"{sum(run != NO_COPY for run in runs)}/{len(runs)}" for runs in by_length]
    likeness = [run.likeness for _, run in results if run != NO_COPY]
    share = 100.0 * len(likeness) / len(results)
    return f"| {name} | {' | '.join(cells)} | {share:.1f} % | {np.mean(likeness):.2f}, {np.min(likeness):.2f} |"


def _is_of(run: Copy, plant: Plant, library: Library, copying: CopyOptions) -> bool:
    begin = max(run.start, plant.start)
    seconds = min(run.start + run.seconds, plant.start + plant.seconds) - begin
    if seconds < COVERED * plant.seconds or run.shift != plant.shift:
        return False
    told = run.source_start + begin - run.start
    true = plant.source_start + begin - plant.start
    if run.source == plant.source and abs(told - true) <= SOURCE_SECONDS:
        return True
    played = _passage(library, plant.source, true, seconds, copying)
    lags = np.arange(-SOURCE_SECONDS, SOURCE_SECONDS, 1.0 / copying.spectrum.frames_per_second)
    again = [_passage(library, run.source, told + lag, seconds, copying) for lag in lags]
    return any(len(each) == len(played) and np.abs(each - played).mean() <= SAME_DB for each in again)


def _passage(library: Library, source: int, start: float, seconds: float, copying: CopyOptions) -> np.ndarray:
    levels = np.split(library.levels, library.firsts[1:])[source]
    first = max(0, round(start * copying.spectrum.frames_per_second))
    return levels[first : first + round(seconds * copying.spectrum.frames_per_second)]


def _noisy(music: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return music + rng.normal(0.0, np.sqrt(np.mean(music**2)) * 10.0 ** (-30 / 20), len(music)).astype(np.float32)


def _low_passed(music: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return scipy.signal.sosfilt(scipy.signal.butter(8, 8000.0, fs=RATE, output="sos"), music).astype(np.float32)


def _resynthesised(music: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Through the frames that the network learns and back, phase and all."""
    frames = waveform_to_frames(Waveform(music[:, None], RATE), FrameOptions())
    return frames_to_waveform(frames, FrameOptions(), 8, rng).samples[:, 0]


DAMAGES: dict[str, Damage] = {
    "as they are": lambda music, rng: music,
    "6 dB louder": lambda music, rng: music * 2.0,
    "6 dB softer": lambda music, rng: music * 0.5,
    "16 bit": lambda music, rng: np.round(music * 32767.0).astype(np.float32) / 32767.0,
    "noise at 30 dB": _noisy,
    "low-pass at 8 kHz": _low_passed,
    "our frames, phase in 8 rounds": _resynthesised,
    "all of it": lambda music, rng: _resynthesised(_low_passed(_noisy(0.5 * music, rng), rng), rng),
}


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chorales", type=Path)
    parser.add_argument("--pieces", type=int, default=15, help="with one copy of each length, to a kind of damage")
    parser.add_argument("--renders", type=int, default=5, help="training recordings played at each other pitch")
    parser.add_argument("--soundfont", type=Path, default="/usr/share/sounds/sf2/FluidR3_GM.sf2")
    parser.add_argument("--threshold", type=float, default=CopyOptions().threshold)
    parser.add_argument("--cap", type=float, default=CopyOptions().cap)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
