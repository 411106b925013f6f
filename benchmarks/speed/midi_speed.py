"""How fast the models of notes play and train.

    python benchmarks/speed/midi_speed.py [--repeats 5] [--models voices polyphony pianoroll biaxial] [--music JSB.mat]

Playing: 128 sixteenths, alone and ten side by side, by networks of the default sizes with random weights (voices: but
one, so that a chord has four notes in the middle and not fifteen), after the graph was built once; the factor is over
real time at 120 quarter notes a minute.

Training the biaxial model: its training step and that of a plain stack of Keras LSTM layers of the same sizes, which is
given ready features, on the same windows, taking turns: windows full of music, and those that a benchmark file is cut
into (`--music`), which the plain stack gets filled up to the whole window, as one does. `--float32`: as on a CPU that
has no matrix unit for bfloat16. Playing: medians; training: over an epoch.
"""

import argparse
import functools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.evaluation.symbolic.benchmark_files import read_benchmark
from music_composer.pipelines.symbolic.benchmark import roll_of
from music_composer.symbolic.composition.registry import note_model
from music_composer.symbolic.constraints import Constraints
from music_composer.symbolic.models.biaxial.features import (
    BEFORE_FEATURES,
    LOWER_FEATURES,
    before_features,
    features,
    features_of,
    lower_features,
)
from music_composer.symbolic.models.biaxial.notes import BITS
from music_composer.symbolic.options import MODELS, TRAINING, PlayOptions, make_model
from music_composer.symbolic.roll_operations import silence
from music_composer.training import devices, loop
from music_composer.values import Roll

STEPS, QPM, PER_QUARTER = 128, 120, 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--models", nargs="*", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--music", type=Path)
    parser.add_argument("--float32", action="store_true")
    parser.add_argument("--no-training", action="store_true")
    options = parser.parse_args()
    devices.load_keras()
    real = STEPS / PER_QUARTER * 60 / QPM
    print("| model | one | x real time | ten | x real time |\n|---|---|---|---|---|")
    for name in options.models:
        cells = [name]
        for count in (1, 10):
            with devices.playing_fast():
                seconds = _playing(name, count, options.repeats)
            cells += [f"{seconds:.2f} s", f"{count * real / seconds:.0f}"]
        print(f"| {' | '.join(cells)} |", flush=True)
    if not options.no_training:
        _print_training(options)


def _print_training(options: argparse.Namespace) -> None:
    from music_composer.layers import lstm

    if options.float32:
        lstm.bfloat16_is_fast = lambda: False  # type: ignore[assignment]
    print(f"\nbiaxial, training, products in {'bfloat16' if lstm.bfloat16_is_fast() else 'float32'}")
    print("| steps a second | plain stack of Keras LSTMs | ours | ratio |\n|---|---|---|---|")
    music = {"windows full of music": [_some_music()] * (5 * options.repeats)}  # two windows each
    if options.music:
        music[options.music.stem] = [roll_of(piece) for piece in read_benchmark(options.music).training]
    for name, rolls in music.items():
        plain, ours = _training(rolls)
        print(f"| {name} | {plain:.3f} | {ours:.3f} | {ours / plain:.2f} |", flush=True)


def _some_music() -> Roll:
    rng = np.random.default_rng(0)
    active = np.zeros((256, 128), bool)
    active[:, 40:80] = rng.random((256, 40)) < 0.1
    return Roll(np.where(active, 80, 0).astype(np.uint8), active)


def _playing(name: str, count: int, repeats: int) -> float:
    """Seconds for `count` pieces side by side."""
    kind = note_model(name)
    model = kind.build(kind.fitted(make_model(name, {}), [_some_music()]))
    if name == "voices":
        model.by_end.bias.assign([np.log(model.options.pitches / 4)])
    player = kind.player(model)
    constraints = Constraints(silence(STEPS, _some_music()), np.ones(STEPS, bool), np.ones(128, bool), 4)

    def play() -> None:
        kind.generate(player, [constraints] * count, PlayOptions(), [np.random.default_rng(i) for i in range(count)])

    play()
    return _median([play], repeats)[0]


def _training(rolls: list[Roll]) -> tuple[float, float]:
    """Training steps a second of a plain stack and of the biaxial model, over an epoch, alternately."""
    options, train_options = make_model("biaxial", {}), TRAINING["biaxial"]
    loader = note_model("biaxial").loader(rolls, [], options, train_options)
    batches = [inputs for (inputs,) in loader.epoch(1, 0, 0)]
    ours, plain = note_model("biaxial").build(options), plain_stack(options, train_options.window_steps)
    loop.compile_model(ours, train_options)
    shapes = set()
    seconds = np.zeros(2)
    for inputs in batches:
        steps = [
            functools.partial(plain.train_on_batch, *plain_inputs(inputs, options, train_options.window_steps)),
            functools.partial(ours.train_on_batch, inputs),
        ]
        if inputs[0].shape not in shapes:  # once a training, and not in what is counted: graphs are built
            shapes.add(inputs[0].shape)
            _median(steps, 1)
        seconds += _median(steps, 1)
    plain_rate, our_rate = len(batches) / seconds
    return plain_rate, our_rate


def plain_stack(options: Any, window: int) -> Any:
    """LSTM layers along time and then along the notes, with dropout, from stock Keras layers."""
    import keras
    from keras import layers, ops

    time_features = keras.Input((options.notes, window, features_of(options)))
    note_features = keras.Input((window, options.notes, BEFORE_FEATURES + LOWER_FEATURES))
    x = ops.reshape(time_features, (-1, window, time_features.shape[-1]))
    for _ in range(options.layers):
        x = layers.Dropout(options.dropout)(layers.LSTM(options.neurons, return_sequences=True)(x))
    x = ops.transpose(ops.reshape(x, (-1, options.notes, window, x.shape[-1])), (0, 2, 1, 3))
    x = ops.concatenate([x, note_features], axis=-1)
    x = ops.reshape(x, (-1, options.notes, x.shape[-1]))
    for units in options.note_neurons:
        x = layers.Dropout(options.dropout)(layers.LSTM(units, return_sequences=True)(x))
    x = ops.reshape(layers.Dense(BITS)(x), (-1, window, options.notes, BITS))
    model = keras.Model([time_features, note_features], x)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.AdamW(1e-3), loss=loss, jit_compile=False)
    return model


def plain_inputs(inputs: list[np.ndarray], options: Any, window: int) -> list[Any]:
    """The inputs, targets and sample weights of `plain_stack`."""
    bits, key_history, clock, mask = (
        np.pad(each, [(0, 0), (0, window - each.shape[1]), *[(0, 0)] * (each.ndim - 2)]) for each in inputs
    )
    last = np.concatenate([np.zeros_like(bits[:, :1]), bits[:, :-1]], axis=1)
    time_features = np.asarray(features(last, key_history, clock, options.lowest)).transpose(0, 2, 1, 3)
    note_features = np.concatenate(
        [np.asarray(each) for each in (before_features(last), lower_features(bits))], axis=-1
    )
    return [[time_features, note_features], bits, np.repeat(mask[:, :, None], options.notes, axis=2)]


def _median(contestants: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """Seconds of each, taking turns."""
    found = np.zeros((repeats, len(contestants)))
    for row in found:
        for i, contestant in enumerate(contestants):
            start = time.perf_counter()
            contestant()
            row[i] = time.perf_counter() - start
    return np.median(found, axis=0).tolist()


if __name__ == "__main__":
    main()
