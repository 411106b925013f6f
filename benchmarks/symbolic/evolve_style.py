"""Measures how much the best networks of both fitnesses copy, and how likely their lines are in the files' style.

    python benchmarks/symbolic/evolve_style.py WORK [FILES ...] [--generations 50] [--seeds 5] [--inputs 10]

Without files it uses six songs of the demonstration's composer. After every tenth generation it prints, as Markdown,
means over the seeds: the share of notes that equal the original ones; the share of notes in runs of eight intervals
that the files contain; the mean log likelihood of a note under the style; and the rating by style.
"""

import argparse
from pathlib import Path

import numpy as np

from music_composer.demo.score import write_scores
from music_composer.genetic.evolution import evolve
from music_composer.genetic.fitness import generated_codes, task_of
from music_composer.genetic.options import FITNESSES, EvolveOptions
from music_composer.genetic.style import copied_share, log_likelihood, style_of, style_rating
from music_composer.genetic.themes import encode, themes_of, windows
from music_composer.symbolic.notation.score_file import read_score


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--generations", type=int, default=50)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--inputs", type=int, default=EvolveOptions().inputs)
    options = parser.parse_args()
    files = options.files or write_scores(options.work / "scores", 1, 6)
    themes = [theme for path in files for theme in themes_of(read_score(path).score, str(path), False, False)]
    symbols, codes = encode(themes)
    style, chosen = (
        style_of(themes, symbols, codes),
        EvolveOptions(generations=options.generations, inputs=options.inputs),
    )
    inputs = np.concatenate(codes)
    columns = ["fitness", "generation", "original notes", "in copied runs", "nats a note", "rating by style"]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for fitness in FITNESSES:
        task = task_of(inputs, windows(codes, chosen.inputs), style if fitness == "style" else None)
        rows: dict[int, list[list[float]]] = {}
        for seed in range(1, options.seeds + 1):
            for generation in evolve(task, chosen, seed):
                if generation.number == 1 or generation.number % 10 == 0:
                    best = generated_codes(generation.networks.take(np.arange(1)), task)
                    pitch = style.tops[best]
                    found = [float((best[0] == inputs).mean()), float(copied_share(pitch, style)[0]),
                             float(log_likelihood(pitch, style)[0]), float(style_rating(best, style)[0])]  # fmt: skip
                    rows.setdefault(generation.number, []).append(found)
        for number, found_rows in rows.items():
            same, copied, nats, rating = np.mean(found_rows, axis=0)
            print(f"| {fitness} | {number} | {same:.0%} | {copied:.1%} | {nats:.2f} | {rating:.4f} |")
    own = style.tops[inputs][None]
    print(f"| (the files) | | 100% | {copied_share(own, style)[0]:.1%} | {log_likelihood(own, style)[0]:.2f} | 0 |")


if __name__ == "__main__":
    main()
