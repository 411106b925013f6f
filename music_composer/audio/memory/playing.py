"""Plays from a memory: runs of real sound, coloured, joined end to end, in two layers. No Keras."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from music_composer.audio.memory.analysis.layers import Layers
from music_composer.audio.memory.analysis.recordings import Recording, analyze_prompt
from music_composer.audio.memory.memory import Memory, memory_of
from music_composer.audio.memory.options import MemoryOptions
from music_composer.audio.memory.splice import SpliceOptions, Splicer
from music_composer.audio.memory.walk import longest_run, next_run, start, use
from music_composer.audio.options import FrameOptions
from music_composer.audio.prompts import with_channels
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
    """Yields blocks of new music without end, with the prompt's channels. Colouring may exceed full scale.

    The first block begins `options.splice.crossfade` samples before the cut, with the prompt's own sound, which fades
    out. Blocks have any length, and the state between them does not grow. Runs that do not continue the run before
    begin with a jump; the first run, at the cut, does not count as one.

    recordings: may be empty; then only the prompt is played. If all playable music is shorter than two runs, it
    repeats; if it is silent, silence is played. prompt: all real sound up to the cut. What truly follows it in another
    recording is not played. beside: a second prompt, with a share of `blend` among the prompts' own steps.

    Raises OptionError for a prompt of less than three steps (70 ms) or at another rate than `frame.rate`, and whatever
    `Recording.sound` raises.
    """
    recording = analyze_prompt(prompt, frame, options.steps)
    others = (analyze_prompt(beside, frame, options.steps),) if beside else ()
    memory = memory_of(recordings, recording, frame, options, others, blend=blend if beside else None)
    return (_layered if options.two_layers else _plain)(memory, recording.samples, options, rng)


class Voice:
    """The sound of one walk. jumps: samples at which its runs jump, not yet given out."""

    def __init__(self, memory: Memory, lead: np.ndarray, options: SpliceOptions) -> None:
        self.memory, self.channels, self.splicer = memory, lead.shape[1], Splicer(lead, options)
        self.samples, self.jumps, self.last = 0, list[int](), -1

    def play(self, first: int, last: int) -> np.ndarray:
        """Adds a run from place `first` to place `last`. Returns the samples that are final, see `Splicer.push`."""
        self._begin(first)
        sound, before = self._run(first, last, 0)
        found = self.splicer.push(sound, before)
        self.samples, self.last = self.samples + len(found), last
        return found

    def land(self, first: int, last: int, due: int, right: np.ndarray) -> np.ndarray:
        """Adds the last run and the sound after it, which begins at sample `due` of all, see `Splicer.land`."""
        self._begin(first)
        options = self.splicer.options
        sound, before = self._run(first, last, options.crossfade + 2 * options.search + self.memory.step)
        return self.splicer.land(sound, before, due - self.samples, right)

    def _begin(self, first: int) -> None:
        if self.samples and first != self.last + 1:
            self.jumps.append(self.samples + self.splicer.options.crossfade)

    def _run(self, first: int, last: int, behind: int) -> tuple[np.ndarray, int]:
        """Returns the sound of a run with context before it, and the length of the context.

        behind: samples after the run that are wanted too.
        """
        memory, part = self.memory, self.memory.part[first]
        steps = int(first - memory.firsts[part]), int(last - memory.firsts[part])
        begin = steps[0] * memory.step
        before, count = min(self.splicer.options.before, begin), int(last + 1 - first) * memory.step + behind
        recording, colour = memory.recordings[part], None if memory.own[first] else memory.colour
        margin = colour.options.margin if colour else 0
        sound = with_channels(recording.sound(begin - before - margin, begin + count + margin), self.channels)
        if colour:
            sound = colour.filtered(sound, colour.gains_at(recording.steps.levels, *steps))
        return sound[margin : len(sound) - margin], before


def _plain(memory: Memory, lead: np.ndarray, options: MemoryOptions, rng: np.random.Generator) -> Iterator[Played]:
    """Plays one walk."""
    voice, state = Voice(memory, lead, options.splice), start(memory)
    while True:
        samples = voice.play(*next_run(memory, state, options, options.first_walk, rng))
        yield _given([voice], voice.samples - len(samples), samples)


def _layered(memory: Memory, lead: np.ndarray, options: MemoryOptions, rng: np.random.Generator) -> Iterator[Played]:
    """Plays two walks: the first gives the harmonic layer, the second the percussive one and follows its onsets.

    The fade out of the prompt leads from the unseparated first walk to the two layers, because layers differ from the
    prompt as soon as new music does.
    """
    ringing, striking = (Layer(memory, lead, options, strikes) for strikes in (False, True))
    first, second = start(memory), start(memory)
    given, onsets, needed = 0, np.zeros(0, np.float32), longest_run(memory, options.walk) + options.views.coming
    fade = np.linspace(1.0, 0.0, options.splice.crossfade, dtype=np.float32)[:, None]
    while True:
        # The second walk looks as far ahead as one run and its view of coming onsets reach.
        while len(onsets) < needed:
            run = next_run(memory, first, options, options.first_walk, rng)
            onsets = np.concatenate([onsets, memory.onsets[run[0] : run[1] + 1]])
            # The second layer avoids what the first one plays, so that their sum is in neither recording.
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
    """Returns samples from number `first` on, with the jumps of the voices among them."""
    return Played(samples, jumps_of(voices, first, len(samples)))


def jumps_of(voices: Sequence[Voice], first: int, count: int) -> tuple[int, ...]:
    """Removes and returns the jumps of the voices among `count` samples from number `first` on."""
    stop = first + count
    jumps = sorted({at for voice in voices for at in voice.jumps if at < stop})
    for voice in voices:
        voice.jumps = [at for at in voice.jumps if at >= stop]
    return tuple(at - first for at in jumps)


class Layer:
    """One layer of a walk. `ready` holds its pending samples: those of the layer, and the unseparated sound."""

    def __init__(self, memory: Memory, lead: np.ndarray, options: MemoryOptions, strikes: bool) -> None:
        self.voice, self.layers = Voice(memory, lead, options.splice), Layers(lead.shape[1], options.layers, strikes)
        before = lead[: len(lead) - options.splice.crossfade][-options.layers.delay :]
        self.skipped = len(before)  # samples that only serve to separate what follows them
        self.ready = self.layers.push(before)

    def play(self, first: int, last: int) -> None:
        """Adds a run."""
        self.add(self.voice.play(first, last))

    def add(self, samples: np.ndarray) -> None:
        """Adds samples of the voice."""
        new = self.layers.push(samples)
        layer, whole = (np.concatenate(pair) for pair in zip(self.ready, new, strict=True))
        dropped = min(self.skipped, len(layer))
        self.skipped -= dropped
        self.ready = layer[dropped:], whole[dropped:]

    def take(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the next `count` samples of the layer and of the unseparated sound."""
        taken = self.ready[0][:count], self.ready[1][:count]
        self.ready = self.ready[0][count:], self.ready[1][count:]
        return taken
