"""How soon a loaded model plays: the first call reads weights and builds graphs, the next ones do not.

    python benchmarks/speed/loaded_speed.py WORK [--neurons 384] [--layers 2] [--seconds 10] [--calls 3]

Learns a minute of synthetic music and three tunes in WORK for one epoch, where it is not there yet: what is played is
noise, and costs what music costs. "first block" is from the call to the first block of a stream, which is the end of
the prompt; "processor" is the time of all cores until then; "new music" is to the first new block; "generated" is to
the end of a continuation of so many seconds, and for notes to the end of 32 steps.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command has it; read when NumPy is loaded

import numpy as np
import soundfile

import music_composer as mc
from music_composer.demo.score import write_scores

RATE = 44100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--neurons", type=int, default=384)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--calls", type=int, default=3)
    options = parser.parse_args()
    work = options.work
    _write_music(work)
    if not (work / "model" / "options.json").exists():
        mc.train(
            work / "music", traindata=work / "cache", model=work / "model", neurons=options.neurons,
            layers=options.layers, epochs=1, seed=1, context=mc.terminal(),
        )  # fmt: skip
        mc.midi.train(
            work / "scores", traindata=work / "rolls", model=work / "notes", epochs=1, seed=1, context=mc.terminal()
        )
    print(f"{options.seconds:g} s, load before: {os.getloadavg()[0]:.1f}\n")
    print("| plays | call | first block | processor | new music | generated |\n|---|---|---|---|---|---|")
    for head in ("flow", "memory"):
        model = mc.load(work / "model", datasets=work / "music", traindata=work / "cache")
        for call in range(options.calls):
            first, processor, new = _stream(model, head, work / "prompt.wav")
            again = partial(model.generate, work / "prompt.wav", head=head, seconds=options.seconds, count=1, seed=1)
            whole = _seconds(again)
            print(
                f"| {head} | {call + 1} | {first:.2f} s | {processor:.2f} s | {new:.2f} s | {whole:.2f} s |", flush=True
            )
    notes = mc.midi.load(work / "notes")
    for call in range(options.calls):
        whole = _seconds(lambda: notes.generate(count=1, steps=32, seed=1))
        print(f"| notes | {call + 1} | | | | {whole:.2f} s |", flush=True)


def _stream(model: mc.Model, head: str, prompt: Path) -> tuple[float, float, float]:
    """Seconds to the first block of a stream, of the processor until then, and to the first block that is new."""
    started, before = time.monotonic(), time.process_time()
    blocks = model.stream(prompt, head=head, seconds=2.0, seed=1)
    next(blocks)
    first, processor = time.monotonic() - started, time.process_time() - before
    next(blocks)
    new = time.monotonic() - started
    for _ in blocks:
        pass
    return first, processor, new


def _seconds(call: Callable[[], object]) -> float:
    started = time.monotonic()
    call()
    return time.monotonic() - started


def _write_music(work: Path) -> None:
    if (work / "prompt.wav").exists():
        return
    rng = np.random.default_rng(1)
    (work / "music").mkdir(parents=True, exist_ok=True)
    for path, seconds in ((work / "music" / "a.wav", 40), (work / "music" / "b.wav", 20), (work / "prompt.wav", 10)):
        time_of = np.arange(seconds * RATE) / RATE
        notes = 220 * 2 ** (rng.choice([0, 2, 4, 7, 9, 12], seconds * 4) / 12)
        sound = 0.3 * np.sin(2 * np.pi * notes[(time_of * 4).astype(int)] * time_of) * np.exp(-4 * (time_of * 4 % 1))
        soundfile.write(path, sound[:, None], RATE)
    write_scores(work / "scores", 1, 6)


if __name__ == "__main__":
    main()
