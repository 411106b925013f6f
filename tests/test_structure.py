"""The layout: who may import whom, and how much one folder holds. Read from the source, so that nothing needs to run.

An import inside a function counts for layers, circles and reach as one at the top of a module does.
"""

import ast
import re

import pytest

from tests.source import (
    FILES,
    FOLDERS,
    MODULES,
    ROOT,
    arrows,
    imports_of,
    known_to,
    reached_from,
    room_of,
    tree_of,
    within,
)

# From the bottom up: each knows only what stands in a line above its own, and what is within itself.
LAYERS = (
    ("errors", "values"),
    ("options", "records", "printable", "quiet", "eta"),
    ("files",),
    ("stopping", "reports"),
    ("parallel",),
    ("context",),
    ("progress",),
    ("cluster", "data", "layers"),
    ("training",),
    ("audio", "symbolic"),
    ("synth", "genetic"),
    ("evaluation",),
    ("demo",),
    ("pipelines",),
    ("library",),
    ("cli",),
    ("web",),
    ("__main__",),
)
# Packages whose folders have an order too, likewise.
INSIDE = {
    "audio": (
        ("audio.reading",),
        ("audio",),  # the modules beside the folders
        ("audio.dataset", "audio.models", "audio.memory.analysis"),
        ("audio.memory",),
        ("audio.continuation",),
    ),
    "symbolic": (
        ("symbolic.midi",),
        ("symbolic.notation",),
        ("symbolic",),
        ("symbolic.dataset", "symbolic.models"),
        ("symbolic.models.biaxial", "symbolic.models.pianoroll", "symbolic.models.polyphony", "symbolic.models.voices"),
        ("symbolic.composition",),
    ),
    "evaluation": (
        ("evaluation.audio.signal",),
        ("evaluation.audio.similarity",),
        ("evaluation.audio.structure",),
        ("evaluation.audio", "evaluation.symbolic"),
        ("evaluation",),
    ),
    "pipelines": (("pipelines",), ("pipelines.audio", "pipelines.symbolic")),
}
AT_TOP, IN_FOLDER, LINES = 12, 14, 300
OPTIONS = ("options", "data.options", "training.options", "audio.options", "audio.play_options", "symbolic.options",
           "genetic.options", "cluster.options")  # fmt: skip
TWINS = (  # what both sides do has one name in both
    ("audio.dataset.cache", "symbolic.dataset.cache"),
    ("audio.dataset.windows", "symbolic.dataset.windows"),
    ("audio.models", "symbolic.models"),
    ("audio.plots", "symbolic.plots"),
    *(
        (f"audio.continuation.{name}", f"symbolic.composition.{name}")
        for name in ("networks", "registry", "run_folder")
    ),
    ("audio.options", "symbolic.options"),
    ("audio.play_options", "symbolic.play_options"),
    *(
        (f"evaluation.audio.{name}", f"evaluation.symbolic.{name}")
        for name in ("report", "scorecard", "scorecard_records")
    ),
    *(
        (f"pipelines.audio.{name}", f"pipelines.symbolic.{name}")
        for name in ("compose", "demo", "evaluate", "generate", "loaded", "requests")
    ),
)


def height_of(name, layers):
    """In which layer a module or folder is: that of the longest name that it begins with."""
    heights = {each: i for i, layer in enumerate(layers) for each in layer}
    while name not in heights:
        assert "." in name, f"{name} is in no layer: give it a place in LAYERS or INSIDE"
        name = name.rpartition(".")[0]
    return heights[name]


def test_all_of_the_package_is_read():
    some = {"__main__", "audio.wav", "audio.models.heads", "training.loop", "audio.dataset.cache", "audio", ""}
    assert some <= set(FILES)
    assert known_to("audio.wav") == {"errors", "files.atomic", "values"}
    assert within(imports_of("layers.lstm", anywhere=True), "tensorflow") or within(
        reached_from("layers.lstm", anywhere=True), "layers.lstm_float32"
    )
    assert not within(imports_of("reports.plots", anywhere=False), "matplotlib")  # it is imported in a function
    models = within(known_to("symbolic.composition.registry"), "symbolic.models")
    assert {f"symbolic.models.{name}.model" for name in ("voices", "polyphony", "pianoroll", "biaxial")} <= models
    assert "audio.spectrogram" in reached_from("audio.dataset.cache", anywhere=False)  # by way of the shards


def test_every_package_and_every_module_at_the_top_has_a_layer():
    listed = [each for layer in LAYERS for each in layer]
    assert sorted(listed) == sorted({name.split(".")[0] for name in FILES if name})
    for package, layers in INSIDE.items():
        folders = {name for name in FOLDERS if name == package or name.startswith(f"{package}.")}
        assert sorted(each for layer in layers for each in layer) == sorted(folders)
    nested = {name.split(".")[0] for name in FOLDERS if "." in name}
    assert nested == set(INSIDE), "a package with folders in it says in which order they stand"


@pytest.mark.parametrize(("one", "two"), TWINS)
def test_what_both_sides_do_has_one_name_in_both(one, two):
    assert {one, two} <= set(FILES)


def test_the_document_names_every_layer_and_every_package():
    text = (ROOT.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    lines = text.partition("## Import rules")[2].split("```")[1].strip().split("\n")
    assert [tuple(line.split(", ")) for line in reversed(lines)] == list(LAYERS)
    table = text.partition("## The packages")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"`([a-z_/]+)/`", table)) == sorted(name.replace(".", "/") for name in FOLDERS if name)


def test_nothing_imports_upwards():
    for name, other in ((module, other) for module in MODULES for other in known_to(module)):
        one, two = name.split(".")[0], other.split(".")[0]
        if one != two:
            assert height_of(other, LAYERS) < height_of(name, LAYERS), f"{name} imports {other}"
        elif one in INSIDE and room_of(name) != room_of(other):
            layers = INSIDE[one]
            assert height_of(room_of(other), layers) < height_of(room_of(name), layers), f"{name} imports {other}"


def test_no_circle_joins_two_folders():
    onward = {}
    for room, other in arrows():
        onward.setdefault(room, set()).add(other)
    for room in sorted(onward):
        known, waiting = set(), set(onward[room])
        while waiting:
            each = waiting.pop()
            known.add(each)
            waiting |= onward.get(each, set()) - known
        assert room not in known, f"{room} imports what imports it"


def test_no_module_imports_itself_by_way_of_others():
    assert [name for name in MODULES if name in reached_by_others(name)] == []


def reached_by_others(name):
    known, waiting = set(), set(known_to(name, anywhere=False))
    while waiting:
        each = waiting.pop()
        known.add(each)
        waiting |= known_to(each, anywhere=False) - known
    return known


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_a_folder_can_be_taken_in_at_a_glance(folder):
    modules = [name for name in MODULES if name.rpartition(".")[0] == folder]
    assert len(modules) <= (IN_FOLDER if folder else AT_TOP)
    assert ast.get_docstring(tree_of(folder))


def test_a_module_can_be_read_in_one_go():
    lines = {name: len(FILES[name].read_text(encoding="utf-8").splitlines()) for name in MODULES}
    assert {name: count for name, count in lines.items() if count > LINES} == {}


@pytest.mark.parametrize("name", [name for name in MODULES if "." not in name and name != "__main__"])
def test_the_ground_floor_reaches_nothing_of_what_stands_on_it(name):
    ground = {"errors", "values", "options", "records", "printable", "quiet", "eta", "context", "progress",
              "stopping", "parallel"}  # fmt: skip
    assert reached_from(name, anywhere=True) <= ground | {"files", "files.temporary"}


@pytest.mark.parametrize(
    "name", ["values", "options", "errors", "files.atomic", "files.temporary", "records", "stopping"]
)
def test_what_all_stand_on_knows_only_errors_and_options(name):
    assert reached_from(name, anywhere=True) <= {"errors", "files", "files.temporary", "options"}


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("files.")])
def test_what_files_may_do_knows_only_files_and_errors(name):
    assert reached_from(name, anywhere=True) <= {"errors", "options"} | within(FILES, "files")


def test_training_reaches_nothing_of_what_is_learnt():
    for name in within(FILES, "training", "layers"):
        assert not within(reached_from(name, anywhere=True), "audio", "symbolic"), name


@pytest.mark.parametrize(
    ("side", "other"),
    [
        (f"{package}audio", f"{package}symbolic") if forth else (f"{package}symbolic", f"{package}audio")
        for package in ("", "evaluation.")
        for forth in (True, False)
    ],
)
def test_the_two_sides_do_not_reach_each_other(side, other):
    for name in within(FILES, side):
        assert not within(reached_from(name, anywhere=True), other), name


def test_stations_reach_nothing_of_the_journey():
    upper = ("pipelines", "cli", "demo", "evaluation", "synth", "genetic")
    for name in within(FILES, "data", "audio", "symbolic", "layers"):
        assert not within(reached_from(name, anywhere=True), *upper), name


def test_only_the_page_and_what_runs_it_know_the_command_line():
    knowing = {name for name in FILES if within(known_to(name), "cli")}
    assert knowing - within(FILES, "cli", "web") == {"__main__"}
    assert {name for name in FILES if "cli.commands" in known_to(name)} == {"__main__", "cli.check", "web.forms"}


def test_the_page_computes_nothing():
    """It starts commands. What it shows it reads from files."""
    known = set().union(*(known_to(name) for name in within(FILES, "web")))
    computing = ("pipelines", "library", "training", "layers", "audio.models", "audio.continuation", "evaluation")
    assert not within(known, *computing)


@pytest.mark.parametrize("name", sorted(within(FILES, "library")))
def test_the_library_calls_only_pipelines(name):
    known = known_to(name)
    assert not known - within(known, "pipelines", "library", "context", "errors", "records", "values", *OPTIONS)
    light = {"context", "errors", "records", *OPTIONS}
    assert known_to(name, anywhere=False) - within(known, "library") <= light, "the rest is imported when it is needed"


@pytest.mark.parametrize("name", sorted(within(FILES, "cli")))
def test_the_command_line_calls_only_pipelines(name):
    plain = (
        "context",
        "errors",
        "printable",
        "progress",
        "quiet",
        "records",
        "stopping",
        *OPTIONS,
    )
    known = known_to(name)
    assert not known - within(known, "pipelines", "cli", "cluster", *plain)


@pytest.mark.parametrize("name", sorted(within(FILES, "cli")))
def test_the_command_line_imports_nothing_of_ours_but_errors_and_options_before_it_is_asked(name):
    plain = {"errors", "quiet", "stopping", "records", *OPTIONS}
    known = known_to(name, anywhere=False)
    assert known - within(known, "cli") <= plain
