"""Loading Keras when a command needs it, and what it runs on."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from types import ModuleType


def load_keras() -> ModuleType:
    """Imports Keras and its backend: seconds of work, so only the commands that train or generate call this.

    TensorFlow writes half a dozen lines about its CPU kernels on the file descriptor itself
    (tensorflow issue 100442); they are kept off the terminal.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Its Python side takes each new model in a process for a graph that is traced again and again, and warns.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with _quiet_stderr():
        import keras

        keras.ops.ones((1,)) + 1  # the device is set up by the first computation, not by the import
    return keras


def describe() -> str:
    """Backend, version and device in a few words."""
    import keras

    gpus = gpu_names()
    device = ", ".join(gpus) if gpus else f"{os.cpu_count()} CPU cores"
    return f"Keras {keras.version()} on {keras.backend.backend()}, {device}"


def gpu_names() -> list[str]:
    """Names of the GPUs that the backend can use."""
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow

        return [device.name for device in tensorflow.config.list_physical_devices("GPU")]
    if backend == "jax":
        import jax

        return [str(device) for device in jax.devices() if device.platform == "gpu"]
    if backend == "torch":
        import torch

        return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return []


def compile_arguments() -> dict[str, object]:
    """XLA has no cuDNN LSTM (keras issue 18456) and halves the speed on CPU; JAX is always compiled."""
    import keras

    return {"jit_compile": "auto" if keras.backend.backend() == "jax" else False}


def play_fast() -> None:
    """Makes functions that are compiled from now on fit for playing: a step at a time, on a CPU.

    TensorFlow's graph optimiser joins each product with the bias after it into one oneDNN call, which for a few rows
    takes four times as long as the two: 4.8 ms instead of 1.9 for a step of the flow head, 7.0 instead of 5.6 for the
    LSTM layers of 4 x 1024. On other backends, and on a GPU, nothing is changed.
    """
    import keras

    if keras.backend.backend() == "tensorflow" and not gpu_names():
        import tensorflow

        tensorflow.config.optimizer.set_experimental_options({"remapping": False})


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
