"""How much memory a render takes, and whether that grows with the length of the score.

    python benchmarks/speed/render_memory.py WORK [--minutes 3 30 120] [--voice auto]

Random notes of four parts, one of them drums, another with a pedal and a bend in every bar; and two notes with two
hours of rest between them. Each is rendered by a process of its own; the figures are its highest resident set, and how
much it took before it began.
"""

import argparse
import multiprocessing
import resource
import time
from pathlib import Path

import numpy as np

from music_composer.pipelines.render import render_file
from music_composer.symbolic.midi.midi_file import write_midi
from music_composer.synth.options import RenderOptions
from music_composer.values import BEND, CONTROL, NOTE, Part, Score

QUARTERS = 120  # a minute
EACH = 1.5  # notes in a quarter, of each part


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--minutes", type=float, nargs="+", default=(3, 30, 120))
    parser.add_argument("--voice", default="auto")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    print("| score | notes | WAV, MB | highest, MB | of it before, MB | x real time |\n|---|---|---|---|---|---|")
    scores = {f"{minutes:g} min": random_score(minutes) for minutes in options.minutes}
    for name, score in {**scores, "2 h of rest": rest(120)}.items():
        source, target = options.work / "score.mid", options.work / "score.wav"
        write_midi(score, source)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            before, highest, factor = pool.apply(measured, (source, target, options.voice))
        size = target.stat().st_size / 1e6
        print(f"| {name} | {score.count} | {size:.0f} | {highest:.0f} | {before:.0f} | {factor:.0f} |", flush=True)
        target.unlink()


def measured(source: Path, target: Path, voice: str) -> tuple[float, float, float]:
    """In a process of its own: megabytes before and at most, and seconds of music in one of work."""
    before, started = peak(), time.perf_counter()
    done = render_file(source, target, RenderOptions((voice,), overwrite=True))
    assert not done.failure, done.failure
    return before, peak(), done.seconds / (time.perf_counter() - started)


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def random_score(minutes: float) -> Score:
    rng = np.random.default_rng(1)
    quarters = round(minutes * QUARTERS)
    count = round(quarters * EACH)
    parts = []
    for number in range(4):
        notes = np.zeros(count, NOTE)
        notes["start"] = np.sort(rng.integers(0, quarters * 480, count))
        notes["stop"] = notes["start"] + 1 + rng.exponential(600, count).astype(int)
        drums = number == 3
        notes["pitch"] = rng.integers(35, 58, count) if drums else rng.integers(30, 96, count)
        notes["velocity"] = rng.integers(1, 128, count)
        parts.append(Part(notes[np.lexsort((notes["pitch"], notes["start"]))], 24 * number, drums))
    bars = np.arange(0, quarters * 480, 1920)
    pedal = np.zeros(2 * len(bars), CONTROL)
    pedal["tick"] = np.stack([bars, bars + 1800], axis=1).ravel()
    pedal["controller"], pedal["value"] = 64, np.tile([127, 0], len(bars))
    wheel = np.zeros(2 * len(bars), BEND)
    wheel["tick"] = np.stack([bars + 480, bars + 960], axis=1).ravel()
    wheel["value"] = np.tile([4096, 0], len(bars))
    parts[1] = Part(parts[1].notes, 24, controls=pedal, bends=wheel)
    return Score(tuple(parts))


def rest(minutes: float) -> Score:
    end = round(minutes * QUARTERS * 480)
    return Score((Part(np.array([(0, 480, 60, 90), (end - 480, end, 60, 90)], NOTE)),))


if __name__ == "__main__":
    main()
