"""Measures how like held-out music the pieces of each model are, and how much they copy, on the demonstration's corpus.

    python benchmarks/symbolic/midi_likeness.py WORK [--pieces 160] [--models voices polyphony pianoroll biaxial]
        [--count 60]

The corpus is composed by rule into WORK/scores. Each model trains on nine tenths of it with the settings below and
composes pieces, which `music-composer midi evaluate` compares with the other tenth. The figure of a measure is the
overlap of generated and held-out music over that of training and held-out music. Prints Markdown.
"""

import argparse
from pathlib import Path
from typing import Any

from music_composer.data.options import FolderOptions
from music_composer.demo.score import write_scores
from music_composer.evaluation.symbolic.metrics import METRICS
from music_composer.evaluation.symbolic.scorecard_records import Scorecard
from music_composer.pipelines.symbolic import compose, evaluate
from music_composer.pipelines.symbolic.requests import EvaluateRequest, ModelChoice, TrainChoice, TrainRequest
from music_composer.progress import terminal
from music_composer.symbolic.options import JudgeOptions
from music_composer.training import checkpoint

# Networks and training options that take about ten minutes each on two cores; the biaxial model takes longer.
MODELS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "voices": ({"dropout": 0.2, "input_dropout": 0.1}, {"epochs": 40, "batch_size": 4}),
    "polyphony": ({"dropout": 0.2}, {"epochs": 24, "batch_size": 8}),
    "pianoroll": ({}, {"epochs": 20}),
    "biaxial": ({"neurons": 128, "dropout": 0.2}, {"epochs": 24, "batch_size": 5, "learning_rate": 3e-3}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--pieces", type=int, default=160)
    parser.add_argument("--models", nargs="*", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    scores = options.work / "scores"
    write_scores(scores, options.seed, options.pieces)
    columns = ["model", "minutes", "held out, nats a step", *METRICS, "copied", "of held-out music"]
    table = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for name in options.models:
        network, training = MODELS[name]
        folders = FolderOptions(scores, options.work / "train_data", options.work / name / "model")
        run = compose.train(
            TrainRequest(folders, ModelChoice(name, **network), TrainChoice(**training, seed=options.seed), fresh=True),
            terminal(),
        )
        judged = JudgeOptions(options.work / name / "scorecard", options.count, seed=options.seed)
        card = evaluate.evaluate_run(EvaluateRequest(folders, judged), terminal())
        table.append(_row(name, card, checkpoint.read_state(run.checkpoint)))
        print("\n".join(table), flush=True)


def _row(name: str, card: Scorecard, state: checkpoint.TrainState | None) -> str:
    seconds = sum(epoch["seconds"] for epoch in state.history) if state else 0.0
    made, held_out = card.copying.generated, card.copying.held_out
    nats = card.likelihood["held out"].per_step if card.likelihood else float("nan")
    cells = [
        name, f"{seconds / 60:.1f}", f"{nats:.2f}",
        *(f"{row.overlap_generated / max(1e-9, row.overlap_training):.2f}" for row in card.metrics),
        f"{100 * made.share:.1f} ({100 * made.low:.1f} to {100 * made.high:.1f}) %",
        f"{100 * held_out.share:.1f} ({100 * held_out.low:.1f} to {100 * held_out.high:.1f}) %",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
