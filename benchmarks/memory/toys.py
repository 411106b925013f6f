"""Continuations that need no network: what every row has to beat in order, or in being new."""

import numpy as np

from memory.cuts import RATE, Album, Cut


def shuffled_prompt(album: Album, cut: Cut, rng: np.random.Generator) -> np.ndarray:
    """The prompt in pieces of 1.2 to 2.4 s, in any order, as often as it takes."""
    prompt = cut.prompt()
    pieces, length = [], 0
    while length < cut.part * RATE:
        size = round(rng.uniform(1.2, 2.4) * RATE)
        start = int(rng.integers(0, len(prompt) - size))
        pieces.append(prompt[start : start + size])
        length += size
    return joined(pieces)


def random_splices(album: Album, cut: Cut, rng: np.random.Generator) -> np.ndarray:
    """Pieces of 1.2 to 2.4 s from anywhere in the training music."""
    seconds = np.array([track.seconds for track in album.training])
    pieces, length = [], 0
    while length < cut.part * RATE:
        track = album.training[rng.choice(len(seconds), p=seconds / seconds.sum())]
        size = rng.uniform(1.2, 2.4)
        start = rng.uniform(0, track.seconds - size)
        pieces.append(track.load(start, start + size))
        length += len(pieces[-1])
    return joined(pieces)


def other_track(album: Album, cut: Cut, rng: np.random.Generator) -> np.ndarray:
    """The next held-out track's own part: real music that does not go on with this one."""
    which = (album.cuts.index(cut) + 1) % len(album.cuts)
    return album.cuts[which].truth()


def prompts_end(album: Album, cut: Cut, rng: np.random.Generator) -> np.ndarray:
    """The prompt's end once more, as long as the part or all there is: real music from before the cut."""
    return cut.track.load(max(0.0, cut.at - cut.part), cut.at)


def joined(pieces: list[np.ndarray], fade: int = 1024) -> np.ndarray:
    """Pieces end to end, faded into each other at equal power."""
    across = np.linspace(0, np.pi / 2, fade, dtype=np.float32)[:, None]
    total = [pieces[0]]
    for piece in pieces[1:]:
        last = total[-1]
        total[-1] = last[:-fade]
        total += [last[-fade:] * np.cos(across) + piece[:fade] * np.sin(across), piece[fade:]]
    return np.concatenate(total)
