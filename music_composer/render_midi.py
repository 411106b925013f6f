"""MIDI files to WAV files, several at a time; and a folder of them to recordings that the audio model learns from."""

from __future__ import annotations

import dataclasses
import io
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import soundfile

from music_composer.data.folder import scores_in
from music_composer.errors import MusicComposerError, ScoreError
from music_composer.files import whole_file
from music_composer.symbolic.midi import write_midi
from music_composer.symbolic.notation import FORMATS, read_score
from music_composer.synth import soundfont
from music_composer.synth.render import render
from music_composer.synth.voices import AUTO
from music_composer.training.progress import duration, progress_bar, say
from music_composer.values import Score, Waveform

Say = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class RenderOptions:
    """voices: layered, all of them at once. soundfont: played instead of them."""

    voices: tuple[str, ...] = (AUTO,)
    soundfont: Path | None = None


def render_files(files: Sequence[Path], output: Path | None, options: RenderOptions, say: Say = say) -> list[Path]:
    """Renders MIDI files, and all of each folder among them, into `output`, or beside each where that is None.

    What comes out as it was is not written again, so that recordings that are learnt from are not prepared twice. Files
    that cannot be read are named and left out. Raises ScoreError when that is all of them.
    """
    return _rendered([pair for path in files for pair in _targets(path, output)], options, say)


def render_file(source: Path, target: Path, options: RenderOptions) -> tuple[float, str]:
    """Returns how many seconds of sound there are now, and what went wrong, if anything did."""
    try:
        score = read_score(source).score
        if not score.count:
            raise ScoreError(f"{source}: has no notes in it")
        font = options.soundfont
        sound = _with_soundfont(font, source, score) if font else render(score, options.voices)
        _write(target, sound)
    except MusicComposerError as error:
        return 0.0, str(error)
    return sound.seconds, ""


def _with_soundfont(font: Path, source: Path, score: Score) -> Waveform:
    """fluidsynth reads MIDI files alone: notation is written as one first."""
    if source.suffix.lower() not in FORMATS:
        return soundfont.render_with(font, source)
    with tempfile.TemporaryDirectory() as folder:
        midi = Path(folder) / f"{source.name}.mid"
        write_midi(score, midi)
        return soundfont.render_with(font, midi)


def _targets(path: Path, output: Path | None) -> list[tuple[Path, Path]]:
    """Pairs of a MIDI file and where it is rendered to; folders keep their subfolders."""
    if not path.is_dir():
        return [(path, (output / path.name if output else path).with_suffix(".wav"))]
    return [
        (file, (output / file.relative_to(path) if output else file).with_suffix(".wav"))
        for file in scores_in(path, make=False, ours=True)
    ]


def _rendered(pairs: Sequence[tuple[Path, Path]], options: RenderOptions, say: Say) -> list[Path]:
    if options.soundfont:
        soundfont.check(options.soundfont)
    targets = [target for _, target in pairs]
    twice = [target for target, count in Counter(targets).items() if count > 1]
    if twice:
        raise ScoreError(f"{twice[0]} would be written twice: render files of the same name into folders of their own")
    started, seconds, written, failed = time.monotonic(), 0.0, [], []
    with progress_bar("rendering") as advance:
        for number, (found, reason) in enumerate(_in_parallel(pairs, options)):
            advance(number + 1, len(pairs), pairs[number][0].name)
            seconds += found
            failed += [reason] if reason else []
            written += [] if reason else [targets[number]]
    if not written:
        raise ScoreError(failed[0] if len(failed) == 1 else "nothing was rendered:\n  " + "\n  ".join(failed))
    for reason in failed:
        say(f"note: left out: {reason}")
    spent = time.monotonic() - started
    speed, others = seconds / max(spent, 1e-3), " and others" if len(written) > 1 else ""
    say(
        f"{len(written)} of {len(pairs)} files, {duration(seconds)} of music in {spent:.1f} s, {speed:.0f} x real "
        f"time: {written[0]}{others}"
    )
    return written


def _in_parallel(pairs: Sequence[tuple[Path, Path]], options: RenderOptions) -> Iterator[tuple[float, str]]:
    """What `render_file` returns of each, as soon as it is there."""
    processes = min(len(pairs), os.cpu_count() or 1)
    if processes < 2:
        yield from (render_file(*pair, options) for pair in pairs)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(render_file, *zip(*pairs, strict=True), [options] * len(pairs))


def _write(target: Path, sound: Waveform) -> None:
    """As 16 bits a sample; a file that is like that already is left alone."""
    made = io.BytesIO()
    soundfile.write(made, np.clip(sound.samples, -1, 1), sound.rate, subtype="PCM_16", format="WAV")
    if target.is_file() and target.read_bytes() == made.getvalue():
        return
    with whole_file(target) as part:
        part.write_bytes(made.getvalue())
