"""A pointer network: the state of an LSTM is a query, what follows a step of the memory is its key.

Trained contrastively (InfoNCE, van den Oord et al. 2018, arXiv:1807.03748): of all that follows anything in the batch,
which follows this? Three horizons have a query and a key each: the next third of a second, the next second, and the
four seconds after that. Nothing of the memory is among the weights, so new recordings need no training.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from memory.steps import PER_SECOND
from memory.store import Memory

HORIZONS = ((0, 14, 7), (0, 43, 6), (43, 215, 4))  # steps from, to, and groups that are averaged
DIM, NEURONS, WIDTH = 64, 192, 192
WINDOW, BATCH, EVERY = 192, 8, 4  # steps of a window, windows of a batch, steps from one question to the next
NEIGHBOURS = 24  # steps of the same window that are too near to be wrong answers
HEARS = round(10 * PER_SECOND)


def inputs_of(encoded: np.ndarray, onset: np.ndarray) -> np.ndarray:
    return np.concatenate([encoded, onset[:, None]], axis=1).astype(np.float32)


def follows_of(inputs: np.ndarray) -> list[np.ndarray]:
    """For each step and horizon the means of what follows it: (steps, groups * features); the end stands still."""
    padded = np.concatenate([inputs, np.repeat(inputs[-1:], HORIZONS[-1][1] + 1, axis=0)])
    sums = np.concatenate([np.zeros((1, inputs.shape[1])), np.cumsum(padded, axis=0, dtype=np.float64)])
    steps, result = np.arange(len(inputs)) + 1, []
    for first, last, groups in HORIZONS:
        edges = np.linspace(first, last, groups + 1).round().astype(int)
        means = [(sums[steps + b] - sums[steps + a]) / (b - a) for a, b in zip(edges[:-1], edges[1:], strict=True)]
        result.append(np.concatenate(means, axis=1).astype(np.float32))
    return result


class Pointer:
    """Query and key networks. `remember` makes keys of a memory, `listen` asks for what may follow."""

    def __init__(self, size: int) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import keras
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        keras.utils.set_random_seed(0)
        self.tf, self.keras, layers = tf, keras, keras.layers
        heard = keras.Input((None, size))
        x = layers.Dense(WIDTH, activation="silu")(layers.GaussianNoise(0.1)(heard))
        first = layers.Dropout(0.2)(layers.LSTM(NEURONS, return_sequences=True)(x))
        second = layers.Dropout(0.2)(layers.LSTM(NEURONS, return_sequences=True)(first))
        told = layers.Concatenate()([x, first, second])
        self.query = keras.Model(heard, [layers.Dense(DIM)(told) for _ in HORIZONS])
        self.keys = [self._key(size * groups) for _, _, groups in HORIZONS]
        self.scale = tf.Variable(np.full(len(HORIZONS), 2.0, np.float32))

    def _key(self, size: int) -> Any:
        layers, inlet = self.keras.layers, self.keras.Input((size,))
        x = layers.Dropout(0.1)(layers.Dense(WIDTH, activation="silu")(inlet))
        return self.keras.Model(inlet, layers.Dense(DIM)(layers.Dense(WIDTH, activation="silu")(x)))

    def _unit(self, x: Any) -> Any:
        return x / (self.tf.norm(x, axis=-1, keepdims=True) + 1e-6)

    def train(self, recordings: Sequence[np.ndarray], steps: int, seed: int = 0) -> None:
        """recordings: inputs (steps, size) each."""
        tf, keras = self.tf, self.keras
        recordings = [each for each in recordings if len(each) > WINDOW + 16]
        follows = [follows_of(each) for each in recordings]
        variables = [
            *self.query.trainable_variables,
            *(v for k in self.keys for v in k.trainable_variables),
            self.scale,
        ]
        optimizer = keras.optimizers.AdamW(1e-3, weight_decay=0.01, clipnorm=1.0)
        optimizer.build(variables)
        place = np.arange(BATCH * WINDOW)[EVERY - 1 :: EVERY]
        near = (np.abs(place[:, None] - place) < NEIGHBOURS) & (place[:, None] // WINDOW == place // WINDOW)
        forbidden = tf.constant(np.where(near & ~np.eye(len(place), dtype=bool), -1e9, 0.0).astype(np.float32))
        target = tf.range(len(place))

        @tf.function
        def update(heard: Any, *after: Any) -> Any:
            with tf.GradientTape() as tape:
                queries = self.query(heard, training=True)
                losses = []
                for i, (query, key) in enumerate(zip(queries, self.keys, strict=True)):
                    q = self._unit(tf.reshape(query[:, EVERY - 1 :: EVERY], (-1, DIM)))
                    k = self._unit(key(after[i], training=True))
                    scores = tf.matmul(q, k, transpose_b=True) * tf.exp(self.scale[i]) + forbidden
                    losses.append(tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(target, scores)))
                loss = tf.add_n(losses)
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            return tf.stack(losses)

        rng, lengths = np.random.default_rng(seed), np.array([len(each) for each in recordings])
        seen, began = [], time.process_time()
        for step in range(steps):
            optimizer.learning_rate.assign(1e-3 * 0.5 * (1 + np.cos(np.pi * step / steps)) + 1e-5)
            picked = rng.choice(len(recordings), BATCH, p=lengths / lengths.sum())
            starts = [int(rng.integers(0, lengths[r] - WINDOW - 8)) for r in picked]
            heard = np.stack([recordings[r][a : a + WINDOW] for r, a in zip(picked, starts, strict=True)])
            asked = [a + np.arange(EVERY - 1, WINDOW, EVERY) for a in starts]
            after = [
                np.concatenate([follows[r][h][places] for r, places in zip(picked, asked, strict=True)])
                for h in range(len(HORIZONS))
            ]
            seen.append(update(heard, *after).numpy())
            if (step + 1) % 25 == 0:
                shown = " ".join(f"{each:.2f}" for each in np.mean(seen[-25:], axis=0))
                seconds = time.process_time() - began
                print(f"step {step + 1}: {shown} of {np.log(len(place)):.2f}, {seconds:.0f} CPU s", flush=True)

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        weights = [w for model in (self.query, *self.keys) for w in model.get_weights()] + [self.scale.numpy()]
        np.savez(path, *weights)

    def load(self, path: Path) -> None:
        stored = np.load(path)
        weights = [stored[f"arr_{i}"] for i in range(len(stored.files))]
        for model in (self.query, *self.keys):
            model.set_weights(weights[: len(model.weights)])
            weights = weights[len(model.weights) :]
        self.scale.assign(weights[0])

    def keys_of(self, inputs: np.ndarray) -> list[np.ndarray]:
        """Of one recording: (steps, DIM) for each horizon."""
        found = []
        for key, after in zip(self.keys, follows_of(inputs), strict=True):
            parts = [self._unit(key(after[a : a + 8192], training=False)).numpy() for a in range(0, len(after), 8192)]
            found.append(np.concatenate(parts))
        return found

    def listener(self, memory: Memory, horizons: Sequence[float] = (1.0, 1.0, 1.0)) -> Any:
        """Scores of entering each step after what was heard: the key of the step before it is what is asked for."""
        spans = list(zip(memory.firsts, memory.lengths, strict=True))
        each = [self.keys_of(inputs_of(memory.encoded[a : a + n], memory.steps.onset[a : a + n])) for a, n in spans]
        keys = [np.concatenate([part[h] for part in each]) for h in range(len(HORIZONS))]
        ask = self.tf.function(lambda heard: [self._unit(q) for q in self.query(heard, training=False)])

        def listen(heard: np.ndarray, at: np.ndarray) -> np.ndarray:
            first = max(0, int(at[0]) - HEARS)
            places = heard[first:]
            # A fixed length, so that the graph is traced once.
            length = HEARS + 128
            padded = np.concatenate([np.repeat(places[:1], max(0, length - len(places))), places])[-length:]
            queries = ask(inputs_of(memory.encoded[padded], memory.steps.onset[padded])[None])
            rows = at - len(heard) + length
            total = np.zeros((len(at), len(memory.part)), np.float32)
            for weight, query, key in zip(horizons, queries, keys, strict=True):
                if weight:
                    total[:, 1:] += weight * (query.numpy()[0, rows] @ key[:-1].T)
            return total

        return listen
