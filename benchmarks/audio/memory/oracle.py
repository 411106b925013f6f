"""A recombiner from PyPI beside ours: `vmo`, the Variable Markov Oracle (Wang & Dubnov 2014), on the prompt.

Needs `pip install --no-deps vmo`. It needs librosa and scikit-learn for its plots and segmentation only, so that empty
modules stand in for them here.
"""

import random
import sys
import types

import numpy as np

from memory.cuts import RATE, Album, Cut
from music_composer.evaluation.audio.baselines import joined

HOP = 8192  # samples of a state: 0.19 s


def improvised(album: Album, cut: Cut, rng: np.random.Generator) -> np.ndarray:
    """Goes on from the prompt's end by the oracle's own improvisation; its threshold is the one of most information."""
    for name in ("librosa", "sklearn", "sklearn.cluster"):
        sys.modules.setdefault(name, types.ModuleType(name))
    import vmo
    from vmo.generate import improvise

    prompt = cut.prompt()
    states = _chroma(prompt)
    random.seed(int(rng.integers(1 << 30)))
    np.random.seed(int(rng.integers(1 << 30)))
    best = vmo.find_threshold(states, r=(0.0, 0.5, 0.02), flag="a", dfunc="cosine", dim=states.shape[1])
    oracle = vmo.build_oracle(states, flag="a", threshold=best[0][1], dfunc="cosine", dim=states.shape[1])
    path = improvise(oracle, round(cut.part * RATE / HOP) + 2, k=oracle.n_states - 2, LRS=2, weight="lrs", continuity=4)
    pieces, at, padded = [], 0, np.pad(prompt, ((0, HOP + 1024), (0, 0)))
    while at < len(path):
        end = at
        while end + 1 < len(path) and path[end + 1] == path[end] + 1:
            end += 1
        first, last = path[at] - 1, path[end]  # state 0 is the root
        pieces.append(padded[max(0, first) * HOP : last * HOP + 1024])
        at = end + 1
    return joined([piece for piece in pieces if len(piece) > 2048])


def _chroma(samples: np.ndarray) -> np.ndarray:
    """(states, 12), each summing to 1."""
    frames = samples.mean(axis=1)[: len(samples) // HOP * HOP].reshape(-1, HOP) * np.hanning(HOP)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    frequency = np.maximum(np.fft.rfftfreq(HOP, 1 / RATE), 1.0)
    inside = (frequency > 80) & (frequency < 4000)
    pitch = np.round(69 + 12 * np.log2(frequency / 440.0)).astype(int) % 12
    chroma = np.stack([power[:, inside & (pitch == i)].sum(axis=1) for i in range(12)], axis=1) + 1e-9
    return chroma / chroma.sum(axis=1, keepdims=True)
