"""A loaded model reads weights and builds graphs once, and gives the samples that the command writes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from music_composer.audio.options import EvaluateOptions
from music_composer.audio.play_options import GenerateOptions, InfillOptions, StreamOptions
from music_composer.context import Context
from music_composer.data.options import FolderOptions
from music_composer.files.outputs import said_by
from music_composer.pipelines.audio import compose, evaluate, generate, loaded
from music_composer.pipelines.audio.requests import (
    EvaluateRequest,
    GenerateRequest,
    InfillRequest,
    NetworkChoice,
    StreamRequest,
    TrainRequest,
)
from music_composer.stopping import Stopped
from music_composer.training.options import TrainOptions
from tests.command import tune, write

pytestmark = pytest.mark.journey
MEMORY = NetworkChoice(head="memory")
SHORT = GenerateOptions(seconds=0.5, count=2, seed=3)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> FolderOptions:
    """A run folder with a network and a memory of two songs."""
    folder = tmp_path_factory.mktemp("loaded")
    for i in range(2):
        write(folder / "music" / f"{i}.wav", tune(12, seed=i, channels=1))
    folders = FolderOptions(folder / "music", folder / "cache", folder / "model")
    network = NetworkChoice(neurons=8, layers=1, head_width=16, components=12, head="auto")
    compose.train(TrainRequest(folders, network, TrainOptions(epochs=1, batch_size=4, seed=1)))
    return folders


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Counts how often weights and memories are read and graphs are traced."""
    from music_composer.audio.continuation import generate as loops
    from music_composer.audio.continuation import networks
    from music_composer.audio.memory import store

    counts = dict.fromkeys(("weights", "memory", "listener", "player"), 0)

    def counting(place: Any, name: str, key: str) -> None:
        before = getattr(place, name)

        def call(*given: Any, **named: Any) -> Any:
            counts[key] += 1
            return before(*given, **named)

        monkeypatch.setattr(place, name, call)

    counting(networks, "load_weights", "weights")
    counting(store, "load_recordings", "memory")
    counting(loops.PromptEncoder, "call", "listener")
    counting(loops.SamplingLoop, "call", "player")
    yield counts


@pytest.mark.parametrize("head", ["flow", "memory"])
def test_weights_are_read_once_and_graphs_are_built_once(
    folders: FolderOptions, counted: dict[str, int], head: str, tmp_path: Path
) -> None:
    model = loaded.load(folders.model)
    request = GenerateRequest(folders, NetworkChoice(head=head), SHORT)
    first = loaded.continued(model, request)
    after_one = dict(counted)
    second = loaded.continued(model, request)
    generate.generate(dataclasses.replace(request, sampling=dataclasses.replace(SHORT, name=str(tmp_path / "x"))),
                      model=model)  # fmt: skip
    assert counted == after_one
    assert (counted["weights"], counted["memory"]) == ((1, 0) if head == "flow" else (0, 1))
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.samples, two.samples)
        assert one.metadata == two.metadata


@pytest.mark.parametrize("head", ["flow", "memory"])
def test_what_is_kept_in_memory_is_what_is_written(folders: FolderOptions, head: str, tmp_path: Path) -> None:
    sampling = dataclasses.replace(SHORT, name=str(tmp_path / "written"))
    request = GenerateRequest(folders, NetworkChoice(head=head), sampling)
    written = generate.generate(request)
    made = loaded.continued(loaded.load(folders.model), request)
    for path, each in zip(written, made, strict=True):
        each.write(tmp_path / "kept.wav")
        assert (tmp_path / "kept.wav").read_bytes() == path.read_bytes()
        messages = said_by(path.with_suffix(".json"))
        assert json.loads(json.dumps(each.metadata)) == messages
        assert 0.9 < each.cut < 1.1
        assert each.seconds == pytest.approx(1.5, abs=0.1)


def test_a_stream_is_sample_0_in_blocks(folders: FolderOptions) -> None:
    model, network = loaded.load(folders.model), NetworkChoice(head="memory")
    whole = loaded.continued(model, GenerateRequest(folders, network, SHORT))[0]
    blocks = list(loaded.streamed(model, StreamRequest(folders, network, SHORT)))
    assert len(blocks) > 2
    np.testing.assert_array_equal(np.concatenate([block.samples for block in blocks]), whole.samples)
    endless = loaded.streamed(model, StreamRequest(folders, network, SHORT, StreamOptions(endless=True)))
    seconds = 0.0
    for block in endless:
        seconds += block.seconds
        if seconds > 3:
            break
    endless.close()  # type: ignore[attr-defined]


def test_a_filled_gap_is_what_is_written(folders: FolderOptions, tmp_path: Path) -> None:
    song = write(tmp_path / "song.wav", tune(9, seed=5, channels=1))
    sampling = dataclasses.replace(SHORT, name=str(tmp_path / "filled"))
    request = InfillRequest(song, 4.0, 4.8, folders, MEMORY, sampling, InfillOptions(candidates=2))
    path = generate.infill(request)
    made = loaded.infilled(loaded.load(folders.model), request)
    made.write(tmp_path / "kept.wav")
    np.testing.assert_array_equal(soundfile.read(tmp_path / "kept.wav")[0], soundfile.read(path)[0])
    assert made.metadata["infill"] == {"file": str(song), "from_second": 4.0, "to_second": 4.8}


@pytest.mark.parametrize("head", ["flow", "memory"])
def test_threads_may_share_a_model(folders: FolderOptions, head: str) -> None:
    model, network = loaded.load(folders.model), NetworkChoice(head=head)
    seeds = [1, 2, 1, 2]

    def play(seed: int) -> np.ndarray:
        sampling = dataclasses.replace(SHORT, count=1, seed=seed)
        return loaded.continued(model, GenerateRequest(folders, network, sampling))[0].samples

    with ThreadPoolExecutor(4) as pool:
        one, two, one_again, two_again = pool.map(play, seeds)
    np.testing.assert_array_equal(one, one_again)
    np.testing.assert_array_equal(two, two_again)
    assert not np.array_equal(one, two)


def test_an_evaluation_loads_its_model_once(
    folders: FolderOptions, counted: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Continuations, long ones, cuts, the first sound and the codec use the same network."""
    for i in range(2):
        write(tmp_path / "other" / f"{i}.wav", tune(25, seed=9 + i, channels=1))
    coded: list[Any] = []
    monkeypatch.setattr(evaluate, "write_coded", lambda spans, paths, run, network, seed: coded.append(network))
    monkeypatch.setattr(evaluate, "codec_error", lambda *_: 0.0)
    monkeypatch.setattr(evaluate, "judge", lambda music, options, facts, context: facts)
    options = EvaluateOptions(tmp_path / "card", count=2, seconds=7.0, long_count=1, long_seconds=8.0, cut_count=4)
    request = EvaluateRequest(folders, options, "flow", tmp_path / "other")
    facts = evaluate.evaluate_run(request)
    assert [each.count for each in facts.generating] == [2, 1]
    assert counted["weights"] == 1
    assert len(coded) == 2 and coded[0] is coded[1]


def test_generating_can_be_cancelled(folders: FolderOptions) -> None:
    context, request = Context(cancelled=lambda: True), GenerateRequest(folders, MEMORY, SHORT)
    with pytest.raises(Stopped):
        loaded.continued(loaded.load(folders.model), request, context)
