"""Keyword arguments are the options: none is missing, none is unknown, and a slip is told with what was meant."""

from __future__ import annotations

import subprocess
import sys
import typing
from typing import Any

import pytest

import music_composer as mc
from music_composer.library import audio, keywords, midi
from music_composer.pipelines import requests
from music_composer.pipelines.audio import requests as sound
from music_composer.pipelines.symbolic import requests as notes
from music_composer.records import names_in

FOLDERS = {"datasets", "traindata", "model", "wait"}
PLAYED = {*FOLDERS, *audio._OF_NETWORK, *audio.ON_DISK, "prompts"}


@pytest.mark.parametrize(
    ("typed", "record", "fixed"),
    [
        (keywords.TrainKeywords, sound.TrainRequest, {"datasets"}),
        (keywords.GenerateKeywords, sound.GenerateRequest, PLAYED),
        (keywords.StreamKeywords, sound.StreamRequest, {*PLAYED, "count"}),
        (keywords.InfillKeywords, sound.InfillRequest, {*PLAYED, "count", "recording", "gap_start", "gap_stop"}),
        (keywords.EvaluateKeywords, sound.EvaluateRequest, {"model"}),
        (keywords.RenderKeywords, requests.RenderRequest, {"files", "output"}),
        (keywords.EvolveKeywords, requests.EvolveRequest, {"files", "output"}),
        (keywords.NotesTrainKeywords, notes.TrainRequest, {"datasets"}),
        (keywords.NotesGenerateKeywords, notes.GenerateRequest, {*FOLDERS, *midi.ON_DISK, "primer"}),
        (keywords.NotesEvaluateKeywords, notes.EvaluateRequest, {"model"}),
    ],
)
def test_the_types_of_keywords_name_every_option(typed: Any, record: type, fixed: set[str]) -> None:
    assert set(typing.get_type_hints(typed)) == set(names_in(record)) - fixed


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mc.train("music", epoch=3), r"train\(\) has no option epoch: did you mean epochs\?"),
        (lambda: mc.train("music", neurons="many"), "neurons is 'many': it must be a whole number"),
        (lambda: mc.train("music", epochs=0), "--epochs is 0"),
        (
            lambda: mc.train("music", temperature=1.0),
            r"no option temperature: it has average, batch_size",
        ),
        (lambda: mc.midi.train("music", which="voice"), "it must be one of voices"),
        (lambda: mc.prepare("music", model="model"), r"prepare\(\) has no option model"),
        (lambda: mc.evaluate(generated="a"), "go together"),
        (lambda: mc.evolve("tune.mid", generation=3), "did you mean generations"),
        (lambda: mc.render("tune.mid", voice="piano"), "did you mean voices"),
    ],
)
def test_a_wrong_option_is_our_error_with_what_was_meant(call: Any, words: str) -> None:
    with pytest.raises(mc.OptionError, match=words) as raised:
        call()
    assert isinstance(raised.value, mc.MusicComposerError)


def test_a_model_that_is_missing_is_said_when_it_is_loaded(tmp_path: Any) -> None:
    for load in (mc.load, mc.midi.load):
        with pytest.raises(mc.RunFolderError, match="holds no trained model"):
            load(tmp_path / "none")


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, music_composer as mc\n"
        "heavy = {'numpy', 'keras', 'tensorflow', 'scipy', 'matplotlib', 'soundfile', 'click', 'rich'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "mc.train, mc.load, mc.midi.train, mc.Context, mc.OptionError, mc.terminal\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_is_there_and_no_other() -> None:
    for name in mc.__all__:
        assert getattr(mc, name) is not None
        assert name in dir(mc)
    with pytest.raises(AttributeError, match="has no attribute 'trian'"):
        getattr(mc, "trian")  # noqa: B009
