"""The tests that take long bear the mark `journey`, so that the others can be run alone."""

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LONG = {"tests.command." + name for name in ("music_composer", "installed", "Started")}
LONG |= {"keras", "tensorflow", "music_composer.layers.key_relative", "tests.symbolic.models.voices.small_voices"}
TESTS = sorted(HERE.rglob("test_*.py"))


@pytest.mark.parametrize("path", TESTS, ids=[str(path.relative_to(HERE)) for path in TESTS])
def test_what_launches_commands_or_builds_networks_bears_the_mark(path):
    text = path.read_text(encoding="utf-8")
    imported = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            imported |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    assert not imported & LONG or "pytest.mark.journey" in text, imported & LONG
