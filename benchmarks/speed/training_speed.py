"""Training steps a second of this package's LSTMs, the stock Keras LSTM on TensorFlow, and PyTorch's nn.LSTM.

Run `python benchmarks/speed/training_speed.py`, or `... --shapes 1x300 --batch 780 --features 300` for the rows of the
biaxial model; a few minutes on two CPU cores. One step is forward, backward and an update of all weights, of a stack
of LSTM layers on its own. The contestants take turns, step by step, so that other work slows all of them alike.
"""

import argparse
import importlib.util
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np  # noqa: E402

OURS, MANY, STOCK, TORCH = "music_composer", "for many rows", "stock Keras", "PyTorch"
Step = Callable[[], object]


def keras_step(layer: type, shape: tuple[int, int], x: np.ndarray, y: np.ndarray, optimizer: str) -> Step:
    """A training step of a stack of Keras LSTM layers of the given class."""
    import keras

    count, units = shape
    model = keras.Sequential([keras.Input(x.shape[1:]), *(layer(units, return_sequences=True) for _ in range(count))])
    rate = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}[optimizer](1e-4)
    model.compile(optimizer=rate, loss="mse", jit_compile=False)
    return lambda: model.train_on_batch(x, y)


def many_rows() -> type:
    """A layer of `lstm_along`, as the biaxial model trains with it: in bfloat16 where that is fast."""
    import keras
    from keras import ops

    from music_composer.layers.lstm import lstm_along

    class ManyRows(keras.layers.Layer):
        def __init__(self, units: int, return_sequences: bool) -> None:
            super().__init__()
            self.lstm = keras.layers.LSTM(units, return_sequences=return_sequences)

        def build(self, shape: tuple) -> None:
            self.lstm.build(shape)

        def call(self, x: Any, training: bool = False) -> Any:
            silence = ops.zeros((ops.shape(x)[0], self.lstm.units))
            y = lstm_along(self.lstm, ops.swapaxes(x, 0, 1), [silence, silence], training)
            return ops.cast(ops.swapaxes(y, 0, 1), "float32")

    return ManyRows


def torch_step(shape: tuple[int, int], x: np.ndarray, y: np.ndarray, optimizer: str) -> Step:
    """A training step of PyTorch's nn.LSTM."""
    import torch

    count, units = shape
    model = torch.nn.LSTM(x.shape[-1], units, num_layers=count, batch_first=True)
    update = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer](model.parameters(), lr=1e-4)
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y)

    def step() -> float:
        update.zero_grad()
        loss = torch.nn.functional.mse_loss(model(inputs)[0], targets)
        loss.backward()
        update.step()
        return loss.item()

    return step


def contestants(shape: tuple[int, int], options: argparse.Namespace) -> dict[str, Step]:
    """The training steps to compare, by name; PyTorch only where it is installed."""
    import keras

    from music_composer.layers.lstm import HoistedLSTM

    rng = np.random.default_rng(0)
    x = rng.standard_normal((options.batch, options.frames, options.features)).astype("float32")
    y = rng.standard_normal((options.batch, options.frames, shape[1])).astype("float32") * 0.1
    steps = {
        OURS: keras_step(HoistedLSTM, shape, x, y, options.optimizer),
        MANY: keras_step(many_rows(), shape, x, y, options.optimizer),
        STOCK: keras_step(keras.layers.LSTM, shape, x, y, options.optimizer),
    }
    if torch_installed():
        steps[TORCH] = torch_step(shape, x, y, options.optimizer)
    return steps


def median_seconds(steps: dict[str, Step], repeats: int) -> dict[str, float]:
    """Median duration of each of the steps, run in turns after one uncounted run each."""
    durations: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        step()
    for _ in range(repeats):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            durations[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in durations.items()}


def training_flops(shape: tuple[int, int], options: argparse.Namespace) -> float:
    """Three times the matrix products of the forward pass: the backward pass has two for each of them."""
    count, units = shape
    inputs = options.features + (count - 1) * units
    return 3 * 2 * options.batch * options.frames * 4 * units * (inputs + count * units)


def product_limits(repeats: int, size: int = 2048) -> dict[str, float]:
    """GFLOP/s of a large float32 matrix product, by library."""
    import tensorflow as tf

    a = np.random.default_rng(0).standard_normal((size, size)).astype("float32")
    tensor = tf.constant(a)
    steps: dict[str, Step] = {"TensorFlow": lambda: tf.matmul(tensor, tensor).numpy(), "NumPy": lambda: a @ a}
    if torch_installed():
        import torch

        other = torch.from_numpy(a)
        steps["PyTorch"] = lambda: other @ other
    # Not in turns: a product is so short that the idle threads of the library before, still spinning, slow it.
    seconds = {name: median_seconds({name: step}, repeats)[name] for name, step in steps.items()}
    return {name: 2 * size**3 / duration / 1e9 for name, duration in seconds.items()}


def torch_installed() -> bool:
    return importlib.util.find_spec("torch") is not None


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def print_environment() -> None:
    import keras
    import tensorflow as tf

    versions = {"Python": platform.python_version(), "TensorFlow": tf.__version__, "Keras": keras.__version__}
    if torch_installed():
        import torch

        versions["PyTorch"] = torch.__version__
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    print(f"{cpu_name()}, {os.cpu_count()} CPUs; GPUs TensorFlow sees: {len(tf.config.get_visible_devices('GPU'))}")
    if not torch_installed():
        print("PyTorch is not installed: its rows are skipped.")


def print_shape(shape: tuple[int, int], options: argparse.Namespace) -> None:
    seconds = median_seconds(contestants(shape, options), options.repeats)
    flops = training_flops(shape, options)
    for name, duration in seconds.items():
        title = f"{shape[0]} x {shape[1]}"
        print(f"{title:<10}{name:<16}{1 / duration:>8.3f}{duration * 1e3:>10.0f}{flops / duration / 1e9:>11.1f}")
    ratios = [f"{seconds[name] / seconds[OURS]:.2f} x {name}" for name in (STOCK, TORCH) if name in seconds]
    print(f"{'':<10}{OURS} is {', '.join(ratios)}", flush=True)


def layers_by_units(text: str) -> tuple[int, int]:
    count, units = text.split("x")
    return int(count), int(units)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", nargs="+", type=layers_by_units, default=[(2, 512), (4, 1024)], metavar="2x512")
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--frames", type=int, default=128)
    parser.add_argument("--features", type=int, default=96)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--optimizer", choices=["sgd", "adam"], default="sgd")
    options = parser.parse_args()

    print_environment()
    limits = product_limits(options.repeats)
    print("matrix-product limit, GFLOP/s:", ", ".join(f"{name} {limit:.0f}" for name, limit in limits.items()))
    print(
        f"batch {options.batch}, {options.frames} frames of {options.features} numbers, {options.optimizer}, ", end=""
    )
    print(f"medians of {options.repeats} steps in turns\n")
    print(f"{'layers':<10}{'implementation':<16}{'steps/s':>8}{'ms/step':>10}{'GFLOP/s':>11}")
    for shape in options.shapes:
        print_shape(shape, options)


if __name__ == "__main__":
    main()
