"""Evolution: MIDI files in, networks that re-pitch them evolved, MIDI files of the best out."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from music_composer.context import SILENT, Context
from music_composer.errors import MusicComposerError
from music_composer.files.atomic import make_folder, reason, remove_torn
from music_composer.files.outputs import staged
from music_composer.genetic.evolution import Generation, evolve
from music_composer.genetic.fitness import Task, generated_codes, task_of
from music_composer.genetic.models_file import read_networks, write_networks
from music_composer.genetic.options import EvolveOptions
from music_composer.genetic.style import style_of
from music_composer.genetic.themes import (
    Symbol,
    Theme,
    encode,
    repitched,
    skipped_part,
    themes_of,
    windows,
    with_themes,
)
from music_composer.pipelines.requests import EvolveRequest
from music_composer.progress import duration
from music_composer.reports.plots import plot_ratings
from music_composer.stopping import Stopped
from music_composer.symbolic.midi.instruments import in_words
from music_composer.symbolic.midi.midi_file import write_midi
from music_composer.symbolic.notation.score_file import read_score

EVOLUTION, MODELS, RATINGS = "evolution.json", "models.json", "ratings.png"


def evolve_files(request: EvolveRequest, context: Context = SILENT) -> list[Path]:
    """Evolves networks that read the notes of the files and play others in their place. Returns the best MIDI files.

    Everything goes into a folder of the output that is named after the time: copies of the files, the music of the best
    network every `write_interval` generations and at the end, a picture of the ratings, and the networks if requested.
    Raises Stopped when it is stopped, after all of that is written for the last complete generation.
    """
    files, options = request.files, request.evolution
    themes = [theme for path in files for theme in _themes(path, options, context)]
    start = None
    if request.load:
        start = read_networks(request.load, options.activation)
        start = start.take(np.arange(min(request.load_best or len(start), len(start))))
        # The shape of loaded networks wins over the options, which may only have their defaults.
        options = dataclasses.replace(options, inputs=start.inputs, layer_type=start.kind)
    symbols, codes = encode(themes)
    style = style_of(themes, symbols, codes) if options.fitness == "style" else None
    task = task_of(np.concatenate(codes), windows(codes, options.inputs), style)
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    folder = _new_folder(request.output, files)
    context.say(
        f"evolving {len(start) if start else options.models} networks on {len(task.codes)} notes, {len(symbols)} of "
        f"them different, in {folder}, seed {seed}"
    )
    written, history, started = [], [], time.monotonic()
    last: Generation | None = None
    with context.patiently("what has evolved is written"):
        with context.stage("evolving", "generations", interruptible=False) as advance:
            generations = evolve(task, options, seed, start, request.parallel, context.check, context.executor)
            for each in _until_stopped(generations, context):
                last = each
                history.append(float(last.ratings[0]))
                words = f"generation {last.number}, best {history[-1]:.4f}"
                advance(last.number, options.generations, words, best=history[-1])
                if last.number % options.write_interval == 0:
                    written += _write_best(last, task, themes, symbols, options, folder)
                    context.written(written[-1])
        if last is None:
            shutil.rmtree(folder, ignore_errors=True)  # there is nothing in it but copies
            raise Stopped("stopped before the first generation was rated")
        # The last generation is written too, unless it just was.
        if last.number % options.write_interval:
            written += _write_best(last, task, themes, symbols, options, folder)
            context.written(written[-1])
        spent = time.monotonic() - started
        facts = {"seed": seed, "options": dataclasses.asdict(options), "sources": [str(path) for path in files],
                 "ratings": history, "seconds": round(spent, 2)}  # fmt: skip
        with staged(folder / EVOLUTION) as made:
            if request.save:
                write_networks(last.networks, made.file(MODELS))
            plot_ratings(history, made.file(RATINGS))
            made.commit(facts)
        context.say(f"{len(history)} generations in {duration(spent)}, best rating {history[-1]:.4f}: {written[-1]}")
        if context.stop_requested():
            raise Stopped(f"stopped after {last.number} of {options.generations} generations, all saved in {folder}")
    return written


def _until_stopped(generations: Iterator[Generation], context: Context) -> Iterator[Generation]:
    """Yields the generations that are complete when evolution is stopped."""
    try:
        for each in generations:
            yield each
            if context.stop_requested():
                return
    except Stopped:  # within a generation, which is then lost
        return


def _themes(path: Path, options: EvolveOptions, context: Context) -> list[Theme]:
    reading = read_score(path)
    for remark in reading.remarks:
        context.say(f"note: {path}: {remark}")
    score = reading.score
    themes = themes_of(score, str(path), options.chords, options.all_parts, options.part)
    chosen = ", ".join(f"{theme.part} ({in_words(score.parts[theme.part])})" for theme in themes)
    instead = None if options.all_parts or options.part is not None else skipped_part(themes[0])
    why = "" if instead is None else f", for part {instead} ({in_words(score.parts[instead])}) is chords"
    context.say(f"{path}: re-pitching part {chosen}{why}")
    left_out = sum(theme.left_out for theme in themes)
    if left_out:
        context.say(f"note: {path}: {left_out} notes begin together with others and are left out; --chords keeps them")
    return themes


def _new_folder(output: Path, files: Sequence[Path]) -> Path:
    """A folder named after the time, with copies of the files."""
    name = datetime.now().strftime("%Y%m%d_%H%M%S")
    try:
        make_folder(output)
        for before in output.glob("*/"):
            remove_torn(before)
        folder = _first_free(output, name)
    except OSError as error:
        raise MusicComposerError(f"{output} cannot be written to: {reason(error)}") from error
    names = [EVOLUTION, MODELS, RATINGS]
    with staged(folder / EVOLUTION) as copies:
        for number, path in enumerate(files):
            names.append(f"{number}-{path.name}" if path.name in names else path.name)
            try:
                shutil.copyfile(path, copies.file(names[-1]))
            except OSError as error:
                raise MusicComposerError(f"{path} cannot be copied to {folder}: {reason(error)}") from error
        copies.commit()
    return folder


def _first_free(output: Path, name: str) -> Path:
    """Makes a folder that nobody had made before. Raises OSError."""
    for more in ("", *(f"_{number}" for number in range(2, 1000))):
        with contextlib.suppress(FileExistsError):
            (output / (name + more)).mkdir()
            return output / (name + more)
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(output / name))


def _write_best(
    generation: Generation,
    task: Task,
    themes: Sequence[Theme],
    symbols: Sequence[Symbol],
    options: EvolveOptions,
    folder: Path,
) -> list[Path]:
    """Writes the music of the best network with its accompaniment: a MIDI file for each score that was read."""
    codes = generated_codes(generation.networks.take(np.arange(1)), task)[0]
    parts = np.split(codes, np.cumsum([len(theme.symbols) for theme in themes])[:-1])
    # By identity: two files with equal notes are two scores.
    scores = list({id(theme.score): theme.score for theme in themes}.values())
    # In hundredths, as in the file names of bach_generator.
    rating = round(100 * round(float(generation.ratings[0]), 2))
    with staged(folder / EVOLUTION) as made:
        for number, score in enumerate(scores):
            mine = {
                theme.part: repitched(theme, [symbols[code] for code in part], options.rhythm)
                for theme, part in zip(themes, parts, strict=True)
                if theme.score is score
            }
            file = "" if len(scores) == 1 else f"_{number}"
            write_midi(with_themes(score, mine), made.file(f"output_{generation.number}_{rating}{file}.mid"))
        return made.commit()
