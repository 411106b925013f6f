"""Files beside a WAV: its metadata as JSON, and its spectrogram."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from music_composer.audio.continuation import run_folder
from music_composer.audio.play_options import GenerateOptions, InfillOptions, StreamOptions
from music_composer.audio.plots import plot_spectrogram
from music_composer.audio.prompts import CUT, Prompt, cut_of
from music_composer.files.atomic import read_json
from music_composer.files.outputs import Staged, close_grown, staged
from music_composer.records import to_plain
from music_composer.stopping import requested

if TYPE_CHECKING:
    from music_composer.audio.continuation.writing import Written
    from music_composer.audio.gap import Filling, Gap

JUMPS = "jumps"  # seconds of the WAV at which the player jumped; absent for players that never jump


def read_cut(path: Path) -> float:
    """Returns the second at which the new music of a WAV begins; 0 where no metadata gives it."""
    return next(iter(_read_numbers(path, CUT)), 0.0)


def read_jumps(path: Path) -> list[float]:
    """Returns the seconds at which the player of a WAV jumped; none where no metadata gives any."""
    return _read_numbers(path, JUMPS)


def write_metadata(
    files: Staged, path: Path, file: Written, number: int, run: run_folder.Run, options: GenerateOptions, seed: int
) -> None:
    """Commits a continuation to `path`, with its JSON and spectrogram.

    files: where it was written. number: of the sample; together with `seed` it reproduces the sample.
    """
    _draw(files, path, run, [file.cut])
    files.commit(metadata_of(file, number, run, options, seed))


def metadata_of(file: Written, number: int, run: run_folder.Run, options: GenerateOptions, seed: int) -> dict[str, Any]:
    """Returns the metadata of a continuation: the content of its JSON."""
    music = {"seed": seed, "number": number, **_sources(file.prompt), CUT: round(file.cut, 3), **_jumps(file.jumps)}
    return _metadata(music, file.clipped, run, options)


def write_stream_metadata(
    path: Path,
    prompt: Prompt,
    clipped: int,
    jumps: Sequence[float],
    run: run_folder.Run,
    options: GenerateOptions,
    streaming: StreamOptions,
    seed: int,
) -> None:
    """Writes JSON and spectrogram of a WAV that grew while it played."""
    cut = cut_of(prompt, options, run.frame)
    music = {"seed": seed, "number": 0, **_sources(prompt), CUT: round(cut, 3), **_jumps(jumps)}
    # The JSON first: a spectrogram of hours may be cut off by Ctrl-C.
    close_grown(path, _metadata(music | {"stream_options": to_plain(streaming)}, clipped, run, options))
    with staged(path.with_suffix(".json"), options.overwrite) as files:
        _draw(files, path, run, [cut], path)
        files.commit()


def write_infill_metadata(
    files: Staged,
    path: Path,
    gap: Gap,
    filling: Filling,
    clipped: int,
    run: run_folder.Run,
    options: GenerateOptions,
    infill: InfillOptions,
    seed: int,
) -> None:
    """Commits a recording whose gap was filled, with its JSON and a spectrogram that marks the gap."""
    _draw(files, path, run, [gap.start / run.frame.rate, gap.stop / run.frame.rate])
    files.commit(infill_metadata_of(gap, filling, clipped, run, options, infill, seed))


def infill_metadata_of(
    gap: Gap,
    filling: Filling,
    clipped: int,
    run: run_folder.Run,
    options: GenerateOptions,
    infill: InfillOptions,
    seed: int,
) -> dict[str, Any]:
    """Returns the metadata of a filled gap: the content of its JSON."""
    edges = [gap.start / run.frame.rate, gap.stop / run.frame.rate]
    music = {
        "seed": seed,
        "infill": {"file": str(gap.path), "from_second": round(edges[0], 6), "to_second": round(edges[1], 6)},
        "candidate": filling.join.candidate,
        "distances_db": filling.join.distances,
        "speed": round(filling.speed, 4),
        **_jumps([(filling.first + at) / run.frame.rate for at in filling.jumps]),
        "infill_options": to_plain(infill),
    }
    return _metadata(music, clipped, run, options)


def _read_numbers(path: Path, key: str) -> list[float]:
    """Returns one number, or several, from the JSON beside a WAV; none where there is no such JSON."""
    try:
        value = read_json(path.with_suffix(".json"))[key]
        return [float(each) for each in (value if isinstance(value, list) else [value])]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _jumps(seconds: Sequence[float]) -> dict[str, Any]:
    """Returns the entry for jumps; empty for music without any."""
    return {JUMPS: [round(second, 3) for second in seconds]} if seconds else {}


def _draw(files: Staged, path: Path, run: run_folder.Run, cuts: Sequence[float], written: Path | None = None) -> None:
    """Draws the spectrogram of a file that will be `path`, or was already written there."""
    if not requested():  # hours of music would take a while
        picture = files.file(path.with_suffix(".png").name)
        plot_spectrogram(written or files.file(path.name), picture, run.frame, cuts)


def _metadata(music: dict[str, Any], clipped: int, run: run_folder.Run, options: GenerateOptions) -> dict[str, Any]:
    """Adds model, options and versions to the entries of some music."""
    plain = to_plain(options)
    # It says nothing about the music.
    del plain["overwrite"]
    return {
        **music,
        "clipped_samples": clipped,
        "model": str(run.folder),
        "model_options": to_plain(run.model),
        "options": plain,
        "versions": run_folder.versions(),
    }


def _sources(prompt: Prompt) -> dict[str, Any]:
    """Returns the entry of the prompt, or of both prompts of a blend."""
    if not prompt.blended:
        return {"prompt": _place(prompt)}
    return {"blend": [_place(voice) | {"share": share} for voice, share in prompt.blended]}


def _place(prompt: Prompt) -> dict[str, Any]:
    """Returns file and time of a prompt, to the microsecond so that they identify the sample."""
    return {"file": str(prompt.source), "until_second": round(prompt.cut, 6)}
