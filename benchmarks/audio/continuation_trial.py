"""One trial of the audio model: trained with options of one's choice, judged by music that it never heard, one row.

    python benchmarks/audio/continuation_trial.py CHORALES WORK [FIELD=VALUE ...] [--variant NAME] [--copies -1 1]

CHORALES/train and CHORALES/test hold recordings. A field is any of ModelOptions, TrainOptions or GenerateOptions
(neurons=384 layers=2 epochs=36 batch_size=16 learning_rate=0.002 ...); variants are those of continuation_variants.py.
With --copies the training music is learnt at other speeds too, so many semitones higher or lower (and shorter or
longer), and judged by the music as it was; give as many fewer epochs for as many updates.
The row is printed, and added to WORK/trials.md; the model stays in a folder of WORK named after the fields that it was
trained with, and is not trained again for another trial that only generates otherwise; continuations and scorecard in
one named after all fields.
"""

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from continuation_variants import VARIANTS
from scipy.signal import resample

from music_composer.audio.continuation import run_folder
from music_composer.audio.options import EvaluateOptions, ModelOptions
from music_composer.audio.play_options import GenerateOptions
from music_composer.data.folder import recordings_in
from music_composer.data.options import FolderOptions
from music_composer.evaluation.audio.scorecard_records import Scorecard
from music_composer.pipelines.audio import compose
from music_composer.pipelines.audio.evaluate import evaluate_run
from music_composer.pipelines.audio.requests import EvaluateRequest, NetworkChoice, TrainRequest
from music_composer.progress import terminal
from music_composer.records import key_of
from music_composer.training import checkpoint
from music_composer.training.beginning import CHECKPOINT
from music_composer.training.options import TrainOptions

SMALL = {
    "head": "flow",
    "neurons": 384,
    "layers": 2,
    "batch_size": 16,
    "epochs": 20,
}  # trains in minutes; what is not given
COLUMNS = (
    "trial", "steps", "minutes", "loss", "held out", "discrepancy", "95 % interval", "Frechet", "bands alone",
    "change", "turns", "level", "longest copy",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chorales", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("fields", nargs="*", metavar="FIELD=VALUE")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--variant", choices=VARIANTS, help="a way of training that is not in the tool")
    parser.add_argument("--copies", nargs="*", type=float, default=[], metavar="SEMITONES")
    parser.add_argument("--cuts", type=int, default=EvaluateOptions.cut_count, help="to judge continuity and key at")
    options = parser.parse_args()

    given = fields_of(options.fields, ModelOptions, TrainOptions, GenerateOptions)
    network = chosen(ModelOptions, given)
    training = TrainOptions(**chosen(TrainOptions, given), seed=options.seed)
    playing = chosen(GenerateOptions, given)
    if options.variant:
        VARIANTS[options.variant]()
        options.fields.append(f"variant={options.variant}")
    if options.copies:
        options.fields.append(f"copies={','.join(f'{each:g}' for each in options.copies)}")
    learnt = [field for field in options.fields if field.split("=")[0] not in playing]
    model = options.work / _name(learnt, options.seed) / "model"
    folders = FolderOptions(options.chorales / "train", options.work / "train_data", model)
    if not run_folder.exists(model):
        request = TrainRequest(_with_copies(folders, options.copies), NetworkChoice(**network), training)
        compose.train(request, terminal())
    output = options.work / _name(options.fields, options.seed) / "scorecard"
    judged = EvaluateOptions(output=output, long_count=0, cut_count=options.cuts, seed=options.seed)
    card = evaluate_run(EvaluateRequest(folders, judged, held_out=options.chorales / "test"), terminal(), playing)
    name = f"{' '.join(options.fields) or 'as it is'}, seed {options.seed}"
    row = _row(name, card, checkpoint.read_state(model / CHECKPOINT))
    table = options.work / "trials.md"
    if not table.exists():
        table.write_text(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|\n", encoding="utf-8")
    with table.open("a", encoding="utf-8") as file:
        file.write(row + "\n")
    print(table.read_text(encoding="utf-8"))


def _with_copies(folders: FolderOptions, semitones: list[float]) -> FolderOptions:
    """The dataset and copies of it at other speeds, in a folder beside the model's; the same where none is wanted."""
    if not semitones:
        return folders
    folder = folders.model.parent / "recordings"
    folder.mkdir(parents=True, exist_ok=True)
    for path in recordings_in(folders.datasets, make=False):
        sound, rate = soundfile.read(path, dtype="float32")
        for shift in [0.0, *semitones]:
            count = round(len(sound) / 2 ** (shift / 12))
            copy = sound if not shift else resample(sound, count).astype(np.float32)
            soundfile.write(folder / f"{path.stem}{shift:+g}.flac", copy, rate)
    return dataclasses.replace(folders, datasets=folder, traindata=folders.model.parent / "train_data")


def _name(fields: list[str], seed: int) -> str:
    return "-".join([*fields, f"seed-{seed}"]).replace("/", "_")


def fields_of(words: list[str], *records: Any) -> dict[str, str]:
    """FIELD=VALUE words as a dictionary; ends the program where no record has such a field.

    FIELD is the name of a field, or its key in files.
    """
    known = {field.name for record in records for field in dataclasses.fields(record)}
    stored = {key_of(field): field.name for record in records for field in dataclasses.fields(record)}
    given = {stored.get(name, name): value for name, _, value in (word.partition("=") for word in words)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise SystemExit(f"no such field: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return given


def chosen(record: Any, given: dict[str, str]) -> dict[str, Any]:
    """The fields of one record among those that were given, as the type that its default has; of None whole numbers."""
    wanted = {**SMALL, **given}
    defaults = {field.name: field.default for field in dataclasses.fields(record)}
    kinds: dict[str, Any] = {name: int if default is None else type(default) for name, default in defaults.items()}
    return {name: kinds[name](value) for name, value in wanted.items() if name in defaults}


def _row(name: str, card: Scorecard, state: checkpoint.TrainState | None) -> str:
    rows = {row.music: row for row in card.distance}
    real, made = rows["real, held out"], rows["continuations"]
    history = state.history if state else []
    best = history[state.best_epoch] if state else {}
    minutes = sum(epoch["seconds"] for epoch in history) / 60
    cells = [
        name, str(state.step if state else 0), f"{minutes:.1f}", f"{best.get('loss', 0):.3f}",
        f"{best.get('held_out_loss', 0):.3f}", f"{made.discrepancy:.2f}", f"{made.low:.2f} to {made.high:.2f}",
        f"{made.frechet:.1f}", f"{made.frechet_bands:.1f}", f"{made.change_db / real.change_db:.2f} x",
        f"{made.harmonic_changes_per_second / real.harmonic_changes_per_second:.2f} x",
        f"{made.loudness_db - real.loudness_db:+.1f} dB", f"{card.copying.generated[0].seconds:.1f} s",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
