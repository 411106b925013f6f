"""The options of frames, network and evaluation, a frozen record for each. Defaults live here and nowhere else.

Those of generation are in play_options.py.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from music_composer.options import (
    DEEPEST,
    MOST,
    MOST_PIECES,
    WIDEST,
    require_between,
    require_one_of,
    require_weights,
    require_within,
)
from music_composer.records import stored_as

AUTO = "auto"  # a network with the flow head and a memory, of which the one plays that goes on better
FLOW = "flow"  # the head of a network that draws
MEMORY = "memory"  # the head that plays the training music again, and needs no network
HEADS = (AUTO, FLOW, "regression", MEMORY)
FARTHEST = 16  # steps that decoding looks ahead: half a second
WIDEST_HEAD = 4  # times the width of the LSTM


@dataclasses.dataclass(frozen=True)
class FrameOptions:
    """Waveform to frames of log-magnitude bands, and back."""

    rate: int = 44100  # samples a second of everything after reading
    window: int = 2048  # samples in an analysis window, the size of the FFT: 46 ms
    hop: int = 512  # samples from one frame to the next: 12 ms
    bands: int = 192  # bands from 0 Hz to half the rate: one bin wide up to 1 kHz
    floor_db: float = -80.0  # what is quieter than this, a full-scale sine being 0 dB, counts as silence
    silence_db: float = -40.0  # a song's ends are trimmed while they stay this far below its loudest frame

    def __post_init__(self) -> None:
        require_within(self, 1000, 1_000_000, "rate")
        require_within(self, 16, 65536, "window")
        require_within(self, 1, self.window, "hop")
        require_within(self, 1, WIDEST, "bands")
        require_within(self, -300.0, 0.0, "floor_db", "silence_db")

    @property
    def bins(self) -> int:
        return self.window // 2 + 1  # 1025 frequencies of the Fourier transform

    @property
    def frames_per_second(self) -> float:
        return self.rate / self.hop  # 86.1

    def frames_in(self, seconds: float) -> int:
        return round(seconds * self.frames_per_second)


@dataclasses.dataclass(frozen=True)
class ModelOptions:
    """The network: what is stored in the run folder rebuilds it."""

    neurons: int = 384  # chosen by how much music there is: see models/sizing.py
    layers: int = 2
    head: str = AUTO
    frames_per_step: int = field(default=3, metadata=stored_as("stack"))  # 28.7 steps a second
    components: int = 192  # principal components kept of a step
    head_width: int = 512
    head_blocks: int = 3
    dropout: float = 0.1
    # The power of a component's deviation that its latents keep: 0 whitens them, 1 leaves them as they are.
    whitening_exponent: float = field(default=0.5, metadata=stored_as("tilt"))
    training_noise: float = 2.0  # largest deviation of the noise that is added to the past while training
    reach: int = 2  # steps on either side that a step is decoded by; 0: by its own components alone, and no residual

    def __post_init__(self) -> None:
        require_between("-n/--hidden-layer-neurons", self.neurons, 1, WIDEST)
        require_between("-l/--hidden-layer-count", self.layers, 1, DEEPEST)
        require_one_of("--head", self.head, HEADS)
        require_within(self, 1, WIDEST, "components", "head_width")
        require_within(self, 1, DEEPEST, "head_blocks", "frames_per_step")
        require_within(self, 0.0, 0.99, "dropout")
        require_within(self, 0.0, 1.0, "whitening_exponent")
        require_within(self, 0.0, 1000.0, "training_noise")
        require_within(self, 0, FARTHEST, "reach")
        layers = 4 * self.neurons * (self.components + self.neurons)
        layers += 4 * self.neurons * 2 * self.neurons * (self.layers - 1)
        require_weights(f"-n {self.neurons} -l {self.layers}", layers)
        head = self.head_width * (self.neurons + 4 * self.components) + 6 * self.head_blocks * self.head_width**2
        require_weights(f"a head_width of {self.head_width} and {self.head_blocks} head_blocks", head)

    @property
    def network_head(self) -> str:
        """The head of the network itself."""
        return FLOW if self.head == AUTO else self.head


def network_of(asked: Mapping[str, Any]) -> ModelOptions:
    """The network that was asked for by some of its fields. Unless told otherwise, a narrow one has a narrow head."""
    model = ModelOptions(**asked)
    if "head_width" in asked:
        return model
    return dataclasses.replace(model, head_width=min(model.head_width, WIDEST_HEAD * model.neurons))


@dataclasses.dataclass(frozen=True)
class EvaluateOptions:
    """What is generated to be judged, and where the scorecard goes."""

    output: Path = Path("scorecard")
    count: int = 16
    seconds: float = 30.0
    long_count: int = 4  # for drift; 0 where nobody wants to wait
    long_seconds: float = 600.0
    cut_count: int = 128  # places at which it is judged whether music goes on; those beyond `count` last two seconds
    overwrite: bool = False  # files of others too
    seed: int = 1

    def __post_init__(self) -> None:
        require_between("-g/--generated-music-num", self.count, 1, MOST_PIECES)
        require_between("--long-num", self.long_count, 0, MOST_PIECES)
        require_between("--cuts", self.cut_count, 0, MOST_PIECES)
        require_between("-s/--seconds-to-generate", self.seconds, 5.0, MOST)
        require_between("--long-seconds", self.long_seconds, 5.0, MOST)
