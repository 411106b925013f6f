"""Which music each sample is to continue: recordings that were given, random places of the dataset, kept excerpts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from music_composer.audio.prompts import Excerpt, Prompt, blend_prompts, random_excerpts, read_prompt, whole_recording
from music_composer.audio.recording import read_excerpt, survey
from music_composer.audio.wav import write_flac
from music_composer.data import cache
from music_composer.errors import OptionError, RunFolderError
from music_composer.options import FolderOptions, GenerateOptions
from music_composer.training.run import Run

KEPT_PROMPTS, KEPT_PROMPT_SECONDS = 8, 10.0  # excerpts in the run folder


def excerpts_for(
    folders: FolderOptions,
    here: Run,
    options: GenerateOptions,
    prompts: Sequence[Path],
    blend: Sequence[Path],
    seed: int,
) -> list[list[Excerpt]]:
    """What each sample is to continue: the recordings of `blend` together, those of `prompts` in turn, or random
    places of the dataset.

    Where the dataset is not at hand, the excerpts that were kept in the run folder stand in for it; RunFolderError
    where there are none. A prompt that is not a file is an OptionError.
    """
    require_files("--prompt", prompts)
    require_files("--blend", blend)
    if blend:
        return [[whole_recording(path, options.prompt_seconds) for path in blend]] * options.count
    ready = None if prompts else cache.open_cache(folders.datasets, folders.traindata, here.frame)
    if ready:
        return [[each] for each in random_excerpts(_places(ready), options.count, options.prompt_seconds, seed)]
    files = list(prompts) or sorted(here.prompts.glob("*.flac"))
    if not files:
        raise RunFolderError(f"there is no dataset and no {here.prompts} to take prompts from: give one with --prompt")
    return [[whole_recording(files[i % len(files)], options.prompt_seconds)] for i in range(options.count)]


def hear(chosen: Sequence[Excerpt], here: Run, blend_share: float) -> Prompt:
    """Reads what one sample is to continue: an excerpt, or two to be blended.

    Raises RecordingError when there is too little sound in one.
    """
    heard = [read_prompt(excerpt, here.channels, here.model.stack, here.frame) for excerpt in chosen]
    return blend_prompts(heard[0], heard[1], blend_share) if len(heard) == 2 else heard[0]


def remarks_on(chosen: Sequence[Sequence[Excerpt]]) -> list[str]:
    """What is odd about the recordings that were named as prompts, a line each."""
    paths = dict.fromkeys(excerpt.path for each in chosen for excerpt in each if excerpt.whole)
    return [f"{path}: {remark}" for path in paths for remark in survey(path).remarks]


def keep_prompts(ready: cache.Cache, here: Run, seed: int) -> None:
    """Copies a few excerpts into the run folder, so that `generate` needs nothing else."""
    for i, excerpt in enumerate(random_excerpts(_places(ready), KEPT_PROMPTS, KEPT_PROMPT_SECONDS, seed)):
        sound = read_excerpt(excerpt.path, here.frame.rate, excerpt.start, excerpt.seconds)
        write_flac(here.prompts / f"prompt-{i}.flac", sound)


def require_files(flag: str, paths: Sequence[Path]) -> None:
    """Raises OptionError for a path that is not a file. flag: the option that it was given with."""
    for path in paths:
        if not path.is_file():
            raise OptionError(f"{flag} {path}: there is no such file")


def _places(ready: cache.Cache) -> list[Excerpt]:
    """Where there is music in the dataset's recordings."""
    rate = ready.options.frames_per_second
    return [
        Excerpt(ready.datasets / song.source, song.start / rate, (song.stop - song.start) / rate)
        for song in ready.songs
    ]
