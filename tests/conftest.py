"""What many tests need: sound made from sines, and a place to put it."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import settings

from tests.properties import FAST

RATE = 44100
HERE = Path(__file__).parent
LONGEST = ("journeys", "library", "benchmarks", "web")  # folders whose files run longest
MARKED = "pytestmark = pytest.mark.journey"  # a line of a file whose tests all take long

# Two tests run at once: threads of linear algebra would wait for each other in a busy loop. For all alike, since how
# many there are changes the last bits of a sum.
for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ[_threads] = "1"

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as a shell starts what it runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # commands that are tested are not born deaf to Ctrl-C


def pytest_configure(config: pytest.Config) -> None:
    """The fast set draws fewer cases of each property."""
    if _fast(config):
        settings.register_profile(FAST, max_examples=20)
        settings.load_profile(FAST)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The fast set does not import the files that it leaves out: many of them load TensorFlow."""
    if not _fast(config) or collection_path.suffix != ".py":
        return None
    return MARKED in collection_path.read_text(encoding="utf-8").splitlines() or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files come first, so that all workers end at about the same time."""
    items.sort(key=lambda item: item.path.relative_to(HERE).parts[0] not in LONGEST)


def _fast(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == "not journey")


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
