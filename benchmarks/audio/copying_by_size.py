"""How much a model copies, by how much music it learnt from.

    python benchmarks/audio/copying_by_size.py CHORALES WORK [--minutes 5 13 60] [--hours 8] [FIELD=VALUE ...]

CHORALES/train holds at least so many minutes of recordings, CHORALES/test others. For each size, the first recordings
of train/ are learnt, in as many epochs as make it the given hours, so that each network is trained as long; prompts of
test/ are continued, and the longest run that each continuation shares with what was learnt is set beside the same of
each recording of test/. Prints markdown; the line is the one that `train` ends with.
Fields are those of ModelOptions and TrainOptions, 2 x 384 unless given.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from continuation_trial import chosen, fields_of

from music_composer.audio.options import EvaluateOptions, ModelOptions
from music_composer.audio.reading.recording import seconds_of
from music_composer.context import Context
from music_composer.data.options import FolderOptions
from music_composer.evaluation.audio.scorecard_records import Scorecard
from music_composer.pipelines.audio import compose
from music_composer.pipelines.audio.evaluate import evaluate_run
from music_composer.pipelines.audio.requests import EvaluateRequest, NetworkChoice, TrainRequest
from music_composer.training.options import TrainOptions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chorales", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("fields", nargs="*", metavar="FIELD=VALUE")
    parser.add_argument("--minutes", type=float, nargs="+", default=[5, 13, 60])
    parser.add_argument("--hours", type=float, default=8, help="of music heard in training, all epochs together")
    options = parser.parse_args()
    given = fields_of(options.fields, ModelOptions, TrainOptions)
    table = ["| learnt | continuations: longest, median | held out: longest, median | no longer | discrepancy |"]
    table.append("|---" * 5 + "|")
    for minutes in options.minutes:
        work = options.work / f"{minutes:g}"
        recordings = _first_minutes(sorted((options.chorales / "train").glob("*.wav")), minutes, work / "music")
        folders = FolderOptions(work / "music", work / "train_data", work / "model")
        said: list[str] = []
        epochs = max(1, round(60 * options.hours / recordings))
        training = TrainOptions(**{**chosen(TrainOptions, given), "epochs": epochs}, seed=1)
        network = NetworkChoice(**chosen(ModelOptions, given))
        compose.train(TrainRequest(folders, network, training, fresh=True), Context(said.append))
        judged = EvaluateOptions(output=work / "scorecard", long_count=0, cut_count=0)
        card = evaluate_run(EvaluateRequest(folders, judged, held_out=options.chorales / "test"))
        table.append(_row(recordings, epochs, card))
        print("\n".join(table), f"\n{said[-1]}", flush=True)


def _first_minutes(recordings: Sequence[Path], minutes: float, folder: Path) -> float:
    """Copies the first recordings, until there are so many minutes; returns how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    seconds = 0.0
    for path in recordings:
        if seconds >= 60 * minutes:
            break
        shutil.copy(path, folder)
        seconds += seconds_of(path)
    return seconds / 60


def _row(minutes: float, epochs: int, card: Scorecard) -> str:
    made, real = ([copy.seconds for copy in copies] for copies in (card.copying.generated, card.copying.real))
    reading = next(row.discrepancy for row in card.distance if row.music == "continuations")
    cells = [
        f"{minutes:.0f} min, {epochs} epochs",
        *(f"{max(runs):.1f} s, {np.median(runs):.1f} s" for runs in (made, real)),
        f"{np.mean(np.array(made) <= max(real)):.0%}",
        f"{reading:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
