"""How fast the models of notes play and train.

    python benchmarks/midi_speed.py [--repeats 5] [--models voices polyphony pianoroll biaxial]

Playing: 128 sixteenths, alone and ten side by side, by networks of the default sizes with random weights (voices: but
one, so that a chord has four notes in the middle and not fifteen), after the graph was built once; the factor is over
real time at 120 quarter notes a minute. Training the biaxial model: with
Keras' own LSTM layers and with the hoisted ones of the audio model, taking turns. Medians.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from music_composer.symbolic.composers import composer_of
from music_composer.symbolic.options import MODELS, TRAINING, PlayOptions, make_model
from music_composer.symbolic.request import Request
from music_composer.symbolic.rolls import silence
from music_composer.training import devices
from music_composer.values import Roll

STEPS, QPM, PER_QUARTER = 128, 120, 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--models", nargs="*", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--no-training", action="store_true")
    options = parser.parse_args()
    devices.load_keras()
    devices.play_fast()
    real = STEPS / PER_QUARTER * 60 / QPM
    print("| model | one | x real time | ten | x real time |\n|---|---|---|---|---|")
    for name in options.models:
        cells = [name]
        for count in (1, 10):
            seconds = _playing(name, count, options.repeats)
            cells += [f"{seconds:.2f} s", f"{count * real / seconds:.0f}"]
        print(f"| {' | '.join(cells)} |", flush=True)
    if not options.no_training:
        hoisted, plain = _training(options.repeats)
        print(f"\nbiaxial, a training step of 10 x 128 x 78 notes: {plain:.2f} s with the stock layer, as it is; "
              f"{hoisted:.2f} s with the hoisted one")  # fmt: skip


def _some_music() -> Roll:
    rng = np.random.default_rng(0)
    sounding = np.zeros((256, 128), bool)
    sounding[:, 40:80] = rng.random((256, 40)) < 0.1
    return Roll(np.where(sounding, 80, 0).astype(np.uint8), sounding)


def _playing(name: str, count: int, repeats: int) -> float:
    """Seconds for `count` pieces side by side."""
    composer = composer_of(name)
    model = composer.build(composer.fitted(make_model(name, {}), [_some_music()]))
    if name == "voices":
        model.by_end.bias.assign([np.log(model.options.pitches / 4)])
    player = composer.player(model)
    request = Request(silence(STEPS, _some_music()), np.ones(STEPS, bool), np.ones(128, bool), 4)

    def play() -> None:
        composer.play(player, [request] * count, PlayOptions(), [np.random.default_rng(i) for i in range(count)])

    play()
    return _median([play], repeats)[0]


def _training(repeats: int) -> tuple[float, float]:
    """Seconds of a training step of the biaxial model with our own LSTM layers, and with Keras' own."""
    import keras

    from music_composer.layers.lstm import HoistedLSTM
    from music_composer.training import loop

    options, batch = make_model("biaxial", {}), TRAINING["biaxial"].batch_size
    lessons = composer_of("biaxial").lessons([_some_music()] * batch, [], options, TRAINING["biaxial"])
    inputs = next(iter(lessons.epoch(1, 0, 0)))[0]
    steps: list[Callable[[], object]] = []
    stock = keras.layers.LSTM
    for layer in (HoistedLSTM, stock):
        keras.layers.LSTM = layer
        model = composer_of("biaxial").build(options)
        keras.layers.LSTM = stock
        loop.compile_model(model, TRAINING["biaxial"])
        model.train_on_batch(inputs)
        steps.append(lambda model=model: model.train_on_batch(inputs))
    hoisted, plain = _median(steps, repeats)
    return hoisted, plain


def _median(contestants: list[Callable[[], object]], repeats: int) -> list[float]:
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
