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

from music_composer import networks_midi, plots
from music_composer.errors import OptionError, ScoreError
from music_composer.files import write_json
from music_composer.options import FolderOptions, TrainOptions
from music_composer.symbolic import run as symbolic_run
from music_composer.symbolic.bounds import bounds_of, gap_of, laid_over, lengthened, without
from music_composer.symbolic.dataset import Song, read_songs
from music_composer.symbolic.encoding import CLOCK, to_piece
from music_composer.symbolic.encoding import to_roll as played_roll
from music_composer.symbolic.frames import to_roll, to_score
from music_composer.symbolic.lessons import VoicesLessons
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
    """Writes MIDI files: new music, what follows a primer, what goes with tracks of it, or some of its bars anew."""
    here = symbolic_run.read_run(folders.model)
    kept, open_steps = _kept(primer, options, here)
    samples = [bounds_of(kept, open_steps, here.model, bounds)] * options.count
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    model = networks_midi.trained_network(here)
    from music_composer.symbolic.generate import play_within
    from music_composer.symbolic.models.voices_player import VoicesPlayer

    rngs = [np.random.default_rng([seed, number]) for number in range(options.count)]
    started = time.monotonic()
    player = VoicesPlayer(model, here.model.most + 1)
    drafts = options.drafts if options.lock_tracks or options.from_bar else 1  # else nothing is locked that is to come
    chords, manners = play_within(player, samples, rngs, options.temperature, drafts)
    tempo = options.qpm or (kept.tempos[0][1] if primer else here.tempo)
    paths = [Path(f"{options.name}-{number}.mid") for number in range(options.count)]
    for number, path in enumerate(paths):
        made = played_roll(chords[number], manners[number], here.model, kept)
        if options.qpm:
            made = dataclasses.replace(made, tempos=((0, options.qpm),))
        made = laid_over(made, kept)
        write_midi(to_score(made, options.program), path)
        plots.plot_roll(made, kept.sounding, path.with_suffix(".png"))
        write_json(path.with_suffix(".json"), _notes(number, seed, primer, here, options, bounds))
    spent, seconds = time.monotonic() - started, options.count * open_steps.sum() / here.per_quarter * 60 / tempo
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


def _kept(primer: Path | None, options: PlayOptions, here: SymbolicRun) -> tuple[Roll, np.ndarray]:
    """What is kept of the primer, as long as the whole piece will be, and where notes may be added, bool (steps,)."""
    if primer is None:
        if options.lock_tracks or options.from_bar:
            raise OptionError("--lock-track and --from-bar do nothing without --primer-midi: give that too")
        none = np.zeros((0, 128), np.uint8)
        silence = Roll(none, none.astype(bool), here.per_quarter, ((0, here.tempo),), ((0, *here.metre),))
        return lengthened(silence, options.steps), np.ones(options.steps, bool)
    score = read_midi(primer).score
    if options.lock_tracks:
        wrong = [track for track in options.lock_tracks if not 0 <= track < len(score.parts)]
        if wrong:
            raise OptionError(f"--lock-track {wrong[0]}: {primer} has tracks 0 to {len(score.parts) - 1}")
        score = dataclasses.replace(score, parts=tuple(score.parts[track] for track in options.lock_tracks))
    roll = to_roll(score, here.per_quarter)
    if not roll.steps:
        raise ScoreError(f"{primer}: has no notes in it to go on from")
    if options.lock_tracks:
        return roll, np.ones(roll.steps, bool)
    if options.from_bar:
        gap = gap_of(roll, options.from_bar, options.to_bar)
        return without(roll, gap), gap
    return lengthened(roll, options.steps), np.arange(roll.steps + options.steps) >= roll.steps


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
