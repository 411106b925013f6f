"""Selects the prompt of each sample: given recordings, random places of the dataset, or excerpts in the run folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.dataset import cache
from music_composer.audio.dataset.shards import Song
from music_composer.audio.options import MEMORY, FrameOptions, ModelOptions
from music_composer.audio.play_options import GenerateOptions
from music_composer.audio.prompts import (
    CONTEXT_FRAMES,
    Excerpt,
    Prompt,
    blend_prompts,
    edge_frames,
    pair_prompts,
    read_prompt,
    read_sound,
    whole_recording,
)
from music_composer.audio.reading.recording import survey
from music_composer.audio.spectrogram import floor
from music_composer.audio.wav import write_flac
from music_composer.data.options import FolderOptions
from music_composer.errors import CacheError, OptionError, RecordingError, RunFolderError
from music_composer.values import Waveform

KEPT_PROMPTS, KEPT_PROMPT_SECONDS = 8, 10.0  # excerpts stored in the run folder
MAX_DRAWS = 32  # places tried for one excerpt
SOUNDING = 0.5  # share of an excerpt that should sound
ALONE_SECONDS = 1.0  # a shorter recording is joined with the recordings before it
MAX_JOINED = 256

Say = Callable[[str], None]


def prompts_for(
    folders: FolderOptions,
    run: Run,
    options: GenerateOptions,
    prompts: Sequence[Path],
    blend: Sequence[Path],
    seed: int,
    say: Say,
) -> Callable[[int], Prompt]:
    """Returns a function from the number of a sample to its prompt.

    Prompts are the two recordings of `blend` together, the recordings of `prompts` in turn, or random places of the
    dataset that sound. Without a dataset, excerpts of the run folder are used. Raises RunFolderError where there are
    none, OptionError for a prompt that is not a file.
    """
    require_prompts(prompts, blend, options, run.model.frames_per_step, run.frame)
    ready = None if prompts or blend else cache.open_cache(folders.datasets, folders.traindata, run.frame)
    if ready:
        return RandomPrompts(ready, run, options.prompt_seconds, seed, say)
    files = list(prompts) or sorted(run.prompts.glob("*.flac"))
    if not files and not blend:
        raise RunFolderError(f"there is no dataset and no {run.prompts} to take prompts from: give one with --prompt")
    # Prompts beyond the number of samples are never read.
    for path in dict.fromkeys([*blend, *prompts[: options.count]]):
        for remark in survey(path).remarks:
            say(f"note: {path}: {remark}")

    def prompt(number: int) -> Prompt:
        chosen = blend or [files[number % len(files)]]
        return load_prompt([whole_recording(path, options.prompt_seconds) for path in chosen], run, options.blend_share)

    return prompt


def load_prompt(chosen: Sequence[Excerpt], run: Run, blend_share: float) -> Prompt:
    """Reads the prompt of one sample: one excerpt, or two that are blended.

    Raises RecordingError when an excerpt holds too little sound.
    """
    prompts = [read_prompt(excerpt, run.channels, run.model.frames_per_step, run.frame) for excerpt in chosen]
    if len(prompts) == 1:
        return prompts[0]
    return (pair_prompts if run.model.head == MEMORY else blend_prompts)(prompts[0], prompts[1], blend_share)


@dataclasses.dataclass(frozen=True)
class RandomPrompts:
    """Random excerpts of the dataset. Each depends only on the seed and its number.

    A place that cannot be read any more, or has become silent, is drawn again.
    """

    ready: cache.Cache
    run: Run
    seconds: float
    seed: int
    say: Say

    def __call__(self, number: int) -> Prompt:
        """Raises RecordingError where no excerpt can be used."""
        return self.draw(number)[1]

    def draw(self, number: int) -> tuple[Excerpt, Prompt]:
        """Returns an excerpt and its prompt."""
        failure: RecordingError | None = None
        for excerpt in usable_excerpts(self.ready, self.run, self.seconds, self.seed, number):
            try:
                return excerpt, load_prompt([excerpt], self.run, 0.0)
            except RecordingError as error:
                if failure is None:
                    self.say(f"note: {error}; another excerpt is drawn")
                failure = error
        raise failure or RecordingError(
            f"no recording of {self.ready.datasets} has {_min_frames(self.run.model.frames_per_step)} frames of sound "
            "that can be continued"
        )


def usable_excerpts(ready: cache.Cache, run: Run, seconds: float, seed: int, number: int) -> Iterator[Excerpt]:
    """Yields places of about `seconds` that sound according to the cache. Long recordings are drawn more often.

    Places of which at least half sounds come first, then others that are just enough.
    """
    # Streams 0 and 1 of a sample belong to `players.generator`.
    rng = np.random.default_rng([seed, number, 2])
    lengths = np.array([song.stop - song.start for song in ready.songs], np.float64)
    wanted = max(1, ready.options.frames_in(seconds))
    poor: list[tuple[float, Excerpt]] = []
    for _ in range(MAX_DRAWS):
        index = int(rng.choice(len(lengths), p=lengths / lengths.sum()))
        pieces = _place(ready, index, wanted, float(rng.uniform()))
        share = _sounding_share(ready, pieces, run)
        excerpt = _excerpt(ready, pieces)
        if share >= SOUNDING:
            yield excerpt
        elif share > 0:
            poor.append((share, excerpt))
    yield from (excerpt for _, excerpt in sorted(poor, key=lambda each: -each[0]))


def draw_prompts(ready: cache.Cache, run: Run, seed: int, say: Say) -> list[Waveform]:
    """Draws the excerpts that a run folder stores, so that `generate` works without the dataset.

    Raises RecordingError where the dataset has no usable excerpt.
    """
    drawn = RandomPrompts(ready, run, KEPT_PROMPT_SECONDS, seed, say)
    return [read_sound(drawn.draw(i)[0], run.channels, run.frame.rate) for i in range(KEPT_PROMPTS)]


def keep_prompts(run: Run, drawn: Sequence[Waveform]) -> None:
    """Writes excerpts into the run folder."""
    for i, sound in enumerate(drawn):
        write_flac(run.prompts / f"prompt-{i}.flac", sound)


def require_files(flag: str, paths: Sequence[Path]) -> None:
    """Raises OptionError for a path that is not a file. flag: the option that gave it."""
    for path in paths:
        if not path.is_file():
            raise OptionError(f"{flag} {path}: {'this is no file' if path.exists() else 'there is no such file'}")


def require_prompts(
    prompts: Sequence[Path],
    blend: Sequence[Path],
    options: GenerateOptions,
    frames_per_step: int = ModelOptions.frames_per_step,
    frame: FrameOptions = FrameOptions(),
) -> None:
    """Refuses prompts that cannot be continued, before any training. Raises OptionError or RecordingError."""
    require_files("--prompt", prompts)
    require_files("--blend", blend)
    for path in (*prompts[: options.count], *blend):
        read_prompt(whole_recording(path, options.prompt_seconds), 2, frames_per_step, frame)


Piece = tuple[Song, int, int]  # frames start..stop of a song, counted from its first sounding frame


def _place(ready: cache.Cache, index: int, wanted: int, share: float) -> list[Piece]:
    """Returns frames of song number `index`, placed by `share`; a short song comes with the songs before it."""
    song = ready.songs[index]
    length = song.stop - song.start
    if length >= min(wanted, ready.options.frames_in(ALONE_SECONDS)):
        start = int(share * (max(0, length - wanted) + 1))
        return [(song, start, min(length, start + wanted))]
    pieces: list[Piece] = []
    while wanted > 0 and len(pieces) < MAX_JOINED:
        song = ready.songs[index]
        length = min(wanted, song.stop - song.start)
        pieces.insert(0, (song, song.stop - song.start - length, song.stop - song.start))
        wanted -= length
        index = (index - 1) % len(ready.songs)
    return pieces


def _sounding_share(ready: cache.Cache, pieces: Sequence[Piece], run: Run) -> float:
    """Returns the share of pieces that sounds; 0 where they cannot be a prompt, or a shard is missing."""
    options = ready.options
    loud: list[np.ndarray] = []
    try:
        for song, start, stop in pieces:
            levels = cache.load_frames(ready, song)[start:stop].max(axis=(1, 2)).astype(np.float32)
            threshold = max(song.loudest + options.silence_db * np.log(10) / 20, np.log(2 * floor(options)))
            loud.append(levels > threshold)
    except CacheError:
        return 0.0
    # Windows at the beginning reach over the edge of the excerpt and are left out of the prompt.
    sounds = np.concatenate(loud)[edge_frames(options) :]
    places = np.flatnonzero(sounds)
    if not len(places) or places[-1] + 1 < _min_frames(run.model.frames_per_step):
        return 0.0
    return len(places) / len(sounds)


def _min_frames(frames_per_step: int) -> int:
    """Returns the frames that a prompt needs, with a margin for its edges."""
    return CONTEXT_FRAMES + 2 * frames_per_step + 4


def _excerpt(ready: cache.Cache, pieces: Sequence[Piece]) -> Excerpt:
    rate = ready.options.frames_per_second
    *before, last = [
        Excerpt(ready.datasets / song.source, (song.start + start) / rate, (stop - start) / rate)
        for song, start, stop in pieces
    ]
    return dataclasses.replace(last, before=tuple(before))
