"""Options that make no sense are refused by name; what follows from others follows."""

import dataclasses
import json

import click
import pytest

from music_composer.audio.options import HEADS, EvaluateOptions, FrameOptions, ModelOptions, network_of
from music_composer.audio.play_options import SUBTYPES, GenerateOptions, InfillOptions, StreamOptions
from music_composer.cli.commands import cli
from music_composer.data.options import FolderOptions
from music_composer.errors import MusicComposerError, OptionError, RecordError
from music_composer.genetic.options import EvolveOptions
from music_composer.options import default
from music_composer.records import from_plain, to_json
from music_composer.symbolic.composition.run_folder import SymbolicRun
from music_composer.symbolic.options import BoundOptions, JudgeOptions, PlayOptions, PolyphonyOptions, VoicesOptions
from music_composer.training.options import TrainOptions

RUN = {"name": "voices", "model": VoicesOptions(), "per_quarter": 4, "held_out": 0.1, "tempo": 120.0, "metre": (4, 4)}
RECORDS = [FolderOptions, FrameOptions, ModelOptions, TrainOptions, GenerateOptions, StreamOptions, InfillOptions]


@pytest.mark.parametrize(
    ("record", "field", "value", "named"),
    [
        (ModelOptions, "neurons", 0, "-n/--hidden-layer-neurons"),
        (ModelOptions, "layers", 0, "-l/--hidden-layer-count"),
        (ModelOptions, "head", "neck", "--head"),
        (TrainOptions, "epochs", 0, "-e/--epochs"),
        (TrainOptions, "batch_size", -1, "-b/--batch-size"),
        (GenerateOptions, "count", 0, "-g/--generated-music-num"),
        (GenerateOptions, "seconds", 0.0, "-s/--seconds-to-generate"),
        (GenerateOptions, "seconds", -1.0, "-s/--seconds-to-generate"),
        (GenerateOptions, "seconds", float("nan"), "-s/--seconds-to-generate"),
        (GenerateOptions, "seconds", float("inf"), "-s/--seconds-to-generate"),
        (GenerateOptions, "temperature", float("inf"), "--temperature"),
        (GenerateOptions, "temperature", -0.1, "--temperature"),
        (GenerateOptions, "temperature", float("nan"), "--temperature"),
        (GenerateOptions, "subtype", "PCM_8", "--subtype"),
        (GenerateOptions, "blend_share", -0.1, "--blend-share"),
        (GenerateOptions, "blend_share", 1.1, "--blend-share"),
        (GenerateOptions, "blend_share", float("nan"), "--blend-share"),
        (InfillOptions, "candidates", 0, "--candidates"),
        (GenerateOptions, "seconds", 0.00001, "-s/--seconds-to-generate"),
        (GenerateOptions, "seconds", 1e30, "-s/--seconds-to-generate"),
        (GenerateOptions, "count", 10**9, "-g/--generated-music-num"),
        (GenerateOptions, "count", True, "-g/--generated-music-num"),
        (GenerateOptions, "temperature", 1e9, "--temperature"),
        (TrainOptions, "batch_size", 1_000_000, "-b/--batch-size"),
        (TrainOptions, "epochs", 10**12, "-e/--epochs"),
        (TrainOptions, "epochs", float("nan"), "-e/--epochs"),
        (ModelOptions, "neurons", 65536, "-n 65536 -l 2"),
        (ModelOptions, "head_width", 65536, "head_width"),
        (ModelOptions, "neurons", 10**7, "-n/--hidden-layer-neurons"),
        (ModelOptions, "layers", 10**7, "-l/--hidden-layer-count"),
        (EvaluateOptions, "seconds", 4.9, "-s/--seconds-to-generate"),
        (EvaluateOptions, "long_seconds", float("inf"), "--long-seconds"),
        (EvaluateOptions, "long_count", -1, "--long-num"),
        (EvaluateOptions, "cut_count", -1, "--cuts"),
        (PlayOptions, "steps", 0, "--num-steps"),
        (PlayOptions, "steps", 10**8, "--num-steps"),
        (PlayOptions, "temperature", 0.0, "--temperature"),
        (PlayOptions, "temperature", float("nan"), "--temperature"),
        (PlayOptions, "qpm", float("nan"), "--qpm"),
        (PlayOptions, "beam_size", 10**6, "--beam-size"),
        (PlayOptions, "conservativity", float("inf"), "--conservativity"),
        (PlayOptions, "from_bar", -1, "--from-bar"),
        (BoundOptions, "max_polyphony", -1, "--max-polyphony"),
        (JudgeOptions, "count", 0, "--num-outputs"),
        (VoicesOptions, "neurons", 65536, "-n 65536"),
        (PolyphonyOptions, "layers", 65, "-l/--hidden-layer-count"),
        (EvolveOptions, "generations", 0, "--generations"),
        (EvolveOptions, "crossover", float("nan"), "--crossover"),
        (EvolveOptions, "weight_divergence", float("nan"), "--weight-divergence"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_its_flag_and_value(record, field, value, named):
    with pytest.raises(OptionError, match=named) as caught:
        record(**{field: value})
    shown = f"{value:g}" if isinstance(value, float) else repr(value)
    assert shown in str(caught.value)


@pytest.mark.parametrize(
    ("record", "field", "value"),
    [
        (ModelOptions, "neurons", 1),
        (ModelOptions, "layers", 1),
        (TrainOptions, "epochs", 1),
        (TrainOptions, "batch_size", 1),
        (GenerateOptions, "count", 1),
        (GenerateOptions, "seconds", 0.01),
        (GenerateOptions, "temperature", 0.0),
        (GenerateOptions, "blend_share", 0.0),
        (GenerateOptions, "blend_share", 1.0),
        (InfillOptions, "candidates", 1),
        *[(ModelOptions, "head", head) for head in HEADS],
        *[(GenerateOptions, "subtype", subtype) for subtype in SUBTYPES],
    ],
)
def test_the_least_that_makes_sense_is_taken(record, field, value):
    assert getattr(record(**{field: value}), field) == value


def test_numbers_beyond_all_measure_are_refused_in_a_short_line():
    with pytest.raises(OptionError, match=r"-e/--epochs is 10000000\.\.\. \(501 digits\)"):
        TrainOptions(epochs=10**500)


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        (["train", "--seed", str(2**70)], "--seed"),
        (["midi", "train", "-n", "0"], "-n"),
        (["midi", "train", "-n", str(10**26)], "-n"),
        (["midi", "train", "-l", "-1"], "-l"),
        (["midi", "train", "--transpose", "65536"], "--transpose"),
        (["midi", "train", "--eval-ratio", "nan"], "--eval-ratio"),
        (["midi", "train", "--seed", str(2**70)], "--seed"),
        (["midi", "generate", "--primer-melody", "9" * 5000], "--primer-melody"),
    ],
)
def test_the_door_refuses_what_no_model_takes(words, flag, tmp_path, monkeypatch):
    """Before anything is read, and in a short line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "music_composer.symbolic.composition.run_folder.read_run", lambda folder: SymbolicRun(folder, **RUN)
    )
    with pytest.raises((OptionError, click.UsageError)) as refused:
        cli(words, standalone_mode=False)
    said = refused.value.format_message() if isinstance(refused.value, click.UsageError) else str(refused.value)
    assert flag in said
    assert len(said) < 400
    assert not list(tmp_path.iterdir())


def test_a_population_that_no_memory_holds_is_refused():
    with pytest.raises(OptionError, match="1000000 networks of 620 weights are 5 GiB"):
        EvolveOptions(models=1_000_000)
    EvolveOptions(models=500_000)


def test_an_option_error_ends_with_2_and_others_with_1():
    assert (OptionError.exit_code, MusicComposerError.exit_code) == (2, 1)


@pytest.mark.parametrize("record", [FrameOptions, ModelOptions, TrainOptions, GenerateOptions])
def test_a_record_comes_back_from_json(record):
    plain = json.loads(to_json(record()))
    assert from_plain(record, plain) == record()


def test_a_field_of_another_version_is_refused_by_name():
    with pytest.raises(RecordError, match="feathers, wings for ModelOptions"):
        from_plain(ModelOptions, {"neurons": 3, "wings": 2, "feathers": 1})


@pytest.mark.parametrize("record", RECORDS)
def test_records_cannot_be_changed_and_tell_their_defaults(record):
    options = record()
    for field in dataclasses.fields(record):
        assert default(record, field.name) == getattr(options, field.name)
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(options, field.name, None)


def test_numbers_that_follow_from_others():
    options = FrameOptions(rate=8000, window=256, hop=80)
    assert options.bins == 129
    assert options.frames_per_second == 100
    assert options.frames_in(1.5) == 150


def test_a_narrow_network_has_a_narrow_head():
    widest = ModelOptions().head_width
    assert network_of({}) == ModelOptions()
    assert network_of({"neurons": 384, "layers": 2}).head_width == widest
    assert network_of({"neurons": 8}).head_width == 32
    assert network_of({"neurons": 8, "head_width": widest}).head_width == widest
