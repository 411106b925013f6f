"""`midi observe`: the hidden activations and memory cells of a trained biaxial model, in pictures."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from music_composer.context import SILENT, Context
from music_composer.errors import OptionError
from music_composer.files.locks import locked
from music_composer.files.outputs import Output, clean, require_free, staged
from music_composer.reports.plots import plot_activations
from music_composer.reports.tables import Table, write_page
from music_composer.symbolic.composition import networks
from music_composer.symbolic.composition import run_folder as symbolic_run
from music_composer.symbolic.dataset.songs import read_song
from music_composer.symbolic.models.biaxial.activations import observe
from music_composer.symbolic.plots import plot_roll

MANIFEST, PAGE, NOTES = "thoughts.json", "index.html", "notes.png"
MOST_STEPS = 256  # of a piece: more could not be told apart in a picture


def observe_file(folder: Path, piece: Path, output: Path, overwrite: bool = False, context: Context = SILENT) -> Path:
    """Draws the activations of the model of a run folder while it reads a MIDI file. Returns the page of pictures.

    Raises OptionError for a model other than the biaxial one, OutputError where a file of another program is in the
    way, unless `overwrite`.
    """
    run = symbolic_run.read_run(folder)
    if run.name != "biaxial":
        raise OptionError(f"{folder} holds a {run.name} model: only the biaxial one can be observed")
    names = [f"layer-{number + 1}.png" for number in range(run.model.layers)]
    wanted = Output(output / MANIFEST, (PAGE, NOTES, *names))
    require_free([wanted], overwrite)
    roll, _ = read_song(piece, run.per_quarter)
    roll = dataclasses.replace(roll, velocity=roll.velocity[:MOST_STEPS], onset=roll.onset[:MOST_STEPS])
    active, layers = observe(networks.trained_network(run), roll)
    with locked(output), staged(output / MANIFEST, overwrite) as files:
        clean([wanted])
        plot_roll(roll, np.zeros_like(roll.active), files.file(NOTES))
        tables, pictures = [], {}
        for layer in layers:
            hidden, cells = layer.mean_over(active)
            name = f"{layer.name.replace(' ', '-')}.png"
            plot_activations(hidden, cells, files.file(name))
            # By total variation over time: neurons that never change say nothing about the piece.
            busiest = np.argsort(-np.abs(np.diff(hidden, axis=0)).sum(axis=0))[:5]
            words = "hidden state (above) and memory cells (below) at each step: means over the notes that sound"
            rows = [
                ["neurons", str(hidden.shape[1])],
                ["those that change most", ", ".join(map(str, busiest))],
                ["mean magnitude of the hidden state", f"{np.abs(hidden).mean():.3f}"],
                ["largest memory cell", f"{np.abs(cells).max():.2f}"],
            ]
            tables.append(Table(layer.name, words, ["what", "reading"], rows))
            pictures[layer.name] = [NOTES, name]
        summary = f"{piece.name}, {roll.steps} steps, read by the biaxial model in {folder}."
        write_page(files.file(PAGE), "Activations", summary, tables, pictures)
        files.commit({"piece": str(piece), "model": str(folder)})
    context.written(output / PAGE)
    return output / PAGE
