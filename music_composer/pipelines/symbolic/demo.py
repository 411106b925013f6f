"""The symbolic demonstration: a corpus composed by rule, learnt by each model for a minute, shown on a page."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from music_composer.context import SILENT, Context
from music_composer.data.options import FolderOptions
from music_composer.demo.score import write_scores
from music_composer.evaluation.symbolic.report import copying_words, likeness_words
from music_composer.evaluation.symbolic.scorecard_records import Scorecard
from music_composer.files.locks import locked
from music_composer.files.outputs import Output, clean, require_free, staged
from music_composer.pipelines.symbolic import compose, evaluate, generate
from music_composer.pipelines.symbolic.requests import (
    EvaluateRequest,
    GenerateRequest,
    ModelChoice,
    TrainChoice,
    TrainRequest,
)
from music_composer.progress import duration
from music_composer.reports.tables import Table, write_page
from music_composer.symbolic.options import JudgeOptions, PlayOptions
from music_composer.training.devices import require_backend

MANIFEST, PAGE = "demo.json", "index.html"
PIECES = 40  # to learn from and to judge by
NEW_PIECES, NEW_STEPS = 2, 128
JUDGED = JudgeOptions(count=20, steps=128)
# Networks, and ways of training that take about a minute each on two cores.
MODELS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "voices": ({"neurons": 128, "dropout": 0.2, "input_dropout": 0.1}, {"epochs": 20, "batch_size": 4}),
    "polyphony": ({"neurons": 128, "layers": 2, "dropout": 0.2}, {"epochs": 30, "batch_size": 8}),
    "pianoroll": ({"neurons": 256, "layers": 2}, {"epochs": 60}),
    "biaxial": ({"neurons": 64, "layers": 2, "dropout": 0.2}, {"epochs": 10, "batch_size": 5}),
}


def run_demo(folder: Path, seed: int, overwrite: bool = False, context: Context = SILENT) -> Path:
    """Leaves scores, cache, models, new pieces with pictures and `index.html` in `folder`; returns the page.

    Raises OutputError where a file is in the way that is not ours, unless `overwrite`.
    """
    wanted = Output(folder / MANIFEST, (PAGE, *(f"scores/piece-{number:02d}.mid" for number in range(1, PIECES + 1))))
    require_free([wanted], overwrite)
    require_backend()
    with locked(folder):
        clean([wanted])
        return _demonstrated(folder, seed, overwrite, context)


def _demonstrated(folder: Path, seed: int, overwrite: bool, context: Context) -> Path:
    started = time.monotonic()
    scores = folder / "scores"
    context.say(f"composing {PIECES} pieces into {scores}: the whole demo takes about 6 minutes")
    with staged(folder / MANIFEST, overwrite) as files:
        write_scores(scores, seed, PIECES, files.place)
        files.commit()
    tables, pictures = [], {}
    for name, (network, training) in MODELS.items():
        folders = FolderOptions(scores, folder / "train_data", folder / name / "model")
        began = time.monotonic()
        request = TrainRequest(folders, ModelChoice(name, **network), TrainChoice(**training, seed=seed), fresh=True)
        compose.train(request, context)
        trained = time.monotonic() - began
        playing = PlayOptions(
            count=NEW_PIECES, steps=NEW_STEPS, name=str(folder / name / "piece"), overwrite=overwrite, seed=seed
        )
        made = generate.generate(GenerateRequest(folders, playing), context)
        output = folder / name / "scorecard"
        judged = JudgeOptions(output, JUDGED.count, JUDGED.steps, overwrite, seed)
        card = evaluate.evaluate_run(EvaluateRequest(folders, judged), context)
        tables.append(_table(name, card, trained))
        pictures[name] = [path.with_suffix(".png").relative_to(folder).as_posix() for path in made]
    summary = (
        f"Four models of notes learnt {PIECES} songs that a small rule-based composer wrote, each for about a minute. "
        "The pictures are pieces that they made from nothing; darker is where a note begins. "
        f"All of it took {duration(time.monotonic() - started)}, seed {seed}."
    )
    with staged(folder / MANIFEST, overwrite) as files:
        write_page(files.file(PAGE), "Music, composed", summary, tables, pictures)
        files.commit()
    context.say(f"the demo took {duration(time.monotonic() - started)}")
    context.written(folder / PAGE)
    return folder / PAGE


def _table(name: str, card: Scorecard, trained: float) -> Table:
    assert card.facts and card.likelihood, "the scorecard of a run folder has them"
    rows = [
        ["training", duration(trained)],
        ["held-out pieces", f"{-card.likelihood['held out'].per_step:.2f} nats a step"],
        ["composing", f"{card.facts.x_real_time:.0f} x real time"],
        ["likeness", likeness_words(card)],
        ["copying", copying_words(card)],
    ]
    return Table(
        name, f"{name}/piece-0.mid and on; {name}/scorecard/scorecard.html says more", ["what", "reading"], rows
    )
