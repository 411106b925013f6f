"""The arrows of import: who may know whom. Read from the source, so that nothing needs to run."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import music_composer

PACKAGE = Path(music_composer.__file__).parent
FILES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
KERAS = (
    "training/",
    "layers/",
    "audio/models/",
    "audio/generate.py",
    "symbolic/voices/network.py",
    "symbolic/voices/player.py",
    "symbolic/polyphony/network.py",
    "symbolic/polyphony/player.py",
    "symbolic/pianoroll/network.py",
    "symbolic/pianoroll/player.py",
    "symbolic/biaxial/features.py",
    "symbolic/biaxial/network.py",
    "symbolic/biaxial/player.py",
    "symbolic/likely.py",
    "symbolic/sampling.py",
)  # may import it at module level
PLAYING = ("audio/network_player.py",)  # is imported once it is loaded
HEAVY = ("keras", "tensorflow", "numpy", "scipy", "soundfile", "matplotlib")


def names_in(node):
    """Full names of what an import statement imports: `from a import b` imports a, and perhaps a.b."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    assert node.level == 0, "imports are absolute"
    return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]


def statements(body):
    """Everything that runs when a module is imported: not functions, and not `if TYPE_CHECKING`."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        for block in ("body", "orelse", "finalbody"):
            yield from statements(getattr(node, block, []))


def imports_of(name, anywhere):
    tree = ast.parse(FILES[name].read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if anywhere else statements(tree.body)
    return {found for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) for found in names_in(node)}


def ours(names):
    """Modules of ours among the names: "options", "audio.wav"."""
    modules = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in FILES}
    return {name.removeprefix("music_composer.") for name in names if name.startswith("music_composer.")} & modules


def within(names, *packages):
    return {name for name in names if any(name == each or name.startswith(each + ".") for each in packages)}


def test_all_of_the_package_is_read():
    assert {"cli.py", "audio/wav.py", "audio/models/heads.py", "training/loop.py", "data/cache.py"} <= set(FILES)
    assert ours(imports_of("audio/wav.py", anywhere=True)) == {"errors", "files", "values"}
    assert within(imports_of("layers/lstm.py", anywhere=True), "tensorflow")
    assert not within(imports_of("reports/figures.py", anywhere=False), "matplotlib")  # it is imported in a function


@pytest.mark.parametrize(
    "name", ["values.py", "options.py", "errors.py", "files.py", "leftovers.py", "records.py", "stopping.py"]
)
def test_the_ground_floor_knows_only_errors_and_options(name):
    assert ours(imports_of(name, anywhere=True)) <= {"errors", "leftovers", "options"}


@pytest.mark.parametrize("name", ["outputs.py", "destinations.py", "locks.py"])
def test_what_files_may_do_knows_only_files_and_errors(name):
    assert ours(imports_of(name, anywhere=True)) <= {"destinations", "errors", "files", "leftovers"}


@pytest.mark.parametrize("name", FILES)
def test_keras_is_imported_on_demand_outside_the_stations_that_are_made_of_it(name):
    if not name.startswith(KERAS):
        assert not within(imports_of(name, anywhere=False), "keras", "tensorflow")


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith((*KERAS, *PLAYING))])
def test_nothing_that_is_imported_before_keras_is_loaded_brings_it_along(name):
    """Loaded by an import it writes lines of its own, and Ctrl-C is not answered for seconds."""
    known, waiting = set(), {name}
    while waiting:
        each = waiting.pop()
        known.add(each)
        found = imports_of(each, anywhere=False)
        assert not within(found, "keras", "tensorflow"), each
        modules = {module.replace(".", "/") for module in ours(found)}
        waiting |= {file for file in FILES if file.removesuffix(".py").removesuffix("/__init__") in modules} - known


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("training/")])
def test_training_knows_nothing_of_what_is_learnt(name):
    assert not within(imports_of(name, anywhere=True), "music_composer.audio", "music_composer.symbolic")


@pytest.mark.parametrize(("side", "other"), [("audio", "symbolic"), ("symbolic", "audio")])
def test_the_two_sides_do_not_know_each_other(side, other):
    for name in [name for name in FILES if name.startswith(f"{side}/")]:
        assert not within(imports_of(name, anywhere=True), f"music_composer.{other}")


@pytest.mark.parametrize(
    "name", [name for name in FILES if name.startswith(("data/", "audio/", "symbolic/", "layers/"))]
)
def test_stations_know_nothing_of_the_journey(name):
    upper = ("compose", "compose_midi", "play_midi", "cli", "demo", "evaluation")
    assert not within(imports_of(name, anywhere=True), *(f"music_composer.{module}" for module in upper))


def test_only_the_door_and_what_is_behind_it_know_the_door():
    knowing = {name for name in FILES if "cli" in ours(imports_of(name, anywhere=True))}
    assert knowing == {"cli_main.py"}


def test_the_command_line_imports_nothing_of_ours_but_errors_and_options_before_it_is_asked():
    doors = {"cli", "cli_evolve", "cli_main", "cli_midi", "cli_options", "cli_playing", "cli_render"}
    options = {"options", "symbolic.options", "symbolic.genetic.options"}
    for door in doors:
        assert ours(imports_of(f"{door}.py", anywhere=False)) <= {"errors", "quiet", "stopping"} | options | doors


@pytest.mark.parametrize("name", FILES)
def test_pictures_are_drawn_without_anything_global(name):
    assert not within(imports_of(name, anywhere=True), "matplotlib.pyplot", "pylab")
    assert not within(imports_of(name, anywhere=False), "matplotlib")


def test_the_command_line_starts_light():
    code = f"import sys, music_composer.cli; print(*(set({HEAVY!r}) & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    assert run.stdout.split() == []


def test_the_stations_of_sound_and_data_load_no_keras():
    names = ["audio.wav", "audio.frames", "audio.phase", "audio.encoding", "audio.plots", "audio.prompts", "data.cache"]
    code = f"import sys; [__import__('music_composer.' + m) for m in {names!r}]; print('keras' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    assert run.stdout.strip() == "False"
