"""Fills gaps in recordings that were not learnt from, and prints how well both edges join, beside the music uncut.

    python benchmarks/audio/gaps.py MODEL RECORDING... [--gaps 3] [--seconds 4] [--candidates 8]

Each row says how often the step at an edge is less than at a random splice of the same music before the edge with
other recordings: in level, spectrum, key and the phase of the pulse, and all together (`evaluate`, continuity).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from music_composer.audio.play_options import GenerateOptions, InfillOptions
from music_composer.audio.reading.recording import mono_samples, seconds_of
from music_composer.data.options import FolderOptions
from music_composer.evaluation.audio.analysis import MetricOptions
from music_composer.evaluation.audio.continuity_scores import prompt_row
from music_composer.files.temporary import scratch_folder
from music_composer.pipelines.audio import generate
from music_composer.pipelines.audio.requests import InfillRequest

FIGURES = ("better", "level", "spectrum", "key", "pulse")
OTHERS = 60.0  # seconds of each recording that splices are drawn from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("recordings", type=Path, nargs="+")
    parser.add_argument("--gaps", type=int, default=3, help="of each recording")
    parser.add_argument("--seconds", type=float, default=4.0, help="of a gap")
    parser.add_argument("--candidates", type=int, default=InfillOptions.candidates)
    args = parser.parse_args()
    metrics, folders = MetricOptions(), FolderOptions(model=args.model)
    rows: dict[str, list[tuple[Path, float]]] = {"beginning": [], "end": [], "beginning, uncut": [], "end, uncut": []}
    spent = 0.0
    with scratch_folder() as scratch:
        for number, path in enumerate(args.recordings):
            length = seconds_of(path)
            for i in range(args.gaps):
                start = round(length * (i + 1) / (args.gaps + 1), 3)
                stop = start + args.seconds
                options = GenerateOptions(name=str(scratch / f"{number}-{i}"), seed=i)
                filling = InfillOptions(candidates=args.candidates)
                began = time.process_time()
                made = generate.infill(InfillRequest(path, start, stop, folders, sampling=options, filling=filling))
                spent += time.process_time() - began
                rows["beginning"].append((made, start))
                rows["end"].append((made, stop))
                rows["beginning, uncut"].append((path, start))
                rows["end, uncut"].append((path, stop))
        rate = metrics.continuity.rate
        others = [mono_samples(path, rate, 0.2 * seconds_of(path), 0.2 * seconds_of(path) + OTHERS)
                  for path in args.recordings]  # fmt: skip
        print(f"{len(rows['end'])} gaps of {args.seconds:g} s, {spent / len(rows['end']):.1f} CPU s each")
        print(f"{'edge':20}" + "".join(f"{name:>10}" for name in ("all", *FIGURES[1:])))
        for name, cuts in rows.items():
            row = prompt_row(cuts, others, metrics.continuity.most_seconds, metrics)
            print(f"{name:20}" + "".join(f"{100 * getattr(row, figure):>8.0f} %" for figure in FIGURES))


if __name__ == "__main__":
    main()
