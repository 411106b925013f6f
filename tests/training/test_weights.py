"""Weights that are damaged, or of an older version."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from music_composer.errors import RunFolderError
from music_composer.training.weights import load_weights, save_weights
from tests.training.numbers_model import Numbers

pytestmark = pytest.mark.journey


def test_damaged_weights_are_our_error(tmp_path: Path) -> None:
    path, rng = tmp_path / "model.weights.h5", np.random.default_rng(1)
    save_weights(Numbers(5), path)
    good = path.read_bytes()
    load_weights(Numbers(0), path)
    for _ in range(300):
        bad = bytearray(good)
        for _ in range(rng.integers(1, 4)):
            bad[rng.integers(len(bad))] ^= 1 << rng.integers(8)
        path.write_bytes(bytes(bad) if rng.integers(2) else bytes(bad[: rng.integers(len(bad))]))
        try:
            load_weights(Numbers(0), path)
        except RunFolderError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_weights_without_a_checksum_are_of_an_older_version_and_load(tmp_path: Path) -> None:
    path = tmp_path / "model.weights.h5"
    Numbers(5).save_weights(path)
    model = Numbers(0)
    load_weights(model, path)
    assert model.get_weights()[0][0] == 5
    good = path.read_bytes()
    for at in (24, 32, 40, 48):  # HDF5 takes gigabytes where these say something else
        path.write_bytes(good[:at] + b"\x01" + good[at + 1 :])
        with pytest.raises(RunFolderError, match="it does not begin as its length wants"):
            load_weights(model, path)
