"""Music with known pulse, places and spectrum, at a quarter of the usual rate; steps are as long as usual."""

import numpy as np

from music_composer.audio.memory.analysis.colour import ColourOptions
from music_composer.audio.memory.analysis.layers import LayerOptions
from music_composer.audio.memory.analysis.recordings import analyze_prompt
from music_composer.audio.memory.options import MemoryOptions
from music_composer.audio.memory.splice import SpliceOptions
from music_composer.audio.options import FrameOptions
from music_composer.values import Waveform

FRAME = FrameOptions(rate=11025, window=512, hop=128, bands=96)
OPTIONS = MemoryOptions(
    splice=SpliceOptions(crossfade=331, search=88),
    layers=LayerOptions(fft=512, hop=128),
    colour=ColourOptions(margin=512),
)
RATE, STEP = FRAME.rate, 256
PER_SECOND = RATE / STEP


def played(seconds, seed=0, beat=0.5, bar=None, channels=2):
    """Notes struck every `beat` seconds, of random pitch and timbre; `bar`: so many notes come again and again."""
    rng = np.random.default_rng(seed)
    length, count = round(beat * RATE), int(seconds / beat) + 1
    time = np.arange(length) / RATE
    notes = []
    for _ in range(min(count, bar or count)):
        pitch, parts = 110 * 2 ** (rng.integers(36) / 12), rng.uniform(0, 1, 6)
        tone = sum(p * np.sin(2 * np.pi * pitch * (k + 1) * time) for k, p in enumerate(parts))
        noise = rng.standard_normal(length) * np.exp(-time / 0.02)
        notes.append((tone * np.exp(-time / rng.uniform(0.1, 0.4)) + noise) * rng.uniform(0.5, 1.0) / 8)
    sound = np.concatenate([notes[i % len(notes)] for i in range(count)])[: round(seconds * RATE)]
    return np.repeat(sound[:, None], channels, axis=1).astype(np.float32)


def recording(sound):
    """Returns sound as a recording of a memory."""
    return analyze_prompt(Waveform(sound, RATE), FRAME, OPTIONS.steps)
