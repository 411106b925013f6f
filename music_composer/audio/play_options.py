"""The options of generation: sampling and writing, streams, gaps. Defaults live here and nowhere else."""

from __future__ import annotations

import dataclasses

from music_composer.options import HOTTEST, MOST, MOST_PIECES, require_between, require_one_of
from music_composer.records import stored_as

SUBTYPES = ("PCM_16", "PCM_24", "FLOAT")
SHORTEST_SECONDS = 0.01


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
    # From the prompt into new music.
    crossfade_seconds: float = dataclasses.field(default=0.05, metadata=stored_as("fade_seconds"))
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
    # The change of speed, at most, that brings that moment to the end of the gap.
    max_time_stretch: float = dataclasses.field(default=0.05, metadata=stored_as("most_bend"))
    longest_seconds: float = 30.0  # a gap beyond this has nothing to do with what follows it

    def __post_init__(self) -> None:
        require_between("--candidates", self.candidates, 1, 1000)
