"""What lies beside a WAV: how it was made, as JSON, and its spectrogram."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from music_composer.audio.plots import plot_spectrogram
from music_composer.audio.prompts import Prompt, cut_of
from music_composer.files.atomic import read_json
from music_composer.files.outputs import Staged, close_grown, staged
from music_composer.options import GenerateOptions, InfillOptions, StreamOptions
from music_composer.stopping import requested
from music_composer.training import run_folder

if TYPE_CHECKING:
    from music_composer.audio.continuation.writing import Written
    from music_composer.audio.gap import Filling, Gap

CUT = "new_music_from_second"  # of the WAV
JUMPS = "jumps"  # seconds of the WAV at which what is played goes on elsewhere; only players that jump say them


def cut_said(path: Path) -> float:
    """The second at which the new music of a WAV begins; 0 where no notes say it."""
    return next(iter(_said(path, CUT)), 0.0)


def jumps_said(path: Path) -> list[float]:
    """Seconds at which the player of a WAV jumped; none where no notes say any."""
    return _said(path, JUMPS)


def write_liner_notes(
    files: Staged, path: Path, file: Written, number: int, here: run_folder.Run, options: GenerateOptions, seed: int
) -> None:
    """Gives a continuation its name, `path`, with a JSON and a spectrogram beside it.

    files: where it was written. number: of the sample; with `seed` it gives the same one again.
    """
    _draw(files, path, here, [file.cut])
    files.commit(notes_of(file, number, here, options, seed))


def notes_of(file: Written, number: int, here: run_folder.Run, options: GenerateOptions, seed: int) -> dict[str, Any]:
    """How a continuation was made: what the JSON beside it says."""
    music = {"seed": seed, "number": number, **_heard(file.prompt), CUT: round(file.cut, 3), **_jumps(file.jumps)}
    return _notes(music, file.clipped, here, options)


def write_stream_notes(
    path: Path,
    prompt: Prompt,
    clipped: int,
    jumps: Sequence[float],
    here: run_folder.Run,
    options: GenerateOptions,
    streaming: StreamOptions,
    seed: int,
) -> None:
    """The same beside a WAV that was heard while it grew."""
    cut = cut_of(prompt, options, here.frame)
    music = {"seed": seed, "number": 0, **_heard(prompt), CUT: round(cut, 3), **_jumps(jumps)}
    close_grown(path, _notes(music | {"stream_options": dataclasses.asdict(streaming)}, clipped, here, options))
    with staged(path.with_suffix(".json"), options.overwrite) as files:
        _draw(files, path, here, [cut], path)
        files.commit()


def write_infill_notes(
    files: Staged,
    path: Path,
    gap: Gap,
    filling: Filling,
    clipped: int,
    here: run_folder.Run,
    options: GenerateOptions,
    infill: InfillOptions,
    seed: int,
) -> None:
    """The same beside a recording whose gap was filled; both edges of the gap are marked."""
    _draw(files, path, here, [gap.start / here.frame.rate, gap.stop / here.frame.rate])
    files.commit(infill_notes_of(gap, filling, clipped, here, options, infill, seed))


def infill_notes_of(
    gap: Gap,
    filling: Filling,
    clipped: int,
    here: run_folder.Run,
    options: GenerateOptions,
    infill: InfillOptions,
    seed: int,
) -> dict[str, Any]:
    """How a gap was filled: what the JSON beside the recording says."""
    edges = [gap.start / here.frame.rate, gap.stop / here.frame.rate]
    music = {
        "seed": seed,
        "infill": {"file": str(gap.path), "from_second": round(edges[0], 6), "to_second": round(edges[1], 6)},
        "candidate": filling.join.candidate,
        "distances_db": filling.join.distances,
        "speed": round(filling.speed, 4),
        **_jumps([(filling.first + at) / here.frame.rate for at in filling.jumps]),
        "infill_options": dataclasses.asdict(infill),
    }
    return _notes(music, clipped, here, options)


def _said(path: Path, key: str) -> list[float]:
    """A number, or several, of the JSON beside a WAV; none where there is no such JSON."""
    try:
        said = read_json(path.with_suffix(".json"))[key]
        return [float(each) for each in (said if isinstance(said, list) else [said])]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _jumps(seconds: Sequence[float]) -> dict[str, Any]:
    """What is said of them: nothing of music without any."""
    return {JUMPS: [round(each, 3) for each in seconds]} if seconds else {}


def _draw(files: Staged, path: Path, here: run_folder.Run, cuts: Sequence[float], written: Path | None = None) -> None:
    """The spectrogram of what will be, or was written to `path`."""
    if not requested():  # of hours of music it would take a while
        picture = files.file(path.with_suffix(".png").name)
        plot_spectrogram(written or files.file(path.name), picture, here.frame, cuts)


def _notes(music: dict[str, Any], clipped: int, here: run_folder.Run, options: GenerateOptions) -> dict[str, Any]:
    plain = dataclasses.asdict(options)
    del plain["overwrite"]
    return {
        **music,
        "clipped_samples": clipped,
        "model": str(here.folder),
        "model_options": dataclasses.asdict(here.model),
        "options": plain,
        "versions": run_folder.versions(),
    }


def _heard(prompt: Prompt) -> dict[str, Any]:
    """The recording that is continued, or both that are blended."""
    if not prompt.voices:
        return {"prompt": _place(prompt)}
    return {"blend": [_place(voice) | {"share": share} for voice, share in prompt.voices]}


def _place(prompt: Prompt) -> dict[str, Any]:
    """To the microsecond, so that the sample can be told from it."""
    return {"file": str(prompt.source), "until_second": round(prompt.cut, 6)}
