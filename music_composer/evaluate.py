"""What there is to be judged: a run folder against the music that it never heard, or any folder against any other.

Knows where things are; what is measured is in `evaluation`.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from music_composer import compose, excerpts, play_audio, plots
from music_composer.audio.codec import log_spectral_error, through_codec
from music_composer.audio.prompts import whole_recording
from music_composer.audio.recording import read_excerpt, seconds_of
from music_composer.audio.wav import write_flac
from music_composer.errors import MusicComposerError, RunFolderError
from music_composer.evaluation import scorecard
from music_composer.evaluation.enough import require_windows_in, require_windows_of
from music_composer.evaluation.hearing import Measures, Span, hear, lengths_in
from music_composer.files import STEM_LENGTH, read_json
from music_composer.held_out import divided, heard_of, pieces_of, spared_recordings, split_of
from music_composer.leftovers import scratch_folder
from music_composer.locks import locked
from music_composer.networks import trained_network
from music_composer.options import EvaluateOptions, FolderOptions, FrameOptions, GenerateOptions, StreamOptions
from music_composer.outputs import Output, Staged, clean, require_free, staged
from music_composer.tables import write_page
from music_composer.training import checkpoint, devices, run
from music_composer.training.progress import duration, progress_bar, say

Say = Callable[[str], None]
CARD, PAGE, MINUTES, COPIED = "scorecard.json", "scorecard.html", "minutes.png", "most-copied.png"


def evaluate_run(
    folders: FolderOptions,
    options: EvaluateOptions,
    held_out: Path | None = None,
    say: Say = say,
    playing: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Continues held-out music with the run folder's model, and judges what comes out. Returns the scorecard.

    held_out: a folder of recordings that were not trained on; None takes the regions of the dataset that were left out
    of training. playing: fields of GenerateOptions other than their defaults.
    """
    require_windows_of(options, Measures())
    devices.require_backend()
    prompts = [f"prompts/prompt-{i:02d}.flac" for i in range(max(options.count, options.long_count))]
    require_free([_card(options, prompts)], options.overwrite)
    here = run.read_run(folders.model)
    state = checkpoint.read_state(here.checkpoint)
    if state is None:
        raise RunFolderError(f"{here.checkpoint} is missing: run `music-composer train` first")
    ready = compose.prepare(folders, here.frame, say)
    training, spared = divided(ready, split_of(ready, here, say))
    if held_out:  # then the whole dataset is what is compared with
        training, spared = training + spared, spared_recordings(held_out, say)
    training = heard_of(training, say)
    real = spared if held_out else pieces_of(spared)
    if not real:
        raise MusicComposerError(
            f"nothing of {folders.datasets} was held out of training, it is too short: "
            "give recordings that were not trained on with --held-out"
        )
    require_windows_in("the training music", training, Measures())
    require_windows_in("the held-out music", real, Measures())
    with locked(options.output, folders.wait, say):
        clean([_card(options, prompts)])
        heard = _write_prompts(real, options, prompts, here)
        return _continued(folders, options, here, training, real, heard, playing, say)


def _continued(
    folders: FolderOptions,
    options: EvaluateOptions,
    here: run.Run,
    training: Sequence[Span],
    real: Sequence[Span],
    prompts: Sequence[Path],
    playing: Mapping[str, Any],
    say: Say,
) -> dict[str, Any]:
    """Continues the prompts, puts real music through the model's codec, and judges both."""
    lengths = {"continuation": (options.seconds, options.count), "long": (options.long_seconds, options.long_count)}
    wanted = [
        GenerateOptions(name=str(options.output / name), seconds=seconds, count=count, overwrite=options.overwrite)
        for name, (seconds, count) in lengths.items()
        if count
    ]
    made = [
        _continuations(folders, prompts, dataclasses.replace(each, seed=options.seed, **playing), say)
        for each in wanted
    ]
    continuations = [span for spans, _ in made for span in spans]
    say("putting music through frames and back")
    names = [f"codec/{_coded_name(i, span)}" for i, span in enumerate(real)]
    clean([_card(options, names)])
    with staged(options.output / CARD, options.overwrite) as files:
        write_coded(real, [files.file(name) for name in names], here, options.seed)
        files.commit()
    codec = [Span(options.output / name, trim=span.trim) for name, span in zip(names, real, strict=True)]
    error = _codec_error(real, codec, here.frame)
    facts = {**_facts(here, made), "codec_error_db": error, "first_sound_seconds": _first_sound(here, prompts[0])}
    with scratch_folder() as scratch:
        pieces = pieces_of(training)
        paths = [scratch / _coded_name(i, span) for i, span in enumerate(pieces)]
        write_coded(pieces, paths, here, options.seed)
        coded = [Span(path, trim=span.trim) for path, span in zip(paths, pieces, strict=True)]
        return _judge(continuations, training, real, options, facts, say, codec, coded)


def evaluate_folders(
    generated: Path, reference: Path, options: EvaluateOptions, held_out: Path | None = None, say: Say = say
) -> dict[str, Any]:
    """Judges any recordings by any others. Without `held_out`, a tenth of each reference recording is the ruler."""
    require_free([_card(options)], options.overwrite)
    recordings = lengths_in(reference, say)
    if held_out:
        training = [Span(path, trim=True) for path in recordings]
        real = spared_recordings(held_out, say)
    else:
        real = pieces_of([Span(path, 0.8 * length, 0.9 * length) for path, length in recordings.items()])
        training = [Span(path, stop=0.8 * length) for path, length in recordings.items()]
        training += [Span(path, 0.9 * length) for path, length in recordings.items()]
    made = [_after_the_cut(path) for path in lengths_in(generated, say, silent=True)]
    for what, spans in (("the reference", training), ("the held-out music", real), ("the generated music", made)):
        require_windows_in(what, spans, Measures())
    with locked(options.output, say=say):
        clean([_card(options)])
        return _judge(made, training, real, options, {"generated": str(generated)}, say)


def _card(options: EvaluateOptions, others: Sequence[str] = ()) -> Output:
    """The files of a scorecard. others: names beside those of every one."""
    return Output(options.output / CARD, (PAGE, MINUTES, COPIED, *others))


def _judge(
    made: Sequence[Span],
    training: Sequence[Span],
    real: Sequence[Span],
    options: EvaluateOptions,
    facts: dict[str, Any],
    say: Say,
    codec: Sequence[Span] = (),
    coded_training: Sequence[Span] = (),
) -> dict[str, Any]:
    """codec, coded_training: held-out and training music after frames and back, where there is a model's codec."""
    from music_composer.evaluation import report

    measures = Measures()
    started = time.monotonic()
    with progress_bar("listening") as advance:
        groups = (training, real, codec, made, coded_training)
        spans = [span for group in groups for span in group]
        heard = []
        for i, span in enumerate(spans):
            heard.append(hear(span, measures))
            advance(i + 1, len(spans), span.path.name)
    parts = iter(heard)
    trained, true, coded, played, flattened = ([next(parts) for _ in group] for group in groups)
    card = scorecard.scorecard_of(trained, true, coded, played, measures, flattened)
    card = {**card, "facts": {**facts, "judging_seconds": round(time.monotonic() - started, 1)}}
    with staged(options.output / CARD, options.overwrite) as files:
        pictures = _draw(card, made, files)
        write_page(files.file(PAGE), "The scorecard", report.summary_of(card), report.tables_of(card), pictures)
        files.commit(card)
    say(f"judged in {duration(time.monotonic() - started)}: {options.output / PAGE}")
    return card


def _draw(card: dict[str, Any], made: Sequence[Span], files: Staged) -> dict[str, list[str]]:
    """Pictures for the page: names of files, by the table that they go with."""
    pictures: dict[str, list[str]] = {}
    if card["minutes"]:
        plots.plot_minutes(card["minutes"], card["distance"][0], files.file(MINUTES))
        pictures["Minute by minute"] = [MINUTES]
    most = card["copying"]["made"][0]
    span = next(span for span in made if str(span.path) == most["file"])
    copied = [(most["at"], most["at"] + most["seconds"])] if most["seconds"] else []
    cuts = [span.start] if span.start else []
    plots.plot_spectrogram(span.path, files.file(COPIED), FrameOptions(), cuts, copied)
    pictures["Copying"] = [COPIED]
    return pictures


def _write_prompts(real: Sequence[Span], options: EvaluateOptions, names: Sequence[str], here: run.Run) -> list[Path]:
    """Excerpts of the held-out music, spread over it, so that no two continuations begin alike."""
    seconds = GenerateOptions().prompt_seconds
    with staged(options.output / CARD, options.overwrite) as files:
        for i, name in enumerate(names):
            span = real[i % len(real)]
            stop = min(span.stop, seconds_of(span.path))
            turns = -(-len(names) // len(real))
            latest = max(span.start, stop - seconds - 2.0)
            start = span.start + (i // len(real) + 0.5) / turns * (latest - span.start)
            write_flac(files.file(name), read_excerpt(span.path, here.frame.rate, start, min(seconds, stop - start)))
        return files.commit()


def _continuations(
    folders: FolderOptions, prompts: Sequence[Path], wanted: GenerateOptions, say: Say
) -> tuple[list[Span], dict[str, Any]]:
    started = time.monotonic()
    paths = play_audio.generate(folders, wanted, prompts[: wanted.count], say=say)
    spent, total = time.monotonic() - started, wanted.seconds * wanted.count
    facts = {"seconds": wanted.seconds, "count": wanted.count, "spent": round(spent, 1), "x_real_time": total / spent}
    return [_after_the_cut(path) for path in paths], facts


def _after_the_cut(path: Path) -> Span:
    """The new music of one of our own files; all of any other."""
    try:
        return Span(path, float(read_json(path.with_suffix(".json"))["new_music_from_second"]))
    except (OSError, ValueError, KeyError, TypeError, json.JSONDecodeError):
        return Span(path)


def _coded_name(number: int, span: Span) -> str:
    return f"{number:03d}-{span.path.stem[:STEM_LENGTH]}.flac"


def write_coded(spans: Sequence[Span], paths: Sequence[Path], here: run.Run, seed: int) -> None:
    """The music after frames and back, a FLAC for each span."""
    model = trained_network(here, GenerateOptions())
    encoder, decoder = (tuple(layer.get_weights()) for layer in (model.encoder, model.decoder))
    iterations = GenerateOptions().phase_iterations
    for i, (span, path) in enumerate(zip(spans, paths, strict=True)):
        stop = min(span.stop, seconds_of(span.path))
        sound = read_excerpt(span.path, here.frame.rate, span.start, stop - span.start)
        rng = np.random.default_rng([seed, i])
        decoded = through_codec(sound, encoder, decoder, here.model.stack, here.channels, here.frame, iterations, rng)
        write_flac(path, decoded)


def _codec_error(spans: Sequence[Span], coded: Sequence[Span], frame: FrameOptions) -> float:
    """The mean log-spectral error, dB, of music that `write_coded` has written."""
    errors = []
    for span, file in zip(spans, coded, strict=True):
        original, decoded = (
            read_excerpt(each.path, frame.rate, each.start, min(each.stop, seconds_of(each.path)) - each.start)
            for each in (span, file)
        )
        errors.append(log_spectral_error(original, decoded, frame))
    return float(np.mean(errors))


def _first_sound(here: run.Run, prompt: Path) -> float:
    """Seconds from a loaded model to the first sound of a stream."""
    from music_composer.audio.stream import stream_continuation

    options = GenerateOptions()
    model = trained_network(here, options)
    heard = excerpts.hear([whole_recording(prompt, options.prompt_seconds)], here, options.blend_share)
    started = time.monotonic()
    pieces = stream_continuation(model, here.frame, heard, options, StreamOptions(), seed=0)
    next(pieces)
    seconds = time.monotonic() - started
    pieces.close()
    return round(seconds, 2)


def _facts(here: run.Run, made: Sequence[tuple[list[Span], dict[str, Any]]]) -> dict[str, Any]:
    """How fast the model learnt and played."""
    import resource
    import sys

    state = checkpoint.read_state(here.checkpoint)
    units = 1024**2 if sys.platform == "darwin" else 1024  # of it in a megabyte: bytes there, kilobytes elsewhere
    epochs = [float(row["seconds"]) for row in state.history] if state else []
    return {
        "model": str(here.folder),
        "model_options": dataclasses.asdict(here.model),
        "versions": run.versions(),
        "epochs": len(epochs),
        "training_seconds": round(sum(epochs), 1),
        "seconds_an_epoch": round(sorted(epochs)[len(epochs) // 2], 2) if epochs else None,
        "generating": [facts for _, facts in made],
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / units),
    }
