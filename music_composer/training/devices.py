"""Loading Keras when a command needs it, and what it runs on."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import logging
import os
import random
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np

from music_composer.errors import MusicComposerError, OptionError
from music_composer.files.atomic import read_json
from music_composer.quiet import quiet_libraries

_lock = threading.Lock()
_inside = 0  # threads that are in `playing_fast`

BACKENDS = "tensorflow", "jax", "torch"  # each is installed under its own name


def load_keras(before: Callable[[], None] = lambda: None) -> ModuleType:
    """Imports Keras and its backend: seconds of work, so only the commands that train or generate call this.

    TensorFlow writes half a dozen lines about its CPU kernels on the file descriptor itself
    (tensorflow issue 100442); they are kept off the terminal, and what it logs later below fatal is not logged.
    before: is called before anything is computed.
    Raises OptionError for a backend that is not there, MusicComposerError for one that cannot be loaded.
    """
    require_backend()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3")
    # Its Python side takes each new model in a process for a graph that is traced again and again, and warns.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)
    with quiet_libraries(in_any_case=True):
        _load_libraries()
        before()
        try:
            import keras

            keras.ops.ones((1,)) + 1  # the device is set up by the first computation, not by the import
        except MemoryError:
            raise
        except Exception as error:  # of an installation, a driver or a configuration
            words = " ".join(str(error).split())[:200]
            raise MusicComposerError(
                f"Keras cannot be loaded with {backend_name()}: {type(error).__name__}: {words}: is its installation "
                "whole, and what do KERAS_BACKEND and keras.json say?"
            ) from error
    return keras


def require_backend() -> None:
    """Raises OptionError, with what to do, when Keras is to use a backend that it does not know or that is not
    installed. Imports nothing.
    """
    name = backend_name()
    if name not in BACKENDS:
        raise OptionError(f"the Keras backend {name!r} is not one of {', '.join(BACKENDS)}: see KERAS_BACKEND")
    if not importlib.util.find_spec(name):
        raise OptionError(
            f"the Keras backend {name} is not installed: run `pip install {name}`, or choose another one of "
            f"{', '.join(BACKENDS)} with the variable KERAS_BACKEND"
        )


def backend_name() -> str:
    """The backend that Keras will use: of its variable, else of its configuration file."""
    if name := os.environ.get("KERAS_BACKEND"):
        return name
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        return str(read_json(home / "keras.json")["backend"])
    except (OSError, ValueError, KeyError, TypeError):
        return BACKENDS[0]


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


def leave_gpus() -> None:
    """Leaves the GPUs to other processes; before anything is computed. TensorFlow takes all of their memory."""
    import tensorflow

    with contextlib.suppress(RuntimeError):  # this process has them already
        tensorflow.config.set_visible_devices([], "GPU")


def compile_arguments() -> dict[str, object]:
    """XLA has no cuDNN LSTM (keras issue 18456) and halves the speed on CPU; JAX is always compiled."""
    import keras

    return {"jit_compile": "auto" if keras.backend.backend() == "jax" else False}


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """While inside, Keras draws weights by this seed. Python's and NumPy's own generators are as before afterwards."""
    import keras

    before, before_numpy = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(seed % 2**31)
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(before_numpy)


@contextlib.contextmanager
def playing_fast() -> Iterator[None]:
    """While inside, compiled functions are called in the way that is fast for playing: a step at a time, on a CPU.

    TensorFlow's graph optimiser joins each product with the bias after it into one oneDNN call, which for a few rows
    takes four times as long as the two: 4.8 ms instead of 1.9 for a step of the flow head, 7.0 instead of 5.6 for the
    LSTM layers of 4 x 1024. On other backends, and on a GPU, nothing is changed.

    Several threads may be inside at a time. Outside, what trains is computed as before, to the last bit.
    """
    global _inside
    keras = sys.modules.get("keras")  # where it is not loaded, nothing is compiled
    if not keras or keras.backend.backend() != "tensorflow" or gpu_names():
        yield
        return
    from tensorflow.config import optimizer

    with _lock:
        _inside += 1
        optimizer.set_experimental_options({"remapping": False})  # by each thread, since each keeps a copy
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                optimizer.set_experimental_options({"remapping": None})


def _load_libraries() -> None:
    """TensorFlow's libraries, a gigabyte, in a call that lets other threads run, which an import does not: for seconds
    nobody could be answered. Where it fails the import does the same.
    """
    if backend_name() != "tensorflow" or not sys.platform.startswith("linux"):
        return
    found = importlib.util.find_spec("tensorflow")
    with contextlib.suppress(OSError, AttributeError):
        system = ctypes.CDLL(None)
        system.dlopen.argtypes, system.dlopen.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
        for folder in (found.submodule_search_locations or []) if found else []:
            for name in ("libtensorflow_framework.so.2", "libtensorflow_cc.so.2"):
                if (path := Path(folder) / name).exists():
                    system.dlopen(os.fsencode(path), os.RTLD_NOW)
