"""Playing from a memory: runs of real sound, coloured, laid end to end, in two layers. No Keras."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from music_composer.audio.memory.analysis.heard import Recording, hear
from music_composer.audio.memory.analysis.layers import Layers
from music_composer.audio.memory.memory import Memory, memory_of
from music_composer.audio.memory.options import MemoryOptions
from music_composer.audio.memory.splice import SpliceOptions, Splicer
from music_composer.audio.memory.walk import longest_run, next_run, start, use
from music_composer.audio.prompts import with_channels
from music_composer.options import FrameOptions
from music_composer.values import Played, Waveform


def play(
    recordings: Sequence[Recording],
    prompt: Waveform,
    frame: FrameOptions,
    options: MemoryOptions,
    rng: np.random.Generator,
    beside: Waveform | None = None,
    blend: float = 0.5,
) -> Iterator[Played]:
    """Blocks of new music without end, with the prompt's channels, coloured beyond full scale at times.

    The first block begins `options.splice.fade` samples before the cut, with the prompt's own sound, which fades out.
    prompt: all of the real sound up to the cut. It is the last recording of the memory, and nothing that truly follows
    it is played where it is found in another one. recordings: may be empty; then the prompt alone is played. Where all
    that may be played is shorter than two runs, it is played again and again; where it is silent, silence is played.
    Blocks are of any length; what is kept between them does not grow. They jump where a run begins that does not go on
    from the one before; the first run, at the cut, is no jump.

    beside: another prompt, of which a share of `blend` of the steps come that are the prompts' own. Raises OptionError
    for a prompt of less than three steps (70 ms) or at another rate than `frame.rate`, and what
    `Recording.sound` raises.
    """
    heard = hear(prompt, frame, options.steps)
    others = (hear(beside, frame, options.steps),) if beside else ()
    memory = memory_of(recordings, heard, frame, options, others, blend=blend if beside else None)
    return (_layered if options.two_layers else _plain)(memory, heard.samples, options, rng)


class Voice:
    """The sound of one walk's runs. jumps: samples at which its runs begin elsewhere, that are not given out yet."""

    def __init__(self, memory: Memory, lead: np.ndarray, options: SpliceOptions) -> None:
        self.memory, self.channels, self.splicer = memory, lead.shape[1], Splicer(lead, options)
        self.samples, self.jumps, self.last = 0, list[int](), -1

    def play(self, first: int, last: int) -> np.ndarray:
        """first, last: places of the run. Returns what is certain by now, as `Splicer.push` does."""
        self._begin(first)
        sound, before = self._run(first, last, 0)
        found = self.splicer.push(sound, before)
        self.samples, self.last = self.samples + len(found), last
        return found

    def land(self, first: int, last: int, due: int, right: np.ndarray) -> np.ndarray:
        """The last run, and what is heard behind it, which begins at sample `due` of all, see `Splicer.land`."""
        self._begin(first)
        options = self.splicer.options
        sound, before = self._run(first, last, options.fade + 2 * options.search + self.memory.step)
        return self.splicer.land(sound, before, due - self.samples, right)

    def _begin(self, first: int) -> None:
        if self.samples and first != self.last + 1:
            self.jumps.append(self.samples + self.splicer.options.fade)

    def _run(self, first: int, last: int, behind: int) -> tuple[np.ndarray, int]:
        """The sound of a run and so many samples behind it, after what precedes it; and how much that is."""
        memory, part = self.memory, self.memory.part[first]
        begin = int(first - memory.firsts[part]) * memory.step
        before, count = min(self.splicer.options.before, begin), int(last + 1 - first) * memory.step + behind
        recording, colour = memory.recordings[part], None if memory.own[first] else memory.colour
        margin = colour.options.margin if colour else 0
        sound = with_channels(recording.sound(begin - before - margin, begin + count + margin), self.channels)
        if colour:
            middle = min(int((first + last) // 2 - memory.firsts[part]), len(recording.steps) - 1)
            sound = colour.filtered(sound, colour.gains_at(recording.steps.levels, middle))
        return sound[margin : len(sound) - margin], before


def _plain(memory: Memory, lead: np.ndarray, options: MemoryOptions, rng: np.random.Generator) -> Iterator[Played]:
    """One walk."""
    voice, state = Voice(memory, lead, options.splice), start(memory)
    while True:
        samples = voice.play(*next_run(memory, state, options, options.first_walk, rng))
        yield _given([voice], voice.samples - len(samples), samples)


def _layered(memory: Memory, lead: np.ndarray, options: MemoryOptions, rng: np.random.Generator) -> Iterator[Played]:
    """What rings comes from one walk; what strikes from another, which follows the onsets of the first.

    In the fade out of the prompt the sound changes from that of the first walk to the two layers, since these differ
    from the prompt as soon as what comes does.
    """
    ringing, striking = (Layer(memory, lead, options, strikes) for strikes in (False, True))
    first, second = start(memory), start(memory)
    given, onsets, needed = 0, np.zeros(0, np.float32), longest_run(memory, options.walk) + options.views.coming
    fade = np.linspace(1.0, 0.0, options.splice.fade, dtype=np.float32)[:, None]
    while True:
        while len(onsets) < needed:
            run = next_run(memory, first, options, options.first_walk, rng)
            onsets = np.concatenate([onsets, memory.onsets[run[0] : run[1] + 1]])
            use(memory, second.used, *run, options.walk)
            ringing.play(*run)
        run = next_run(memory, second, options, options.second_walk, rng, onsets)
        onsets = onsets[run[1] + 1 - run[0] :]
        striking.play(*run)
        count = min(len(ringing.ready[0]), len(striking.ready[0]))
        (rings, whole), (strikes, _) = ringing.take(count), striking.take(count)
        block = rings + strikes
        alone = fade[: len(block)]
        block[: len(alone)] += alone * (whole - block)[: len(alone)]
        fade = fade[len(alone) :]
        yield _given([ringing.voice, striking.voice], given, block)
        given += len(block)


def _given(voices: Sequence[Voice], first: int, samples: np.ndarray) -> Played:
    """Samples from the one of that number on, with the jumps of the voices among them."""
    return Played(samples, jumps_of(voices, first, len(samples)))


def jumps_of(voices: Sequence[Voice], first: int, count: int) -> tuple[int, ...]:
    """The jumps of the voices in so many samples from the one of that number on. They are given out once."""
    stop = first + count
    jumps = sorted({at for voice in voices for at in voice.jumps if at < stop})
    for voice in voices:
        voice.jumps = [at for at in voice.jumps if at >= stop]
    return tuple(at - first for at in jumps)


class Layer:
    """One layer of a walk's sound; what is not asked for yet is kept in `ready`: the layer, and the whole sound."""

    def __init__(self, memory: Memory, lead: np.ndarray, options: MemoryOptions, strikes: bool) -> None:
        self.voice, self.layers = Voice(memory, lead, options.splice), Layers(lead.shape[1], options.layers, strikes)
        before = lead[: len(lead) - options.splice.fade][-options.layers.delay :]
        self.skipped = len(before)  # samples that are heard to separate what follows them, and not given out
        self.ready = self.layers.push(before)

    def play(self, first: int, last: int) -> None:
        """Adds a run."""
        self.add(self.voice.play(first, last))

    def add(self, samples: np.ndarray) -> None:
        """Adds what the voice has played."""
        new = self.layers.push(samples)
        layer, whole = (np.concatenate(pair) for pair in zip(self.ready, new, strict=True))
        dropped = min(self.skipped, len(layer))
        self.skipped -= dropped
        self.ready = layer[dropped:], whole[dropped:]

    def take(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The next `count` samples of both."""
        taken = self.ready[0][:count], self.ready[1][:count]
        self.ready = self.ready[0][count:], self.ready[1][count:]
        return taken
