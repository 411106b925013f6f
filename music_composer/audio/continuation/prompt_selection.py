"""Which music each sample is to continue: recordings that were given, random places of the dataset, kept excerpts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from music_composer.audio.dataset import cache
from music_composer.audio.dataset.shards import Song
from music_composer.audio.prompts import (
    CONTEXT_FRAMES,
    Excerpt,
    Prompt,
    beside,
    blend_prompts,
    edge_frames,
    read_prompt,
    read_sound,
    whole_recording,
)
from music_composer.audio.reading.recording import survey
from music_composer.audio.spectrogram import floor
from music_composer.audio.wav import write_flac
from music_composer.errors import CacheError, OptionError, RecordingError, RunFolderError
from music_composer.options import MEMORY, FolderOptions, FrameOptions, GenerateOptions, ModelOptions
from music_composer.training.run_folder import Run
from music_composer.values import Waveform

KEPT_PROMPTS, KEPT_PROMPT_SECONDS = 8, 10.0  # excerpts in the run folder
MOST_DRAWS = 32  # places that are looked at for one excerpt
SOUNDING = 0.5  # share of an excerpt that should sound
ALONE_SECONDS = 1.0  # a recording that is shorter is heard together with those before it
MOST_JOINED = 256

Say = Callable[[str], None]


def prompts_for(
    folders: FolderOptions,
    here: Run,
    options: GenerateOptions,
    prompts: Sequence[Path],
    blend: Sequence[Path],
    seed: int,
    say: Say,
) -> Callable[[int], Prompt]:
    """What the sample of each number is to continue: the recordings of `blend` together, those of `prompts` in turn, or
    random places of the dataset that sound.

    Where the dataset is not at hand, the excerpts that were kept in the run folder stand in for it; RunFolderError
    where there are none. A prompt that is not a file is an OptionError.
    """
    require_prompts(prompts, blend, options, here.model.stack, here.frame)
    ready = None if prompts or blend else cache.open_cache(folders.datasets, folders.traindata, here.frame)
    if ready:
        return RandomPrompts(ready, here, options.prompt_seconds, seed, say)
    files = list(prompts) or sorted(here.prompts.glob("*.flac"))
    if not files and not blend:
        raise RunFolderError(f"there is no dataset and no {here.prompts} to take prompts from: give one with --prompt")
    for path in dict.fromkeys([*blend, *prompts[: options.count]]):
        for remark in survey(path).remarks:
            say(f"note: {path}: {remark}")

    def prompt(number: int) -> Prompt:
        chosen = blend or [files[number % len(files)]]
        return hear([whole_recording(path, options.prompt_seconds) for path in chosen], here, options.blend_share)

    return prompt


def hear(chosen: Sequence[Excerpt], here: Run, blend_share: float) -> Prompt:
    """Reads what one sample is to continue: an excerpt, or two to be blended.

    Raises RecordingError when there is too little sound in one.
    """
    heard = [read_prompt(excerpt, here.channels, here.model.stack, here.frame) for excerpt in chosen]
    if len(heard) == 1:
        return heard[0]
    return (beside if here.model.head == MEMORY else blend_prompts)(heard[0], heard[1], blend_share)


@dataclasses.dataclass(frozen=True)
class RandomPrompts:
    """Excerpts of the dataset by number; each depends on the seed and its number alone.

    A place that cannot be read any more, or has become silent, is drawn again.
    """

    ready: cache.Cache
    here: Run
    seconds: float
    seed: int
    say: Say

    def __call__(self, number: int) -> Prompt:
        """Raises RecordingError where no excerpt can be used."""
        return self.draw(number)[1]

    def draw(self, number: int) -> tuple[Excerpt, Prompt]:
        """The excerpt, and what is heard of it."""
        failure: RecordingError | None = None
        for excerpt in usable_excerpts(self.ready, self.here, self.seconds, self.seed, number):
            try:
                return excerpt, hear([excerpt], self.here, 0.0)
            except RecordingError as error:
                if failure is None:
                    self.say(f"note: {error}; another excerpt is drawn")
                failure = error
        raise failure or RecordingError(
            f"no recording of {self.ready.datasets} has {_least_frames(self.here.model.stack)} frames of sound that "
            "music can go on from"
        )


def usable_excerpts(ready: cache.Cache, here: Run, seconds: float, seed: int, number: int) -> Iterator[Excerpt]:
    """Places of about so many seconds that sound, as far as the cache knows; long recordings are drawn more often.

    Those of which at least half sounds come first, then others that are just enough.
    """
    rng = np.random.default_rng([seed, number, 2])
    lengths = np.array([song.stop - song.start for song in ready.songs], np.float64)
    wanted = max(1, ready.options.frames_in(seconds))
    poor: list[tuple[float, Excerpt]] = []
    for _ in range(MOST_DRAWS):
        index = int(rng.choice(len(lengths), p=lengths / lengths.sum()))
        pieces = _place(ready, index, wanted, float(rng.uniform()))
        share = _sounding_share(ready, pieces, here)
        excerpt = _excerpt(ready, pieces)
        if share >= SOUNDING:
            yield excerpt
        elif share > 0:
            poor.append((share, excerpt))
    yield from (excerpt for _, excerpt in sorted(poor, key=lambda each: -each[0]))


def draw_prompts(ready: cache.Cache, here: Run, seed: int, say: Say) -> list[Waveform]:
    """The sound of a few excerpts that a run folder keeps, so that `generate` needs nothing else.

    Raises RecordingError where the dataset has none that can be used.
    """
    drawn = RandomPrompts(ready, here, KEPT_PROMPT_SECONDS, seed, say)
    return [read_sound(drawn.draw(i)[0], here.channels, here.frame.rate) for i in range(KEPT_PROMPTS)]


def keep_prompts(here: Run, drawn: Sequence[Waveform]) -> None:
    """Writes excerpts into the run folder."""
    for i, sound in enumerate(drawn):
        write_flac(here.prompts / f"prompt-{i}.flac", sound)


def require_files(flag: str, paths: Sequence[Path]) -> None:
    """Raises OptionError for a path that is not a file. flag: the option that it was given with."""
    for path in paths:
        if not path.is_file():
            raise OptionError(f"{flag} {path}: {'this is no file' if path.exists() else 'there is no such file'}")


def require_prompts(
    prompts: Sequence[Path],
    blend: Sequence[Path],
    options: GenerateOptions,
    stack: int = ModelOptions.stack,
    frame: FrameOptions = FrameOptions(),
) -> None:
    """Refuses prompts that nothing can go on from, before anything is trained for them. Raises RecordingError."""
    require_files("--prompt", prompts)
    require_files("--blend", blend)
    for path in (*prompts[: options.count], *blend):
        read_prompt(whole_recording(path, options.prompt_seconds), 2, stack, frame)


Piece = tuple[Song, int, int]  # frames start..stop of a song, from its first that sounds


def _place(ready: cache.Cache, index: int, wanted: int, share: float) -> list[Piece]:
    """Frames of the song of that number, from `share` of its spare ones on; a short one with the songs before it."""
    song = ready.songs[index]
    length = song.stop - song.start
    if length >= min(wanted, ready.options.frames_in(ALONE_SECONDS)):
        start = int(share * (max(0, length - wanted) + 1))
        return [(song, start, min(length, start + wanted))]
    pieces: list[Piece] = []
    while wanted > 0 and len(pieces) < MOST_JOINED:
        song = ready.songs[index]
        length = min(wanted, song.stop - song.start)
        pieces.insert(0, (song, song.stop - song.start - length, song.stop - song.start))
        wanted -= length
        index = (index - 1) % len(ready.songs)
    return pieces


def _sounding_share(ready: cache.Cache, pieces: Sequence[Piece], here: Run) -> float:
    """How much of some pieces sounds; 0 where music cannot go on from them, or their shard is gone."""
    options = ready.options
    loud: list[np.ndarray] = []
    try:
        for song, start, stop in pieces:
            levels = cache.load_frames(ready, song)[start:stop].max(axis=(1, 2)).astype(np.float32)
            threshold = max(song.loudest + options.silence_db * np.log(10) / 20, np.log(2 * floor(options)))
            loud.append(levels > threshold)
    except CacheError:
        return 0.0
    sounds = np.concatenate(loud)[edge_frames(options) :]
    places = np.flatnonzero(sounds)
    if not len(places) or places[-1] + 1 < _least_frames(here.model.stack):
        return 0.0
    return len(places) / len(sounds)


def _least_frames(stack: int) -> int:
    """Frames that a prompt needs, with some to spare for its edges."""
    return CONTEXT_FRAMES + 2 * stack + 4


def _excerpt(ready: cache.Cache, pieces: Sequence[Piece]) -> Excerpt:
    rate = ready.options.frames_per_second
    *before, last = [
        Excerpt(ready.datasets / song.source, (song.start + start) / rate, (stop - start) / rate)
        for song, start, stop in pieces
    ]
    return dataclasses.replace(last, before=tuple(before))
