"""Every number that can be chosen, one frozen record per stage. Defaults live here and nowhere else.

Numbers that follow from other numbers are properties, so that no two of them can disagree.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from music_composer.errors import OptionError

AUTO = "auto"  # a network with the flow head and a memory, of which the one plays that goes on better
FLOW = "flow"  # the head of a network that draws
MEMORY = "memory"  # the head that plays the training music again, and needs no network
HEADS = (AUTO, FLOW, "regression", MEMORY)
FARTHEST = 16  # steps that decoding looks ahead: half a second
WIDEST, DEEPEST = 65536, 64  # of a network: neurons and layers beyond that are a slip, or a damaged file
MOST_WEIGHTS = 2_000_000_000
WIDEST_HEAD = 4  # times the width of the LSTM
MOST_PIECES, MOST = 100_000, 1_000_000  # of music in one command; of anything else that is counted, or of seconds
MOST_SEED = 2**62
SHORTEST_SECONDS = 0.01
HOTTEST = 100.0  # temperature
SUBTYPES = ("PCM_16", "PCM_24", "FLOAT")


@dataclasses.dataclass(frozen=True)
class FolderOptions:
    """Where things are."""

    datasets: Path = Path("input_music_dataset")
    traindata: Path = Path("train_data")
    model: Path = Path("model")
    wait: bool = False  # for another run that is at work in one of them


@dataclasses.dataclass(frozen=True)
class FrameOptions:
    """Waveform to frames of log-magnitude bands, and back."""

    rate: int = 44100  # samples a second of everything after reading
    window: int = 2048  # samples in an analysis window: 46 ms
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

    neurons: int = 384  # see `fitting`, which chooses by how much music there is
    layers: int = 2
    head: str = AUTO
    stack: int = 3  # frames that make one step of the model: 28.7 steps a second
    components: int = 192  # principal components kept of a step
    head_width: int = 512
    head_blocks: int = 3
    dropout: float = 0.1
    tilt: float = (
        0.5  # power of a component's deviation that its latents keep: 0 makes all alike, 1 leaves them as they are
    )
    training_noise: float = 2.0  # largest deviation of the noise that is added to the past while training
    reach: int = 2  # steps on either side that a step is decoded by; 0: by its own components alone, and no residual

    def __post_init__(self) -> None:
        require_between("-n/--hidden-layer-neurons", self.neurons, 1, WIDEST)
        require_between("-l/--hidden-layer-count", self.layers, 1, DEEPEST)
        require_one_of("--head", self.head, HEADS)
        require_within(self, 1, WIDEST, "components", "head_width")
        require_within(self, 1, DEEPEST, "head_blocks", "stack")
        require_within(self, 0.0, 0.99, "dropout")
        require_within(self, 0.0, 1.0, "tilt")
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
class TrainOptions:
    """The loop."""

    epochs: int | None = None  # None: by how much music there is, see `fitting`
    batch_size: int = 10
    window_steps: int = 512  # steps of the model that one training example spans, where there is music for it
    least_window_steps: int = 128  # what they are cut down to until there is a batch of them
    chunk_steps: int = 32  # of them between two updates of the weights
    stretch: float = 0.1  # share by which windows of sound are played faster or slower at most; pitch stays
    held_out: float = 0.1  # share of each recording that the model is only judged by
    learning_rate: float = 2e-3
    warmup: float = 0.05  # share of the run in which the learning rate rises
    clip_norm: float = 1.0
    weight_decay: float = 0.01
    average: float = 0.0  # share of the average of all weights so far that an update keeps; 0: the weights themselves
    flow_draws: int = 4  # points on the way from noise to music that each step is trained on
    checkpoint_seconds: float = 300.0  # an epoch that takes longer is saved on the way
    seed: int | None = None

    def __post_init__(self) -> None:
        require_between("-e/--epochs", 1 if self.epochs is None else self.epochs, 1, MOST)
        require_between("-b/--batch-size", self.batch_size, 1, WIDEST)
        require_between("--eval-ratio", self.held_out, 0.0, 0.9)
        require_between("--seed", 0 if self.seed is None else self.seed, 0, MOST_SEED)


@dataclasses.dataclass(frozen=True)
class GenerateOptions:
    """Sampling and writing."""

    seconds: float = 10.0  # new music in each file
    count: int = 10
    name: str = "output"
    temperature: float = 0.9  # deviation of the noise that a flow starts from
    context_noise: float = 0.4  # deviation of the noise that is added to what the model has just played
    flow_steps: int = 5  # Euler steps from noise to a frame
    residual: float = 0.5  # of the deviation of what is lost by the codec, put back as noise
    prompt_seconds: float = 6.0  # what the model hears before it plays
    lead_seconds: float = 1.0  # real audio before the cut that a file begins with
    fade_seconds: float = 0.05
    phase_iterations: int = 8
    chunk_seconds: float = 10.0  # written at a time
    batch: int = 16  # samples generated side by side
    guard: bool = True  # against copying and circles, where a memory plays
    blend_share: float = 0.5  # of the second of two blended prompts: 0 is the first alone, 1 the second
    include_prompt: bool = False
    subtype: str = "PCM_16"
    overwrite: bool = False  # files of others too
    seed: int | None = None

    def __post_init__(self) -> None:
        require_between("-s/--seconds-to-generate", self.seconds, SHORTEST_SECONDS, MOST)
        require_between("-g/--generated-music-num", self.count, 1, MOST_PIECES)
        require_between("--temperature", self.temperature, 0.0, HOTTEST)
        require_between("--blend-share", self.blend_share, 0.0, 1.0)
        require_one_of("--subtype", self.subtype, SUBTYPES)


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


@dataclasses.dataclass(frozen=True)
class StreamOptions:
    """Music that is heard while it is made."""

    endless: bool = False
    first_seconds: float = 0.3  # new music in the first piece
    growth: float = 1.5  # of a piece over the one before
    longest_seconds: float = 2.0  # pieces grow up to this
    ahead_seconds: float = 60.0  # an endless file grows no further than this before the clock


@dataclasses.dataclass(frozen=True)
class InfillOptions:
    """Filling a gap in a recording."""

    candidates: int = 8  # continuations from the gap's beginning, of which the best is taken
    match_seconds: float = 0.3  # of the music after the gap that a candidate is compared with
    search_seconds: float = 0.25  # how far from the gap's end a candidate's best moment may lie
    most_bend: float = 0.05  # change of speed, at most, that brings that moment to the gap's end
    longest_seconds: float = 30.0  # a gap beyond this has nothing to do with what follows it

    def __post_init__(self) -> None:
        require_between("--candidates", self.candidates, 1, 1000)


def require_between(flag: str, value: float, least: float, most: float) -> None:
    """Raises OptionError, with the flag, for a value that is no number, or not between the two, both included."""
    if isinstance(value, bool) or not least <= value <= most:
        raise OptionError(f"{flag} is {shown(value)}: it must be at least {shown(least)} and at most {shown(most)}")


def require_weights(flags: str, count: int) -> None:
    """Raises OptionError for a network of so many weights if nobody could train it."""
    if count > MOST_WEIGHTS:
        raise OptionError(
            f"{flags} are about {count / 1e9:.1f} billion weights, {4 * count / 2**30:.0f} GiB and four times that in "
            f"training: at most {MOST_WEIGHTS / 1e9:g} billion are taken"
        )


def shown(value: float) -> str:
    """A number for a message, however large it is."""
    text = str(value) if isinstance(value, int) else f"{value:g}"
    return text if len(text) <= 24 else f"{text[:8]}... ({len(text)} digits)"


def require_within(record: Any, least: float, most: float, *fields: str) -> None:
    """Raises OptionError for the first of the record's fields that is not between the two, both included."""
    for field in fields:
        value = getattr(record, field)
        if not least <= value <= most:
            raise OptionError(f"{field} is {shown(value)}: it must be between {shown(least)} and {shown(most)}")


def require_one_of(flag: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise OptionError(f"{flag} is {value[:60]!r}: it must be one of {', '.join(choices)}")


def default(record: type, field: str) -> Any:
    """The default of one field, for the command line to show."""
    return next(f.default for f in dataclasses.fields(record) if f.name == field)
