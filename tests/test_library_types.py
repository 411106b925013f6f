"""The examples of docs/library.md are typed: what they use of the library has types, and strict ones.

Beside the longest tests this comes last: what checks the project's types has then left its cache.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.library.test_examples import DOCUMENT, examples

pytestmark = pytest.mark.journey

STRICTLY = (  # all that `mypy --strict` adds to one file
    "disallow-any-generics", "disallow-subclassing-any", "disallow-untyped-calls", "disallow-untyped-defs",
    "disallow-incomplete-defs", "check-untyped-defs", "disallow-untyped-decorators", "warn-redundant-casts",
    "warn-unused-ignores", "warn-return-any", "strict-equality", "extra-checks",
)  # fmt: skip


def test_the_examples_are_typed(tmp_path: Path) -> None:
    """As the project itself is checked, so that one cache serves both, and more strictly."""
    (tmp_path / "examples.py").write_text(f"# mypy: {', '.join(STRICTLY)}\n{examples()}")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", tmp_path / "examples.py"],
        cwd=DOCUMENT.parents[1], capture_output=True, text=True, env=os.environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
