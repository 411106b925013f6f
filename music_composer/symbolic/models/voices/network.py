"""The voices model: an LSTM over steps, and within a step one note after the other, from the bass up.

A step is a set of notes, written as "the next note, or no more": an exact likelihood over all sets (as NADE's chain
over 88 keys, Boulanger-Lewandowski et al. 2012, but with one decision a note instead of one a key). A decision weighs
every pitch by what it is, by its pitch class, by how much of which pitch classes above it was heard lately (that is
its degree in the key, whichever that is), by the interval to each voice of the step before and to the note below it,
and may copy the note of the same rank from a past step that it attends to (pointer networks, Vinyals et al. 2015).
Each note is then given its manner: held on from the step before, or struck, and how loud.
"""

from __future__ import annotations

import functools
from typing import Any

import keras
from keras import ops

from music_composer.layers.key_relative import OCTAVE, Tonality, over_pitches
from music_composer.symbolic.key_history import classes_of
from music_composer.symbolic.models.likelihood import LikelihoodModel
from music_composer.symbolic.models.sampling import NEVER
from music_composer.symbolic.models.voices.chords import SILENT
from music_composer.symbolic.options import VoicesOptions

Tensor = Any
LEAST = 1e-9  # what is copied with less counts as not copied
# What `known` gives, voices, notes, what `degrees` gives, and what may be copied: how much attention lies on past notes
# of the same rank.
Past = tuple[Tensor, ...]


@keras.saving.register_keras_serializable(package="music_composer")
class Voices(LikelihoodModel):
    """Log likelihoods of the notes of each step, given all steps before.

    Input: chords int (batch, steps, most), as `to_chords` gives them; the manners of their notes, the same shape: 0 is
    held on, 1 and more are struck, from soft to loud; led int (batch, steps, voices); heard (batch, steps, fades, 12),
    how much of each pitch class was heard before each step; clock (batch, steps, clock); shift int (batch,); decisions
    int (any,), which of all notes by rank are decided on, -1 for none: after all notes of a step comes "no more", and
    nothing after that; weight (batch, steps), 1 for steps that count.
    Output: natural log likelihood of each step, (batch, steps). The loss is nats a step that counts.
    """

    RECORD = VoicesOptions

    def __init__(self, options: VoicesOptions, **kwargs: Any) -> None:
        super().__init__(options, **kwargs)
        # Keras would begin with vectors of a twentieth: notes that mean next to nothing learn slowly what they mean.
        wide = keras.initializers.RandomNormal(stddev=1.0)
        dense, embedding = keras.layers.Dense, functools.partial(keras.layers.Embedding, embeddings_initializer=wide)
        pitches, most_interval = options.pitches, 2 * options.pitches + 1
        self.pitch = embedding(pitches + 2, options.embedding)  # the two: silent, no more
        self.pitch_class = embedding(OCTAVE + 2, options.embedding)
        self.motion = embedding(most_interval, options.embedding // 2)
        self.shift = embedding(options.shifts, options.embedding // 4)
        self.lstm = keras.layers.LSTM(options.neurons, return_sequences=True)
        self.know = dense(options.wide)  # of the past, once a step
        self.below = dense(options.wide, use_bias=False)  # of the notes chosen, once a decision
        self.leap = embedding(options.voices * most_interval, options.embedding)  # of a chosen note from each voice
        self.think = dense(options.narrow, activation="silu")
        self.by_pitch = dense(pitches)
        self.by_class = dense(OCTAVE)
        self.by_motion = dense(options.voices * most_interval)
        self.by_gap = dense(pitches + 1)
        if options.fades:
            self.tonality = Tonality(options.tonal)
        self.by_past = dense(2)
        self.by_end = dense(1)
        self.ask, self.answer = dense(options.attention), dense(options.attention)
        self.gate = dense(1, bias_initializer=keras.initializers.Constant(-2.0))
        if options.loudness:
            self.manner = embedding(options.manners, options.embedding)
            self.hold, self.strike = dense(1), dense(options.loudness)
        self.classes = classes_of(pitches)

    def call(self, inputs: list[Tensor], training: bool = False) -> Tensor:
        chords, manners, led, heard, clock, shift, decisions, weight = inputs
        known, sung, last, classes, copied = self.past(chords, manners, led, heard, clock, shift, training)
        before, manner_before = (
            ops.concatenate([ops.full_like(each[..., :1], fill), each[..., :-1]], axis=-1)
            for each, fill in ((chords, SILENT), (manners, 0))
        )
        chosen = self.chosen(before, manner_before, sung)
        # Most steps have far fewer notes than the fullest: what is decided is picked out, each a step of its own.
        place = ops.maximum(decisions, 0)
        step = place // ops.shape(chords)[2]
        by_step = (_picked(each, 2, step)[:, None] for each in (known, sung, last, classes))
        past = (*by_step, _picked(copied, 3, place, 2))
        chosen, note, manner, before = (_picked(each, 3, place, 2) for each in (chosen, chords, manners, before))
        weighed, y = self.decide(past, chosen, before, training)
        likelihood = _entries(weighed, note[..., None])
        if self.options.loudness:
            given = _entries(self.treat(y, note, past[2]), manner[..., None])
            likelihood += ops.where(note[..., None] < self.options.pitches, given, 0.0)
        likelihood = ops.where(decisions >= 0, ops.reshape(likelihood, (-1,)), 0.0)
        batch, steps = ops.shape(weight)
        return ops.reshape(ops.segment_sum(likelihood, step, num_segments=batch * steps), (batch, steps))

    def past(
        self,
        chords: Tensor,
        manners: Tensor,
        led: Tensor,
        heard: Tensor,
        clock: Tensor,
        shift: Tensor,
        training: bool,
    ) -> Past:
        """What is known at each step before its notes, from the steps before."""
        ranked = ops.one_hot(chords, self.options.pitches + 1, dtype="float32")
        sounding, struck = self.notes_of(ranked, manners)
        last, second = _delayed(sounding, 1), _delayed(sounding, 2)
        sung = _delayed(led, 1, SILENT)
        x = self.heard(last, _delayed(struck, 1), sung, _delayed(led, 2, SILENT), clock, shift, training)
        hidden = self.dropped(self.lstm(x), training)
        place = ops.arange(ops.shape(chords)[1])
        ago = place[:, None] - place[None, :]
        seen = (ago > 0) & (ago <= self.options.memory)
        copied = ops.einsum("bts,bskp->btkp", self.attended(hidden, self.answer(hidden), seen[None]), ranked)
        return self.known(hidden, last, second), sung, last, self.degrees(heard), copied

    def notes_of(self, ranked: Tensor, manners: Tensor) -> tuple[Tensor, Tensor]:
        """What sounds, as 0 and 1, and what is struck, as its level from 0 to 1, both (batch, steps, pitches).

        ranked: one-hot chords, (batch, steps, most, pitches + 1).
        """
        loud = ops.cast(manners, ranked.dtype)[..., None] / max(1, self.options.loudness)
        return ops.sum(ranked, axis=2)[..., :-1], ops.sum(ranked * loud, axis=2)[..., :-1]

    def heard(
        self,
        last: Tensor,
        struck: Tensor,
        sung: Tensor,
        sung_before: Tensor,
        clock: Tensor,
        shift: Tensor,
        training: bool = False,
    ) -> Tensor:
        """What the LSTM is given at each step: the step before, how its voices moved, the time, the transposition."""
        options = self.options
        moved = ops.where(sung_before < 0, 0, sung - sung_before) + options.pitches
        voices = self.pitch(sung + 1) + self.pitch_class(ops.where(sung < 0, 0, sung % OCTAVE + 1))
        music = [last, last @ self.classes, _flat(voices), _flat(self.motion(moved))]
        music += [struck] if options.loudness else []
        key = ops.broadcast_to(self.shift(shift)[:, None], (*ops.shape(last)[:2], options.embedding // 4))
        notes = self.dropped(ops.concatenate(music, axis=-1), training, options.input_dropout)
        return ops.concatenate([notes, clock, key], axis=-1)

    def attended(self, hidden: Tensor, answers: Tensor, seen: Tensor) -> Tensor:
        """How much attention lies on each past step, (batch, steps, past).

        hidden (batch, steps, neurons); of the past: answers (batch, past, attention), and which of it each step sees,
        (batch, steps, past).
        """
        scores = self.ask(hidden) @ ops.swapaxes(answers, 1, 2) / self.options.attention**0.5
        return ops.softmax(ops.where(seen, scores, NEVER), axis=-1) * ops.cast(seen, scores.dtype)

    def degrees(self, heard: Tensor) -> Tensor:
        """What each pitch class is in what was heard, whatever key that is in, (batch, steps, 12, tonal)."""
        return self.tonality.known(heard) if self.options.fades else ops.zeros_like(heard)

    def known(self, hidden: Tensor, last: Tensor, second: Tensor) -> Tensor:
        return self.know(ops.concatenate([hidden, last, second], axis=-1))

    def chosen(self, before: Tensor, manner_before: Tensor, led: Tensor) -> Tensor:
        """The notes chosen so far in each step, as a sum of what each means, (batch, steps, most, embedding).

        before, manner_before: the note chosen last before each decision, SILENT for the first, and its manner.
        """
        options = self.options
        interval = before[..., None] - led[:, :, None] + options.pitches
        offsets = ops.arange(options.voices) * (2 * options.pitches + 1)
        leaps = ops.sum(self.leap(ops.clip(interval, 0, 2 * options.pitches) + offsets), axis=-2)
        note = self.pitch(ops.clip(before, 0, options.pitches) + 1) + self.pitch_class(before % OCTAVE + 1) + leaps
        if options.loudness:
            note += self.manner(manner_before)
        some = (before >= 0) & (before < options.pitches)
        return ops.cumsum(ops.where(some[..., None], note, 0.0), axis=2)

    def decide(self, past: Past, chosen: Tensor, before: Tensor, training: bool = False) -> tuple[Tensor, Tensor]:
        """Log probabilities of every pitch and of "no more" for each decision, (batch, steps, most, pitches + 1), and
        the thought behind it, (batch, steps, most, narrow).
        """
        pitches = ops.arange(self.options.pitches)
        known, led, last, known_classes, copied = past
        y = self.dropped(ops.silu(known[:, :, None] + self.below(chosen)), training)
        y = self.dropped(self.think(y), training)
        by_class = self.by_class(y)
        if self.options.fades:
            by_class += self.tonality(y, known_classes[:, :, None])[..., 0, :]
        weight = self.by_pitch(y) + over_pitches(by_class, self.options.pitches) + self._by_voices(y, led)
        above = ops.clip(pitches - before[..., None] - 1, 0, self.options.pitches)
        weight += _entries(self.by_gap(y), above)
        held, fresh = ops.split(self.by_past(y), 2, axis=-1)
        last = last[:, :, None]
        weight += held * last + fresh * (1 - last)
        free = pitches > before[..., None]
        weight = ops.concatenate([ops.where(free, weight, NEVER), self.by_end(y)], axis=-1)
        free = ops.concatenate([free, ops.ones_like(free[..., :1])], axis=-1)
        copied = copied * ops.cast(free, y.dtype) * ops.sigmoid(self.gate(y))
        rest = ops.log(ops.maximum(1 - ops.sum(copied, axis=-1, keepdims=True), LEAST))
        # Added as logarithms: the gradient of the logarithm of next to nothing would be beyond all numbers.
        some = copied > LEAST
        copied = ops.where(some, ops.log(ops.where(some, copied, 1.0)), NEVER)
        return ops.logaddexp(copied, rest + ops.log_softmax(weight, axis=-1)), y

    def treat(self, y: Tensor, notes: Tensor, last: Tensor) -> Tensor:
        """Log probabilities of the manners of notes that were decided on, (batch, steps, most, manners).

        y: the thought behind each. last: what sounded in the step before; only that can be held on.
        """
        within = ops.minimum(notes, self.options.pitches - 1)
        sounded = ops.take_along_axis(last, within, axis=-1)[..., None]
        about = ops.concatenate([y, self.pitch(notes + 1)], axis=-1)
        hold = self.hold(about)
        held = ops.where(sounded > 0, ops.log_sigmoid(hold), NEVER)
        struck = ops.where(sounded > 0, ops.log_sigmoid(-hold), 0.0)
        return ops.concatenate([held, struck + ops.log_softmax(self.strike(about), axis=-1)], axis=-1)

    def _by_voices(self, y: Tensor, led: Tensor) -> Tensor:
        """Weight of each pitch by how far it is from each voice of the step before, (batch, steps, most, pitches)."""
        voices, pitches = self.options.voices, self.options.pitches
        motion = ops.reshape(self.by_motion(y), (*ops.shape(y)[:3], voices, 2 * pitches + 1))
        to_voice = (ops.arange(pitches) - led[..., None] + pitches)[:, :, None]
        to_voice = ops.broadcast_to(to_voice, (*ops.shape(y)[:3], voices, pitches))
        return ops.sum(_entries(motion, to_voice), axis=3)


def _entries(x: Tensor, places: Tensor) -> Tensor:
    """x (..., n) at places (..., k), their first axes alike: a flat gather is a third of `take_along_axis`' work."""
    first = ops.arange(0, ops.size(x), x.shape[-1], dtype=places.dtype)
    return ops.take(ops.reshape(x, (-1,)), places + ops.reshape(first, (*ops.shape(x)[:-1], 1)))


def _delayed(x: Tensor, by: int, fill: float = 0) -> Tensor:
    """x (batch, steps, ...) so many steps later, `fill` before."""
    return ops.concatenate([ops.full_like(x[:, :by], fill), x[:, :-by]], axis=1)


def _picked(x: Tensor, lead: int, places: Tensor, ones: int = 0) -> Tensor:
    """Some rows of an array whose first `lead` axes are counted as one, (places, 1, ..., rest) with so many ones."""
    rest = tuple(x.shape[lead:])
    return ops.reshape(ops.take(ops.reshape(x, (-1, *rest)), places, axis=0), (-1, *[1] * ones, *rest))


def _flat(x: Tensor) -> Tensor:
    """(batch, steps, a, b) -> (batch, steps, a * b)"""
    return ops.reshape(x, (*ops.shape(x)[:2], x.shape[2] * x.shape[3]))
