"""How far prompts of one album are from the memory of another, and for how many a line says that they are strangers.

    python benchmarks/audio/strangers.py MODEL MODEL...

MODEL: run folders of `--head memory`. A prompt is a minute from the middle of a remembered recording; within its own
folder that recording is taken out of the memory.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from music_composer.audio.memory import store
from music_composer.audio.memory.analysis.steps import StepOptions
from music_composer.audio.options import FrameOptions
from music_composer.evaluation.audio.similarity.out_of_distribution import distance_ratio

PROMPT_SECONDS, MOST = 60.0, 24  # of each folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+")
    args = parser.parse_args()
    frame, steps = FrameOptions(), StepOptions()
    per_second = frame.frames_per_second / steps.frames
    levels = {}
    for model in args.models:
        index = store.read_index(model / store.INDEX, steps)
        recalled = store.load_recordings(index, model / store.FOLDER, steps, frame)[: len(index.entries)]
        levels[model.name] = [each.steps.levels for each in recalled]
    print(f"{'memory':>24} {'prompts of':>24} {'strangers':>10} {'least':>6} {'median':>6} {'most':>6}")
    for name, remembered in levels.items():
        for other, recordings in levels.items():
            found = []
            for i in np.linspace(0, len(recordings) - 1, min(MOST, len(recordings))).astype(int):
                middle, half = len(recordings[i]) // 2, round(PROMPT_SECONDS / 2 * per_second)
                prompt = recordings[i][max(0, middle - half) : middle + half]
                known = [each for j, each in enumerate(remembered) if name != other or j != i]
                found.append(distance_ratio(prompt, known, per_second))
            said = np.mean(np.array(found) > 1.0)
            low, median, high = np.quantile(found, [0.0, 0.5, 1.0])
            print(f"{name:>24} {other:>24} {100 * said:>8.0f} % {low:6.2f} {median:6.2f} {high:6.2f}", flush=True)


if __name__ == "__main__":
    main()
