"""What lies beside a WAV: how it was made, as JSON, and its spectrogram."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from music_composer import plots
from music_composer.files import write_json
from music_composer.options import GenerateOptions
from music_composer.training import run

if TYPE_CHECKING:
    from music_composer.audio.output import Written
    from music_composer.audio.prompts import Prompt


def write_liner_notes(file: Written, number: int, here: run.Run, options: GenerateOptions, seed: int) -> None:
    """The JSON and the spectrogram beside a WAV. number: of the sample; with `seed` it gives the same one again."""
    plain = {
        "seed": seed,
        "number": number,
        **_heard(file.prompt),
        "new_music_from_second": round(file.cut, 3),
        "clipped_samples": file.clipped,
        "model": str(here.folder),
        "model_options": dataclasses.asdict(here.model),
        "options": dataclasses.asdict(options),
        "versions": run.versions(),
    }
    write_json(file.path.with_suffix(".json"), plain)
    plots.plot_spectrogram(file.path, file.path.with_suffix(".png"), here.frame, cut=file.cut)


def _heard(prompt: Prompt) -> dict[str, Any]:
    """The recording that is continued, or both that are blended."""
    if not prompt.voices:
        return {"prompt": _place(prompt)}
    return {"blend": [_place(voice) | {"share": share} for voice, share in prompt.voices]}


def _place(prompt: Prompt) -> dict[str, Any]:
    """To the microsecond, so that the sample can be told from it."""
    return {"file": str(prompt.source), "until_second": round(prompt.cut, 6)}
