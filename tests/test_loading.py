"""What is loaded along with a module: neither Keras nor pictures where they are not needed."""

import subprocess
import sys

import pytest

from tests.source import (
    FILES,
    ROOT,
    imports_of,
    reached_from,
    within,
)

KERAS = (  # may import it at module level
    "training",
    "layers",
    "audio.models.network",
    "audio.models.heads",
    "audio.continuation.generate",
    "symbolic.models.likelihood",
    "symbolic.models.sampling",
    "symbolic.models.biaxial.features",
    *(f"symbolic.models.{name}.{module}" for name in ("biaxial", "pianoroll", "polyphony", "voices")
      for module in ("network", "player")),
)  # fmt: skip
PLAYING = ("audio.continuation.network_player",)  # is imported once Keras is loaded
HEAVY = ("keras", "tensorflow", "numpy", "scipy", "soundfile", "matplotlib", "starlette", "uvicorn")


def test_keras_is_imported_on_demand_outside_the_stations_that_are_made_of_it():
    assert [name for name in set(FILES) - within(FILES, *KERAS) if imports_keras(name)] == []


def test_nothing_that_is_imported_before_keras_is_loaded_brings_it_along():
    """Loaded by an import it writes lines of its own, and Ctrl-C is not answered for seconds."""
    for name in set(FILES) - within(FILES, *KERAS, *PLAYING):
        assert [each for each in {name} | reached_from(name, anywhere=False) if imports_keras(each)] == [], name


def imports_keras(name):
    return within(imports_of(name, anywhere=False), "keras", "tensorflow")


def test_pictures_are_drawn_without_anything_global():
    for name in FILES:
        assert not within(imports_of(name, anywhere=True), "matplotlib.pyplot", "pylab"), name
        assert not within(imports_of(name, anywhere=False), "matplotlib"), name


def test_the_command_line_starts_light():
    modules = "music_composer.cli.commands, music_composer.web.command"
    code = f"import sys, {modules}; print(*(set({HEAVY!r}) & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    assert run.stdout.split() == []


@pytest.mark.journey
def test_the_stations_of_sound_and_data_load_no_keras():
    names = ["wav", "spectrogram", "phase", "pca", "plots", "prompts", "dataset.cache", "reading.recording"]
    code = f"import sys; [__import__('music_composer.audio.' + m) for m in {names!r}]; print('keras' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    assert run.stdout.strip() == "False"
