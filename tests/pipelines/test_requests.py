"""Requests go to JSON and back, and are made of values by name, with types and ranges checked."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from music_composer.audio.options import EvaluateOptions, ModelOptions
from music_composer.audio.play_options import GenerateOptions, InfillOptions, StreamOptions
from music_composer.data.options import FolderOptions
from music_composer.errors import OptionError, RecordError
from music_composer.genetic.options import EvolveOptions
from music_composer.pipelines import requests
from music_composer.pipelines.audio import requests as audio
from music_composer.pipelines.symbolic import requests as notes
from music_composer.records import from_json, from_names, names_in, to_json
from music_composer.symbolic.options import BoundOptions, JudgeOptions, PlayOptions
from music_composer.synth.options import RenderOptions
from music_composer.training.options import TrainOptions

FOLDERS = FolderOptions(Path("a"), Path("b"), Path("dir\udce9"), wait=True)
SAMPLING = GenerateOptions(seconds=3.5, count=2, temperature=1.1, seed=5, overwrite=True)
PLAYING = PlayOptions(count=3, top_p=0.5, program=3, lock_tracks=(1, 2), seed=2)
SOUND = RenderOptions(("piano", "bell"), Path("a.sf2"), True)
REQUESTS = [
    audio.PrepareRequest(FOLDERS),
    audio.TrainRequest(FOLDERS, audio.NetworkChoice(neurons=8, head="flow"), TrainOptions(epochs=3, seed=1), True),
    audio.GenerateRequest(FOLDERS, audio.NetworkChoice(head="memory"), SAMPLING, (Path("x.wav"),)),
    audio.GenerateRequest(blend=(Path("x.wav"), Path("y.wav"))),
    audio.ComposeRequest(FOLDERS, sampling=SAMPLING, training=TrainOptions(held_out=0.2), fresh=True),
    audio.StreamRequest(sampling=SAMPLING, streaming=StreamOptions(endless=True)),
    audio.InfillRequest(Path("x.wav"), 1.5, 2.5, filling=InfillOptions(candidates=3)),
    audio.EvaluateRequest(FOLDERS, EvaluateOptions(Path("card"), count=3), "flow", held_out=Path("z")),
    audio.EvaluateRequest(generated=Path("a"), reference=Path("b")),
    notes.PrepareRequest(),
    notes.TrainRequest(
        FOLDERS, notes.ModelChoice("biaxial", 12, transpose=2), notes.TrainChoice(5, held_out=0.1), True, 2
    ),
    notes.GenerateRequest(FOLDERS, PLAYING, BoundOptions("D minor", "C3-C6", 4), Path("p.mid")),
    notes.ComposeRequest(FOLDERS, playing=PLAYING),
    notes.EvaluateRequest(FOLDERS, JudgeOptions(Path("card"), 3), temperature=0.5),
    notes.BenchmarkRequest(Path("x.mat"), members=3, every_key=True),
    requests.RenderRequest((Path("a.mid"), Path("b")), Path("out"), SOUND),
    requests.EvolveRequest((Path("a.mid"),), EvolveOptions(generations=3), load=Path("m.json"), load_best=2, save=True),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda each: f"{type(each).__module__}.{type(each).__name__}")
def test_a_request_goes_to_json_and_back(request_: Any) -> None:
    assert from_json(type(request_), to_json(request_)) == request_


def test_a_request_of_json_is_checked() -> None:
    with pytest.raises(RecordError, match="TrainOptions: -e/--epochs is 0"):
        from_json(audio.TrainRequest, '{"training": {"epochs": 0}}')
    with pytest.raises(RecordError, match="unknown option epoch for TrainOptions"):
        from_json(audio.TrainRequest, '{"training": {"epoch": 1}}')
    with pytest.raises(RecordError, match="TrainRequest: not JSON"):
        from_json(audio.TrainRequest, "{")


def test_values_by_name_go_where_they_belong() -> None:
    values = {"neurons": 8, "seed": 3, "model": "m", "count": 2, "prompts": ["a.wav"], "debug": True}
    request = from_names(audio.ComposeRequest, values)
    assert request == audio.ComposeRequest(
        FolderOptions(model=Path("m")),
        audio.NetworkChoice(neurons=8),
        TrainOptions(seed=3),
        sampling=GenerateOptions(count=2, seed=3),
        prompts=(Path("a.wav"),),
    )
    assert from_names(notes.TrainRequest, {"which": "voices"}).folders.model == Path("midi_model")
    assert {"neurons", "seed", "model", "count", "prompts", "fresh"} <= set(names_in(audio.ComposeRequest))
    assert "folders" not in names_in(audio.ComposeRequest)


@pytest.mark.parametrize(
    ("record", "values", "words"),
    [
        (audio.TrainRequest, {"epochs": "many"}, "epochs is 'many': it must be a whole number"),
        (audio.TrainRequest, {"epochs": 0}, "--epochs is 0"),
        (audio.TrainRequest, {"epochs": 10**30}, "--epochs is 10000000"),
        (audio.TrainRequest, {"neurons": -1}, "-n/--hidden-layer-neurons is -1"),
        (audio.GenerateRequest, {"temperature": float("nan")}, "--temperature is nan"),
        (audio.GenerateRequest, {"blend": ("a.wav",)}, "it takes two"),
        (audio.GenerateRequest, {"blend": ("a.wav", "b.wav"), "prompts": ("c.wav",)}, "exclude each other"),
        (audio.GenerateRequest, {"prompts": "a.wav"}, "prompts is 'a.wav': it must be a list"),
        (audio.EvaluateRequest, {"generated": "a"}, "go together"),
        (notes.TrainRequest, {"which": "voice"}, "--model is 'voice': it must be one of voices"),
        (notes.TrainRequest, {"which": "voices", "layers": 2}, "--model voices has no layers"),
        (notes.TrainRequest, {"sample_every": -1}, "--sample-every is -1"),
        (audio.TrainRequest, {"sample_every": -1}, "--sample-every is -1"),
        (notes.BenchmarkRequest, {"file": "a", "members": 0}, "--members is 0"),
        (requests.EvolveRequest, {"files": ["a.mid"], "load_best": 2}, "--load-best goes with --load"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_with_its_name(record: type, values: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        from_names(record, values)


def test_what_may_be_chosen_of_a_network_is_what_its_options_have() -> None:
    assert {each.name for each in dataclasses.fields(audio.NetworkChoice)} == {
        each.name for each in dataclasses.fields(ModelOptions)
    }
    training = {each.name for each in dataclasses.fields(TrainOptions)}
    assert {each.name for each in dataclasses.fields(notes.TrainChoice)} < training
    assert audio.NetworkChoice().asked == {}
    assert audio.NetworkChoice(layers=1).asked == {"layers": 1}
