"""Caches that nothing was read for are whole caches, and plans scale as they should."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

from music_composer.audio.dataset import cache

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from scale import caches  # noqa: E402
from scale_plan import Cost, Speeds, planned, predicted  # noqa: E402

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("sparse", [True, False])
def test_a_cache_of_synthetic_frames_is_up_to_date(tmp_path, monkeypatch, sparse):
    monkeypatch.setattr(caches, "SONG_SECONDS", 2.0)
    count = caches.write_cache(tmp_path / "here", 6 / 3600, sparse)
    found, report = cache.prepare(tmp_path / "here" / "music", tmp_path / "here" / "train_data")
    assert (count, report.kept, report.done) == (3, 3, 0)
    frames = [np.asarray(cache.load_frames(found, song)) for song in found.songs]
    assert all(part.shape == (172, 2, 192) for part in frames)
    assert all((part[0, 0].any()) != sparse for part in frames)


def test_more_gpus_divide_the_training_and_exchange_gradients():
    free = dataclasses.replace(Speeds(), network=float("inf"))
    one, eight = (planned(1000, 1, 16, gpus, 2, 10, free) for gpus in (1, 8))
    assert one.train == pytest.approx(8 * eight.train)
    assert one.train == pytest.approx(2 * 1000 / Speeds().window / Speeds().windows)
    assert planned(1000, 1, 16, 8, 2, 10, Speeds()).train > eight.train


def test_the_disk_limits_what_many_machines_prepare():
    one, many = (planned(1000, machines, 16, 1, 1, 0, Speeds()).prepare for machines in (1, 1000))
    assert one == pytest.approx(1000 * Speeds().prepare / 16 / 3600)
    assert many == pytest.approx(1000 * 635.04e6 / Speeds().read / 3600)


def test_two_rows_predict_the_next():
    rows = [(hours, Cost(2 + hours, 0), Cost(5 + 3 * hours, 0)) for hours in (1.0, 10.0, 100.0)]
    assert [predicted(rows, place, 100.0) for place in (1, 2)] == pytest.approx([102, 305])
