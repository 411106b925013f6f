"""The network of the voices model: an LSTM over steps, and within a step one note after the other, from the bass up.

A step is a sequence of decisions: the next note, or "no more". Their product is an exact likelihood over all sets of
notes, as in NADE (Boulanger-Lewandowski et al. 2012), with one decision a note instead of one a key. The logit of a
pitch is a sum of terms: for the pitch, for its pitch class, for that class relative to the key history, for the
interval to each voice of the step before, and for the interval to the note below. A decision may also copy the note of
the same rank from a past step that it attends to (pointer networks, Vinyals et al. 2015). Each note then gets an
articulation: held from the step before, or an onset with a loudness level.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import keras
from keras import ops

from music_composer.layers.key_relative import Tonality, over_pitches
from music_composer.symbolic.key_history import pitch_class_matrix
from music_composer.symbolic.models.likelihood import LikelihoodModel
from music_composer.symbolic.models.sampling import NEVER
from music_composer.symbolic.models.voices.chords import SILENT
from music_composer.symbolic.options import VoicesOptions
from music_composer.values import OCTAVE

Tensor = Any
MIN_COPY = 1e-9  # smaller probabilities of copying count as 0


class StepContext(NamedTuple):
    """What a step knows of the steps before it.

    projected: (batch, steps, wide), the hidden state and the last two steps. voice_pitches: int (batch, steps, voices),
    of the step before. active: (batch, steps, pitches), of the step before. key_features: (batch, steps, 12, tonal).
    copied: attention on past notes of each rank: (batch, steps, max_notes, pitches + 1).
    """

    projected: Tensor
    voice_pitches: Tensor
    active: Tensor
    key_features: Tensor
    copied: Tensor


@keras.saving.register_keras_serializable(package="music_composer")
class Voices(LikelihoodModel):
    """Log likelihoods of the notes of each step, given all steps before.

    Input shape: chords int (batch, steps, max_notes), from `to_chords`; articulations of their notes, the same shape: 0
    is held, 1 and more are the loudness levels of onsets; voice_pitches int (batch, steps, voices), from `lead_voices`;
    key_history (batch, steps, channels, 12), before each step; clock (batch, steps, clock); shift int (batch,), index
    of the transposition; decisions int (decisions,), from `decisions_in`; mask (batch, steps), 1 for steps that count.
    Output shape: (batch, steps), natural log likelihood of each step. The loss is nats a step.
    """

    RECORD = VoicesOptions

    # Attribute names and their order are paths in weights files: they stay.
    def __init__(self, options: VoicesOptions, **kwargs: Any) -> None:
        super().__init__(options, **kwargs)
        # Keras' default deviation is 0.05: so small embeddings make hardly a difference, and learn slowly.
        normal = keras.initializers.RandomNormal(stddev=1.0)
        dense, embedding = keras.layers.Dense, functools.partial(keras.layers.Embedding, embeddings_initializer=normal)
        pitches, intervals = options.pitches, 2 * options.pitches + 1
        self.pitch = embedding(pitches + 2, options.embedding)  # the two: silent, no more
        self.pitch_class = embedding(OCTAVE + 2, options.embedding)
        self.motion = embedding(intervals, options.embedding // 2)
        self.shift = embedding(options.shifts, options.embedding // 4)
        self.lstm = keras.layers.LSTM(options.neurons, return_sequences=True)
        self.know = dense(options.wide)  # projects the past, once a step
        self.below = dense(options.wide, use_bias=False)  # projects the chosen notes, once a decision
        self.leap = embedding(options.voices * intervals, options.embedding)  # from each voice to a chosen note
        self.think = dense(options.narrow, activation="silu")
        self.by_pitch = dense(pitches)
        self.by_class = dense(OCTAVE)
        self.by_motion = dense(options.voices * intervals)
        self.by_gap = dense(pitches + 1)
        if options.half_lives:
            self.tonality = Tonality(options.tonal)
        self.by_past = dense(2)
        self.by_end = dense(1)
        self.ask, self.answer = dense(options.attention), dense(options.attention)  # queries and keys
        self.gate = dense(1, bias_initializer=keras.initializers.Constant(-2.0))
        if options.loudness:
            self.note_articulation = embedding(options.articulations, options.embedding)
            self.hold, self.strike = dense(1), dense(options.loudness)
        self.pitch_classes = pitch_class_matrix(pitches)

    def call(self, inputs: list[Tensor], training: bool = False) -> Tensor:
        chords, articulations, voice_pitches, key_history, clock, shift, decisions, mask = inputs
        context = self.context(chords, articulations, voice_pitches, key_history, clock, shift, training)
        note_before, articulation_before = (
            ops.concatenate([ops.full_like(array[..., :1], fill), array[..., :-1]], axis=-1)
            for array, fill in ((chords, SILENT), (articulations, 0))
        )
        chosen = self.chosen(note_before, articulation_before, context.voice_pitches)
        # Most steps have far fewer notes than the fullest: only real decisions are computed, each as a step of its own.
        index = ops.maximum(decisions, 0)
        step = index // ops.shape(chords)[2]
        copied = _gather_rows(context.copied, 3, index, 2)
        projected, last_voices, last, key_features = (_gather_rows(array, 2, step)[:, None] for array in context[:-1])
        context = StepContext(projected, last_voices, last, key_features, copied)
        chosen, note, articulation, note_before = (
            _gather_rows(array, 3, index, 2) for array in (chosen, chords, articulations, note_before)
        )
        log_probs, y = self.pitch_log_probs(context, chosen, note_before, training)
        likelihood = _gather_last(log_probs, note[..., None])
        if self.options.loudness:
            log_probs = self.articulation_log_probs(y, note, context.active)
            given_note = _gather_last(log_probs, articulation[..., None])
            likelihood += ops.where(note[..., None] < self.options.pitches, given_note, 0.0)
        likelihood = ops.where(decisions >= 0, ops.reshape(likelihood, (-1,)), 0.0)
        batch, steps = ops.shape(mask)
        return ops.reshape(ops.segment_sum(likelihood, step, num_segments=batch * steps), (batch, steps))

    def context(
        self,
        chords: Tensor,
        articulations: Tensor,
        voice_pitches: Tensor,
        key_history: Tensor,
        clock: Tensor,
        shift: Tensor,
        training: bool,
    ) -> StepContext:
        """The context of every step of whole pieces."""
        ranked = ops.one_hot(chords, self.options.pitches + 1, dtype="float32")
        active, loudness = self.active_notes(ranked, articulations)
        # A step must not see itself: everything that enters is delayed by at least one step.
        last, second_last = _delayed(active, 1), _delayed(active, 2)
        last_voices = _delayed(voice_pitches, 1, SILENT)
        x = self.lstm_input(
            last, _delayed(loudness, 1), last_voices, _delayed(voice_pitches, 2, SILENT), clock, shift, training
        )
        hidden = self.dropped(self.lstm(x), training)  # (batch, steps, neurons)
        position = ops.arange(ops.shape(chords)[1])
        ago = position[:, None] - position[None, :]
        visible = (ago > 0) & (ago <= self.options.memory)
        # The key of a past step is its hidden state, which describes the steps before it: a step with a similar past is
        # likely followed by the same chord.
        attention = self.attention(hidden, self.answer(hidden), visible[None])
        copied = ops.einsum("bts,bskp->btkp", attention, ranked)
        projected = self.projected(hidden, last, second_last)
        return StepContext(projected, last_voices, last, self.key_features(key_history), copied)

    def active_notes(self, ranked: Tensor, articulations: Tensor) -> tuple[Tensor, Tensor]:
        """Active notes, 0 or 1, and the loudness of onsets, 0 to 1, both (batch, steps, pitches).

        ranked: one-hot chords, (batch, steps, max_notes, pitches + 1).
        """
        loudness = ops.cast(articulations, ranked.dtype)[..., None] / max(1, self.options.loudness)
        return ops.sum(ranked, axis=2)[..., :-1], ops.sum(ranked * loudness, axis=2)[..., :-1]

    def lstm_input(
        self,
        last: Tensor,
        loudness: Tensor,
        last_voices: Tensor,
        earlier_voices: Tensor,
        clock: Tensor,
        shift: Tensor,
        training: bool = False,
    ) -> Tensor:
        """The input of the LSTM at each step: the notes and voices of the step before, clock and transposition."""
        options = self.options
        # A voice that has just begun did not move.
        motion = ops.where(earlier_voices < 0, 0, last_voices - earlier_voices) + options.pitches
        classes = self.pitch_class(ops.where(last_voices < 0, 0, last_voices % OCTAVE + 1))
        voices = self.pitch(last_voices + 1) + classes
        music = [last, last @ self.pitch_classes, _flat(voices), _flat(self.motion(motion))]  # (batch, steps, ...) each
        music += [loudness] if options.loudness else []
        key = ops.broadcast_to(self.shift(shift)[:, None], (*ops.shape(last)[:2], options.embedding // 4))
        notes = self.dropped(ops.concatenate(music, axis=-1), training, options.input_dropout)
        return ops.concatenate([notes, clock, key], axis=-1)

    def attention(self, hidden: Tensor, keys: Tensor, visible: Tensor) -> Tensor:
        """Attention weights of each step over past steps, (batch, steps, past).

        hidden: (batch, steps, neurons). keys: (batch, past, attention). visible: bool (batch, steps, past).
        """
        scores = self.ask(hidden) @ ops.swapaxes(keys, 1, 2) / self.options.attention**0.5
        # Without a visible step softmax is even over all; the product makes it 0.
        return ops.softmax(ops.where(visible, scores, NEVER), axis=-1) * ops.cast(visible, scores.dtype)

    def key_features(self, key_history: Tensor) -> Tensor:
        """Key-relative features of each pitch class, (batch, steps, 12, tonal)."""
        return self.tonality.features(key_history) if self.options.half_lives else ops.zeros_like(key_history)

    def projected(self, hidden: Tensor, last: Tensor, second_last: Tensor) -> Tensor:
        """The hidden state and the last two steps, projected to (batch, steps, wide)."""
        return self.know(ops.concatenate([hidden, last, second_last], axis=-1))

    def chosen(self, note_before: Tensor, articulation_before: Tensor, voice_pitches: Tensor) -> Tensor:
        """The notes already chosen in each step, as a sum of embeddings, (batch, steps, max_notes, embedding).

        note_before: the note chosen before each decision, SILENT for the first; articulation_before: its articulation.
        """
        options = self.options
        # Each voice has its own embeddings of intervals: `offsets` selects them.
        interval = note_before[..., None] - voice_pitches[:, :, None] + options.pitches
        offsets = ops.arange(options.voices) * (2 * options.pitches + 1)
        leaps = ops.sum(self.leap(ops.clip(interval, 0, 2 * options.pitches) + offsets), axis=-2)
        note = self.pitch(ops.clip(note_before, 0, options.pitches) + 1)
        note = note + self.pitch_class(note_before % OCTAVE + 1) + leaps
        if options.loudness:
            note += self.note_articulation(articulation_before)
        is_note = (note_before >= 0) & (note_before < options.pitches)
        # A sum is independent of order, and one step of it is cheap while playing.
        return ops.cumsum(ops.where(is_note[..., None], note, 0.0), axis=2)

    def pitch_log_probs(
        self, context: StepContext, chosen: Tensor, note_before: Tensor, training: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Log probabilities of every pitch and of "no more", (batch, steps, max_notes, pitches + 1).

        Also returns the hidden layer of each decision, (batch, steps, max_notes, narrow).
        """
        pitches = ops.arange(self.options.pitches)
        y = self.dropped(ops.silu(context.projected[:, :, None] + self.below(chosen)), training)
        y = self.dropped(self.think(y), training)
        by_class = self.by_class(y)
        if self.options.half_lives:
            by_class += self.tonality(y, context.key_features[:, :, None])[..., 0, :]
        logits = self.by_pitch(y) + over_pitches(by_class, self.options.pitches)
        logits = logits + self._voice_logits(y, context.voice_pitches)
        gap = ops.clip(pitches - note_before[..., None] - 1, 0, self.options.pitches)
        logits += _gather_last(self.by_gap(y), gap)
        # One logit for all notes that can be held, and one for all others.
        held, new = ops.split(self.by_past(y), 2, axis=-1)
        last = context.active[:, :, None]
        logits += held * last + new * (1 - last)
        possible = pitches > note_before[..., None]  # notes come from the bass up
        logits = ops.concatenate([ops.where(possible, logits, NEVER), self.by_end(y)], axis=-1)
        possible = ops.concatenate([possible, ops.ones_like(possible[..., :1])], axis=-1)
        copied = context.copied * ops.cast(possible, y.dtype) * ops.sigmoid(self.gate(y))
        not_copied = ops.log(ops.maximum(1 - ops.sum(copied, axis=-1, keepdims=True), MIN_COPY))
        # Mixed as logarithms, since the gradient of log(p) overflows for p near 0. The inner `where` keeps log(0) out.
        can_copy = copied > MIN_COPY
        log_copied = ops.where(can_copy, ops.log(ops.where(can_copy, copied, 1.0)), NEVER)
        return ops.logaddexp(log_copied, not_copied + ops.log_softmax(logits, axis=-1)), y

    def articulation_log_probs(self, y: Tensor, notes: Tensor, last: Tensor) -> Tensor:
        """Log probabilities of the articulations of chosen notes, (batch, steps, max_notes, articulations).

        y: the hidden layer of each decision. last: active notes of the step before; only these can be held.
        """
        pitch = ops.minimum(notes, self.options.pitches - 1)
        was_active = ops.take_along_axis(last, pitch, axis=-1)[..., None] > 0
        x = ops.concatenate([y, self.pitch(notes + 1)], axis=-1)
        hold = self.hold(x)
        held = ops.where(was_active, ops.log_sigmoid(hold), NEVER)
        onset = ops.where(was_active, ops.log_sigmoid(-hold), 0.0)
        return ops.concatenate([held, onset + ops.log_softmax(self.strike(x), axis=-1)], axis=-1)

    def _voice_logits(self, y: Tensor, voice_pitches: Tensor) -> Tensor:
        """Logits by the interval to each voice of the step before, (batch, steps, max_notes, pitches)."""
        voices, pitches = self.options.voices, self.options.pitches
        by_interval = ops.reshape(self.by_motion(y), (*ops.shape(y)[:3], voices, 2 * pitches + 1))
        interval = (ops.arange(pitches) - voice_pitches[..., None] + pitches)[:, :, None]
        interval = ops.broadcast_to(interval, (*ops.shape(y)[:3], voices, pitches))
        return ops.sum(_gather_last(by_interval, interval), axis=3)


def _gather_last(x: Tensor, indices: Tensor) -> Tensor:
    """x (..., n) at indices (..., k) of the last axis. A flat gather takes a third of `take_along_axis`' time."""
    first = ops.arange(0, ops.size(x), x.shape[-1], dtype=indices.dtype)
    return ops.take(ops.reshape(x, (-1,)), indices + ops.reshape(first, (*ops.shape(x)[:-1], 1)))


def _delayed(x: Tensor, steps: int, fill: float = 0) -> Tensor:
    """x (batch, steps, ...), later by a number of steps, with `fill` before."""
    return ops.concatenate([ops.full_like(x[:, :steps], fill), x[:, :-steps]], axis=1)


def _gather_rows(x: Tensor, leading: int, indices: Tensor, ones: int = 0) -> Tensor:
    """Rows of x, whose `leading` first axes are flattened: (indices, 1, ..., rest), with `ones` axes of length 1."""
    rest = tuple(x.shape[leading:])
    return ops.reshape(ops.take(ops.reshape(x, (-1, *rest)), indices, axis=0), (-1, *[1] * ones, *rest))


def _flat(x: Tensor) -> Tensor:
    """(batch, steps, a, b) -> (batch, steps, a * b)"""
    return ops.reshape(x, (*ops.shape(x)[:2], x.shape[2] * x.shape[3]))
