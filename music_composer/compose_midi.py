"""The symbolic journey, leg by leg: MIDI files in, a trained model, MIDI files out. The only file that knows the order.

Mirrors compose.py. Keras is imported inside the legs that need it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from music_composer import networks_midi
from music_composer.errors import OptionError, ScoreError
from music_composer.files import write_json
from music_composer.options import FolderOptions, TrainOptions
from music_composer.symbolic import run as symbolic_run
from music_composer.symbolic.bounds import allowed_pitches
from music_composer.symbolic.dataset import Song, read_songs
from music_composer.symbolic.encoding import CLOCK, LOWEST, bar_clock, to_piece
from music_composer.symbolic.encoding import to_roll as played_roll
from music_composer.symbolic.frames import to_roll, to_score
from music_composer.symbolic.lessons import LOWEST_SHIFT, VoicesLessons
from music_composer.symbolic.midi import read_midi, write_midi
from music_composer.symbolic.options import BoundOptions, PlayOptions, VoicesOptions
from music_composer.symbolic.run import SymbolicRun
from music_composer.training import checkpoint, devices, run
from music_composer.training.job import next_job, run_job
from music_composer.training.progress import duration, progress_bar, say
from music_composer.values import Roll

Say = Callable[[str], None]
PER_QUARTER = 4


def train(
    folders: FolderOptions,
    model_options: Mapping[str, Any],
    options: TrainOptions,
    fresh: bool = False,
    then_generate: bool = False,
    say: Say = say,
) -> SymbolicRun:
    """Reads the MIDI files and trains in the run folder: on from what is there, unless `fresh`.

    model_options: the fields of VoicesOptions that were asked for. A run folder made with others is an OptionError.
    """
    old = None if fresh or not run.exists(folders.model) else symbolic_run.read_run(folders.model)
    if old:
        _check_fits(old, model_options)
    with progress_bar("reading") as advance:
        songs, remarks = read_songs(folders.datasets, old.per_quarter if old else PER_QUARTER, advance)
    for remark in remarks:
        say(f"note: {remark}")
    steps = sum(song.roll.steps for song in songs)
    say(f"{len(songs)} MIDI files, {steps} steps of a sixteenth; {len(remarks)} remarks")
    here = old or _new_run(folders.model, songs, VoicesOptions(**model_options), options)
    before = checkpoint.read_state(here.checkpoint) if old else None
    state = next_job(before, options, _digest(songs), then_generate, say)
    if state.job_done:
        return here
    devices.load_keras()
    if not old:
        symbolic_run.begin(here)
    _train_job(songs, here, options, state, say)
    return here


def generate(
    folders: FolderOptions,
    options: PlayOptions,
    bounds: BoundOptions,
    primer: Path | None = None,
    say: Say = say,
) -> list[Path]:
    """Writes MIDI files: new music, or what follows a primer."""
    here = symbolic_run.read_run(folders.model)
    heard = _primer(primer, here)
    whole = _lengthened(heard, options.steps)
    samples = [_bounds(heard, whole, here, bounds)] * options.count
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    model = networks_midi.trained_network(here)
    from music_composer.symbolic.generate import play_within
    from music_composer.symbolic.models.voices_player import VoicesPlayer

    rngs = [np.random.default_rng([seed, number]) for number in range(options.count)]
    started = time.monotonic()
    player = VoicesPlayer(model, here.model.most + 1)
    chords, manners = play_within(player, samples, rngs, options.temperature)
    tempo = options.qpm or (heard.tempos[0][1] if heard.steps else here.tempo)
    paths = []
    for number, (chord, manner) in enumerate(zip(chords, manners, strict=True)):
        path = Path(f"{options.name}-{number}.mid")
        roll = dataclasses.replace(played_roll(chord, manner, here.model, whole), tempos=((0, tempo),))
        write_midi(to_score(roll, options.program), path)
        write_json(path.with_suffix(".json"), _notes(number, seed, primer, here, options, bounds))
        paths.append(path)
    spent, seconds = time.monotonic() - started, options.count * options.steps / here.per_quarter * 60 / tempo
    say(f"{len(paths)} pieces in {duration(spent)}: {seconds / spent:.0f} x real time, seed {seed}")
    return paths


def compose(
    folders: FolderOptions,
    model_options: Mapping[str, Any],
    training: TrainOptions,
    playing: PlayOptions,
    bounds: BoundOptions,
    primer: Path | None = None,
    fresh: bool = False,
    say: Say = say,
) -> list[Path]:
    """The whole journey. Cut off anywhere, the same call goes on from there."""
    here = train(folders, model_options, training, fresh, then_generate=True, say=say)
    paths = generate(folders, playing, bounds, primer, say)
    checkpoint.mark_generated(here.checkpoint)
    return paths


def _check_fits(here: SymbolicRun, asked: Mapping[str, Any]) -> None:
    """Options that were typed must be those of the run folder."""
    have = dataclasses.asdict(here.model)
    if any(have[name] != value for name, value in asked.items()):
        raise OptionError(
            f"{here.folder} was made with -n {here.model.neurons}: leave this option out to go on with it, give "
            "another folder with -m, or start anew with --fresh"
        )


def _new_run(folder: Path, songs: Sequence[Song], model: VoicesOptions, options: TrainOptions) -> SymbolicRun:
    tempo = float(np.median([song.roll.tempos[0][1] for song in songs]))
    metres = [song.roll.metres[0][1:] for song in songs]
    model = dataclasses.replace(model, clock=CLOCK)
    return SymbolicRun(folder, model, PER_QUARTER, options.held_out, tempo, max(set(metres), key=metres.count))


def _digest(songs: Sequence[Song]) -> str:
    """Changes when the notes of any song do."""
    digest = hashlib.blake2b(digest_size=8)
    for song in songs:
        digest.update(song.roll.velocity.tobytes() + song.roll.struck.tobytes())
    return digest.hexdigest()


def divide(songs: Sequence[Song], held_out: float, seed: int) -> tuple[list[Song], list[Song]]:
    """What is trained on and what is not, whole songs; one at least is trained on, and of two or more one is not."""
    order = np.random.default_rng([seed, 0]).permutation(len(songs))
    count = min(len(songs) - 1, max(1, round(held_out * len(songs)))) if held_out else 0
    spared = set(order[:count].tolist())
    kept = [song for i, song in enumerate(songs) if i not in spared]
    return kept, [songs[i] for i in sorted(spared)]


def _train_job(
    songs: Sequence[Song], here: SymbolicRun, options: TrainOptions, state: checkpoint.TrainState, say: Say
) -> None:
    kept, spared = divide(songs, here.held_out, state.seed)
    training, judged = ([to_piece(song.roll, here.model) for song in part] for part in (kept, spared))
    lessons = VoicesLessons(training, judged, here.model, options.batch_size, options.window_steps)
    model = networks_midi.trainable_network(here, options, state.seed, say)
    weights = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    say(
        f"training the voices model, {weights / 1e6:.1f} million weights: {state.job_epochs} epochs of "
        f"{lessons.batches} steps, seed {state.seed}, {devices.describe()}"
    )

    run_job(model, lessons, here, options, state, say)


def _primer(path: Path | None, here: SymbolicRun) -> Roll:
    """What is gone on from; without a file nothing, in the metre of the music."""
    if path is None:
        none = np.zeros((0, 128), np.uint8)
        return Roll(none, none.astype(bool), here.per_quarter, ((0, here.tempo),), ((0, *here.metre),))
    roll = to_roll(read_midi(path).score, here.per_quarter)
    if not roll.steps:
        raise ScoreError(f"{path}: has no notes in it to go on from")
    return roll


def _lengthened(roll: Roll, steps: int) -> Roll:
    """With so many silent steps more."""
    more = np.zeros((steps, roll.velocity.shape[1]))
    velocity, struck = (np.concatenate([each, more.astype(each.dtype)]) for each in (roll.velocity, roll.struck))
    return dataclasses.replace(roll, velocity=velocity, struck=struck)


def _bounds(heard: Roll, whole: Roll, here: SymbolicRun, bounds: BoundOptions) -> Any:
    from music_composer.symbolic.generate import Bounds

    piece = to_piece(heard, here.model)
    steps, options = whole.steps, here.model
    locked = np.zeros((steps, options.pitches), np.int64)
    locked[: piece.steps] = np.where(piece.sounding, 1 + piece.manner, 0)
    fullest = np.full(steps, min(options.most, bounds.max_polyphony or options.most))
    fullest[: piece.steps] = 0
    keys = allowed_pitches(bounds)[LOWEST : LOWEST + options.pitches]
    if not keys.any():
        raise OptionError("nothing that --scale and --range allow lies on the keys of a piano, A0 to C8")
    return Bounds(bar_clock(whole), np.tile(keys, (steps, 1)), locked, fullest, shift=-LOWEST_SHIFT)


def _notes(
    number: int, seed: int, primer: Path | None, here: SymbolicRun, options: PlayOptions, bounds: BoundOptions
) -> dict[str, Any]:
    return {
        "number": number,
        "seed": seed,
        "primer": str(primer) if primer else None,
        "options": dataclasses.asdict(options),
        "bounds": dataclasses.asdict(bounds),
        "model": str(here.folder),
        "versions": run.versions(),
    }
