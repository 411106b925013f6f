"""Continuations of the cuts of an album that need no network: what every row has to beat in order, or in being new."""

import numpy as np

from memory.cuts import RATE, Album, Cut
from music_composer.evaluation.audio import baselines
from music_composer.evaluation.audio.baselines import BaselineOptions


def shuffled_prompt(album: Album, cut: Cut, rng: np.random.Generator) -> np.ndarray:
    """The prompt in pieces, in any order, as often as it takes."""
    return baselines.shuffled(cut.prompt(), cut.part, RATE, rng, BaselineOptions())


def random_splices(album: Album, cut: Cut, rng: np.random.Generator) -> np.ndarray:
    """Pieces from anywhere in the training music."""
    tracks = album.training
    lengths = [track.seconds for track in tracks]
    return baselines.random_splices(
        lengths, lambda i, start, stop: tracks[i].load(start, stop), cut.part, RATE, rng, BaselineOptions()
    )


def other_track(album: Album, cut: Cut, rng: np.random.Generator) -> np.ndarray:
    """The next held-out track's own part: real music that does not go on with this one."""
    which = (album.cuts.index(cut) + 1) % len(album.cuts)
    return album.cuts[which].truth()


def prompts_end(album: Album, cut: Cut, rng: np.random.Generator) -> np.ndarray:
    """The prompt's end once more, as long as the part or all there is: real music from before the cut."""
    return cut.track.load(max(0.0, cut.at - cut.part), cut.at)
