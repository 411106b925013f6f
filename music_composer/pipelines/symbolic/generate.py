"""Composes with a trained model and writes the result."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

import numpy as np

from music_composer.context import SILENT, Context
from music_composer.files.locks import locked_output
from music_composer.files.outputs import Output, beside, clean, numbered, require_free, staged
from music_composer.pipelines.symbolic.loaded import LoadedModel, load, notes_of, play
from music_composer.pipelines.symbolic.requests import GenerateRequest
from music_composer.progress import duration
from music_composer.symbolic.composition.assemble import assembled
from music_composer.symbolic.constraints import Constraints, constraints_from
from music_composer.symbolic.midi.midi_file import write_midi
from music_composer.symbolic.midi.tempo import seconds_at
from music_composer.symbolic.notation.score_file import require_musicxml, write_musicxml
from music_composer.symbolic.options import PER_QUARTER, BoundOptions, PlayOptions, with_model_defaults
from music_composer.symbolic.plots import plot_roll
from music_composer.symbolic.roll import PITCHES, on_grid
from music_composer.symbolic.roll_operations import shortened
from music_composer.values import Roll

EMPTY = "the model is trained too little, or --range, --scale or --max-polyphony leave room for none"


def require_request(options: PlayOptions, bounds: BoundOptions, primer: Path | None) -> None:
    """Raises the errors of `generate` before a training.

    They are of an unreadable primer, of options that contradict it or are out of range, and of missing packages.
    """
    none = np.zeros((0, PITCHES), np.uint8)
    constraints_from(primer, options, bounds, Roll(none, none.astype(bool), PER_QUARTER))
    if options.musicxml:
        require_musicxml()


def generate(request: GenerateRequest, context: Context = SILENT, model: LoadedModel | None = None) -> list[Path]:
    """Writes MIDI files: new music, the continuation of a primer, new parts for its tracks, or some of its bars anew.

    model: of the run folder, if it is already loaded.
    """
    model = model or load(request.folders.model)
    run, primer, bounds = model.run, request.primer, request.bounds
    options = with_model_defaults(run.name, request.playing)
    wanted = require_outputs(options, primer)
    if options.musicxml:
        require_musicxml()
    constraints = constraints_from(primer, options, bounds, run.blank)
    for remark in constraints.remarks:
        context.say(f"note: {primer}: {remark}")
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    paths = [output.paths[0] for output in wanted]
    kept = shortened(constraints.fixed, constraints.omitted)
    with locked_output(paths[0], request.folders.wait, context.say):
        player = model.player
        started = time.monotonic()
        with context.stage("composing", "pieces") as advance:
            made = play(run, player, [constraints] * options.count, options, seed, advance)
        clean(wanted)
        for number, (roll, output) in enumerate(zip(made, wanted, strict=True)):
            piece = assembled(roll, constraints, options.program)
            with staged(output.manifest, options.overwrite) as files:
                write_midi(piece.score, files.file(output.paths[0].name))
                if options.musicxml:
                    write_musicxml(on_grid(piece.score, run.per_quarter), files.file(output.paths[2].name))
                plot_roll(piece.roll, kept.active, files.file(output.paths[1].name))
                files.commit(notes_of(number, seed, primer, run, options, bounds))
            context.written(paths[number])
            if not piece.added:
                context.say(f"note: {paths[number]} has no new notes: {EMPTY}")
    spent, seconds = time.monotonic() - started, options.count * seconds_of(constraints)
    context.say(f"{len(paths)} pieces in {duration(spent)}: {seconds / spent:.0f} x real time, seed {seed}")
    return paths


def require_outputs(options: PlayOptions, primer: Path | None = None) -> list[Output]:
    """Returns the outputs of a job. Raises OutputError where a file of another program is in the way."""
    suffixes = (".png", ".musicxml") if options.musicxml else (".png",)
    wanted = [beside(path, *suffixes) for path in numbered(options.name, options.count, ".mid")]
    require_free(wanted, options.overwrite, [primer] if primer else [])
    return wanted


def seconds_of(constraints: Constraints) -> float:
    """Returns the seconds of the composed steps, in their own tempos."""
    each = np.diff(seconds_at(constraints.fixed, np.arange(constraints.steps + 1)))
    return float(each[constraints.editable].sum())
