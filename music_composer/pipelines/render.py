"""MIDI files to WAV files, several at a time; and a folder of them to recordings that the audio model learns from."""

from __future__ import annotations

import contextlib
import dataclasses
import filecmp
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

import music_composer
from music_composer import parallel
from music_composer.audio.wav import write_wav
from music_composer.context import SILENT, Context
from music_composer.data.folder import scores_in
from music_composer.errors import MusicComposerError, OutputError, ScoreError
from music_composer.files.locks import locked_output
from music_composer.files.outputs import (
    Output,
    beside,
    clean,
    is_free_or_ours,
    is_ours,
    numbered,
    require_free,
    said_by,
    staged,
)
from music_composer.files.temporary import scratch_folder
from music_composer.pipelines.requests import RenderRequest
from music_composer.progress import duration
from music_composer.symbolic.midi.midi_file import write_midi
from music_composer.symbolic.notation.score_file import FORMATS, Reading, read_score
from music_composer.synth import soundfont
from music_composer.synth.options import RenderOptions
from music_composer.synth.render import RATE, check_length, check_voices, render_blocks, seconds_at


@dataclasses.dataclass(frozen=True)
class Rendered:
    """The result of a file. seconds: of sound. remarks: on what was repaired. failure: the reason in a line, or ""."""

    seconds: float = 0.0
    remarks: tuple[str, ...] = ()
    failure: str = ""


def require_renderable(options: RenderOptions, name: str = "", count: int = 0) -> None:
    """Raises ScoreError for a SoundFont that cannot be played, OutputError for WAVs NAME-0.wav, ... of others."""
    if options.soundfont:
        soundfont.check(options.soundfont)
    if name and count > 0:
        require_free([beside(wav) for wav in numbered(name, count, ".wav")], options.overwrite)


def render_files(request: RenderRequest, context: Context = SILENT) -> list[Path]:
    """Renders MIDI files, and all of each folder among them, to WAVs; returns these.

    What comes out as it was is not written again, so that recordings that are learnt from are not prepared twice. A
    JSON beside each WAV names it: a WAV that is not named is refused unless it may be overwritten. Files that cannot be
    read, or written, are named and left out. Raises OptionError when there is no such voice, ScoreError when nothing is
    left.
    """
    options = request.sound
    if options.soundfont:
        soundfont.check(options.soundfont)
    else:
        check_voices(options.voices)
    pairs, failed = _pairs(request.files, request.output, lambda line: context.say(f"note: {line}"))
    ready, in_the_way = _writable(pairs, options)
    clean(_output(target) for _, target in ready)
    started = time.monotonic()
    results = _in_parallel(ready, options, context)
    failed = list(dict.fromkeys([*failed, *in_the_way, *(result.failure for result in results if result.failure)]))
    written = [target for (_, target), result in zip(ready, results, strict=True) if not result.failure]
    for (source, _), result in zip(ready, results, strict=True):
        for remark in result.remarks:
            context.say(f"note: {source}: {remark}")
    if not written:
        raise ScoreError(failed[0] if len(failed) == 1 else "nothing was rendered:\n  " + "\n  ".join(failed))
    for reason in failed:
        context.say(f"note: left out: {reason}")
    for path in written:
        context.written(path)
    spent, seconds = time.monotonic() - started, sum(result.seconds for result in results)
    speed, others = seconds / max(spent, 1e-3), " and others" if len(written) > 1 else ""
    context.say(
        f"{len(written)} of {len(pairs)} files, {duration(seconds)} of music in {spent:.1f} s, {speed:.0f} x real "
        f"time: {written[0]}{others}"
    )
    return written


def render_file(source: Path, target: Path, options: RenderOptions) -> Rendered:
    """Renders one file. Whatever goes wrong with it is in the result: one file never stops the others."""
    remarks: tuple[str, ...] = ()
    try:
        reading = read_score(source)
        remarks = tuple(reading.remarks)
        if not reading.score.count:
            raise ScoreError(f"{source}: has no notes in it")
        check_length(reading.score)
        with _blocks(source, reading, target, options) as blocks:
            samples = _write(target, blocks, _facts(source, options), options.overwrite)
        return Rendered(samples / RATE, remarks)
    except MusicComposerError as error:
        failure = str(error)
    except MemoryError:
        failure = "needs more memory than there is"
    except Exception as error:  # of a library, over a file that no test has foreseen
        failure = f"cannot be rendered: {type(error).__name__}: {str(error)[:200]}"
    named = str(source) in failure or str(target) in failure
    return Rendered(0.0, remarks, failure if named else f"{source}: {failure}")


@contextlib.contextmanager
def _blocks(source: Path, reading: Reading, target: Path, options: RenderOptions) -> Iterator[Iterable[np.ndarray]]:
    """The sound of a file in blocks. fluidsynth is given what we have read where that is not what the file says."""
    score, font = reading.score, options.soundfont
    if not font:
        yield render_blocks(score, options.voices, folder=target.parent)
        return
    seconds = float(seconds_at(score, np.array([score.ticks]))[0])
    if source.suffix.lower() not in FORMATS and not reading.remarks:
        yield soundfont.render_blocks_with(font, source, seconds)
        return
    with scratch_folder() as folder:
        midi = folder / f"{source.name}.mid"
        write_midi(score, midi)
        yield soundfont.render_blocks_with(font, midi, seconds)


def _pairs(
    files: Sequence[Path], output: Path | None, say: Callable[[str], None]
) -> tuple[list[tuple[Path, Path]], list[str]]:
    """Pairs of a MIDI file and where it is rendered to, folders keep their subfolders; and what is left out, and why.

    Raises ScoreError when two of the files that were named would be written to one place.
    """
    named = [(path, _wav(output / path.name if output else path)) for path in files if not path.is_dir()]
    twice = [target for target, count in Counter(target for _, target in named).items() if count > 1]
    if twice:
        raise ScoreError(f"{twice[0]} would be written twice: render files of the same name into folders of their own")
    sources, failed = {target: source for source, target in named}, []
    for folder in filter(Path.is_dir, files):
        try:
            found = scores_in(folder, make=False, ours=True, say=say)
        except ScoreError as error:
            failed.append(str(error))
            continue
        for source in found:
            target = _wav(output / source.relative_to(folder) if output else source)
            if sources.setdefault(target, source) != source:
                failed.append(f"{source}: {target} is made of {sources[target]} already")
    return [(source, target) for target, source in sources.items()], failed


def _writable(pairs: Sequence[tuple[Path, Path]], options: RenderOptions) -> tuple[list[tuple[Path, Path]], list[str]]:
    """Those whose WAV can be written, and why the others cannot."""
    ready, failed = [], []
    for source, target in pairs:
        try:
            require_free([_output(target)], options.overwrite, [source])
            ready.append((source, target))
        except OutputError as error:
            failed.append(str(error))
    return ready, failed


def _wav(path: Path) -> Path:
    return path.with_suffix(".wav")


def _output(target: Path) -> Output:
    """A WAV and the JSON that names it: song.json, or song.wav.json where the first is somebody else's."""
    beside = target.with_suffix(".json")
    return Output(beside if is_free_or_ours(beside) else target.with_name(f"{target.name}.json"), (target.name,))


def _in_parallel(pairs: Sequence[tuple[Path, Path]], options: RenderOptions, context: Context) -> list[Rendered]:
    """What `render_file` returns of each."""
    jobs = [(*pair, options) for pair in pairs]
    processes = min(len(jobs), os.cpu_count() or 1)
    here: parallel.Executor = parallel.Processes(processes) if processes > 1 else parallel.Sequential()
    with context.stage("rendering", "files", interruptible=False) as advance:
        finished = 0

        def done(number: int, result: object) -> None:
            nonlocal finished
            finished += 1
            advance(finished, len(pairs), pairs[number][0].name)

        results = parallel.map(render_file, jobs, context.executor or here, done, (Exception,), context.check)
    return [
        result if isinstance(result, Rendered) else Rendered(failure=f"{source}: {result}")
        for (source, _), result in zip(pairs, results, strict=True)
    ]


def _facts(source: Path, options: RenderOptions) -> dict[str, object]:
    played: dict[str, object] = {"voices": list(options.voices)}
    if options.soundfont:
        played = {"soundfont": str(options.soundfont)}
    return {"source": str(source), **played, "version": music_composer.__version__}


def _write(target: Path, blocks: Iterable[np.ndarray], facts: dict[str, object], overwrite: bool) -> int:
    """Writes 16 bits a sample, and returns how many samples; a file of ours that is like that already is left alone."""
    manifest = _output(target).manifest
    with staged(manifest, overwrite) as files:
        part = files.file(target.name)
        with write_wav(part, RATE, 2, "PCM_16") as writer:
            for block in blocks:
                writer.write(block)
        with locked_output(target, wait=True):
            if not (is_ours(target, manifest) and filecmp.cmp(part, target, shallow=False)):
                files.commit({**said_by(manifest), "rendered": facts})
    return writer.samples
