"""Names and types of the keyword arguments, for editors and type checkers.

They are the fields of the option records, where each is explained and has its default: see
options.py and play_options.py in audio/ and symbolic/, and options.py in data/, training/ and genetic/. A test
compares both.
"""

from __future__ import annotations

from typing import TypedDict

from music_composer.library.arguments import StrPath


class CacheKeywords(TypedDict, total=False):
    """Where the cache is, and whether to wait for other runs that use it."""

    traindata: StrPath
    wait: bool


class TrainingKeywords(TypedDict, total=False):
    """Fields of TrainOptions."""

    epochs: int | None
    batch_size: int
    window_steps: int
    least_window_steps: int
    chunk_steps: int
    time_stretch: float
    held_out: float
    learning_rate: float
    warmup: float
    clip_norm: float
    weight_decay: float
    average: float
    flow_draws: int
    checkpoint_seconds: float
    seed: int | None


class TrainKeywords(CacheKeywords, TrainingKeywords, total=False):
    """With the fields of ModelOptions."""

    model: StrPath
    neurons: int
    layers: int
    head: str
    frames_per_step: int
    components: int
    head_width: int
    head_blocks: int
    dropout: float
    whitening_exponent: float
    training_noise: float
    reach: int
    fresh: bool
    sample_every: int


class SamplingKeywords(TypedDict, total=False):
    """Fields of GenerateOptions, and what plays."""

    head: str
    seconds: float
    temperature: float
    context_noise: float
    flow_steps: int
    residual: float
    prompt_seconds: float
    lead_seconds: float
    crossfade_seconds: float
    phase_iterations: int
    chunk_seconds: float
    batch: int
    guard: bool
    blend_share: float
    include_prompt: bool
    seed: int | None


class GenerateKeywords(SamplingKeywords, total=False):
    """How many continuations, and two recordings to blend instead of a prompt."""

    count: int
    blend: tuple[StrPath, StrPath]


class StreamKeywords(SamplingKeywords, total=False):
    """With the fields of StreamOptions."""

    blend: tuple[StrPath, StrPath]
    endless: bool
    first_seconds: float
    growth: float
    longest_seconds: float
    ahead_seconds: float


class InfillKeywords(SamplingKeywords, total=False):
    """With the fields of InfillOptions."""

    candidates: int
    match_seconds: float
    search_seconds: float
    max_time_stretch: float
    longest_seconds: float


class EvaluateKeywords(CacheKeywords, total=False):
    """Fields of EvaluateOptions, and what is judged by what."""

    datasets: StrPath
    output: StrPath
    count: int
    seconds: float
    long_count: int
    long_seconds: float
    cut_count: int
    overwrite: bool
    seed: int
    head: str
    held_out: StrPath | None
    generated: StrPath | None
    reference: StrPath | None


class RenderKeywords(TypedDict, total=False):
    """Fields of RenderOptions."""

    voices: tuple[str, ...]
    soundfont: StrPath | None
    overwrite: bool


class EvolveKeywords(TypedDict, total=False):
    """Fields of EvolveOptions, and where networks come from and go to."""

    generations: int
    models: int
    inputs: int
    layers: int
    layer_type: str
    layer_size: int
    activation: str
    select_models: int
    clones: int
    weight_jumble_by: str | None
    weight_divergence: float
    crossover: float
    tournament: int
    fitness: str
    write_interval: int
    rhythm: str
    chords: bool
    all_parts: bool
    part: int | None
    seed: int | None
    load: StrPath | None
    load_best: int | None
    save: bool
    parallel: bool


class NotesTrainKeywords(CacheKeywords, total=False):
    """Which model of notes, what is chosen of its options, and how it is trained."""

    model: StrPath
    which: str
    neurons: int
    layers: int
    transpose: int
    dropout: float
    input_dropout: float
    epochs: int
    batch_size: int
    held_out: float
    learning_rate: float
    weight_decay: float
    average: float
    window_steps: int
    seed: int
    fresh: bool
    sample_every: int


class NotesGenerateKeywords(TypedDict, total=False):
    """Fields of PlayOptions and BoundOptions."""

    count: int
    steps: int
    temperature: float
    top_k: int
    top_p: float | None
    note_stability: int
    conservativity: float
    adaptive: bool
    drafts: int
    beam_size: int
    branch_factor: int
    steps_per_iteration: int
    qpm: float
    metre: str
    program: int | None
    primer_melody: str
    primer_pitches: str
    condition_on_primer: bool
    inject_primer: bool
    omit_primer: bool
    lock_tracks: tuple[int, ...]
    from_bar: int
    to_bar: int
    seed: int | None
    scale: str
    range: str
    max_polyphony: int


class NotesEvaluateKeywords(CacheKeywords, total=False):
    """Fields of JudgeOptions, how boldly is played, and what is judged by what."""

    datasets: StrPath
    output: StrPath
    count: int
    steps: int
    overwrite: bool
    seed: int
    temperature: float
    top_k: int
    top_p: float
    conservativity: float
    generated: StrPath | None
    reference: StrPath | None
