"""A benchmark file of piano rolls through the installed command: learnt, and scored beside what is published."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from tests.command import assert_accepted, assert_refused, music_composer

pytestmark = pytest.mark.journey


def test_a_benchmark_file_is_learnt_and_scored_beside_the_record(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    parts = {}
    for name, count in (("traindata", 3), ("validdata", 2), ("testdata", 2)):
        parts[name] = np.empty((1, count), object)
        parts[name][0] = [(rng.random((9 + i, 88)) < 0.04).astype(np.uint8) for i in range(count)]
    scipy.io.savemat(tmp_path / "tiny.mat", parts)
    wanted = ("midi", "evaluate", "--benchmark", "tiny.mat", "-e", "1", "--members", "2", "-n", "8", "-m", "bench")
    done = music_composer(*wanted, cwd=tmp_path)
    assert_accepted(done, "tiny.mat, 19 test steps, a mixture of 2", "key not told", "knowing nothing")
    card = json.loads((tmp_path / "bench" / "benchmark.json").read_text())
    assert len(card["members"]) == 2
    assert 0 < card["nats_a_step"]["test"]["every"] <= max(card["members"])
    assert_refused(music_composer("midi", "evaluate", "--benchmark", "none.mat", cwd=tmp_path), "none.mat")
    # Another file and another model in the same folder begin anew, and the first is still there afterwards.
    scipy.io.savemat(tmp_path / "small.mat", parts | {"traindata": parts["testdata"]})
    other = (*wanted[:3], "small.mat", "-e", "1", "--model", "biaxial", "-n", "6", "-m", "bench")
    anew = music_composer(*other, cwd=tmp_path)
    assert "epoch 1/1" in anew.stderr
    assert_accepted(anew, "small.mat, 19 test steps, one model")
    again = music_composer(*wanted, "--members", "1", "--every-key", cwd=tmp_path)
    assert "epoch 1/1" not in again.stderr
    assert_accepted(again, "in every key")
    assert json.loads((tmp_path / "bench" / "benchmark.json").read_text())["members"] == card["members"][:1]
    onset = music_composer(*wanted[:4], "--model", "polyphony", cwd=tmp_path)
    assert_refused(onset, "--model polyphony", "do not say which notes are struck", code=2)
