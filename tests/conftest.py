"""What many tests need: sound made from sines, and a place to put it."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import settings

RATE = 44100

# Two tests run at once: threads of linear algebra would wait for each other in a busy loop. For all alike, since how
# many there are changes the last bits of a sum.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as a shell starts what it runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # commands that are tested are not born deaf to Ctrl-C


def pytest_configure(config: pytest.Config) -> None:
    """The fast set draws fewer cases of each property, where a test does not say how many."""
    if config.option.markexpr == "not journey":
        settings.register_profile("fast", max_examples=20)
        settings.load_profile("fast")


@pytest.fixture(scope="session")
def sine() -> Callable[..., np.ndarray]:
    """sine(frequency, seconds) -> float32 (samples, 1); level 1.0 is full scale."""

    def make(frequency: float, seconds: float = 1.0, rate: int = RATE, level: float = 1.0) -> np.ndarray:
        time = np.arange(round(seconds * rate)) / rate
        return (level * np.sin(2 * np.pi * frequency * time)).astype(np.float32)[:, None]

    return make


@pytest.fixture(scope="session")
def record() -> Callable[..., Path]:
    """record(path, samples) writes a sound file, folders included, and returns its path."""

    def write(path: Path, samples: np.ndarray, rate: int = RATE, subtype: str = "PCM_16") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, rate, subtype=subtype)
        return path

    return write
