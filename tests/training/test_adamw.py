"""The fused update is the stock one."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from music_composer.training.adamw import FusedAdamW

HOW = {"weight_decay": 0.1, "beta_2": 0.99, "global_clipnorm": 1.0}


@pytest.mark.parametrize("more", [{}, {"amsgrad": True}])
def test_the_fused_update_equals_the_stock_one(more: dict) -> None:
    rng = np.random.default_rng(0)
    start = [rng.standard_normal(shape).astype(np.float32) for shape in ((5, 7), (7,))]
    ends = []
    for kind in (FusedAdamW, keras.optimizers.AdamW):
        weights = [keras.Variable(value) for value in start]
        optimizer = kind(0.05, **HOW, **more)
        optimizer.build(weights)
        rng = np.random.default_rng(1)
        for rate in (0.05, 0.02, 0.1):
            optimizer.learning_rate = rate
            optimizer.apply([keras.ops.convert_to_tensor(rng.standard_normal(w.shape), "float32") for w in weights])
        ends.append([keras.ops.convert_to_numpy(value) for value in (*weights, *optimizer.variables)])
    assert not np.allclose(ends[0][0], start[0], atol=0.05)
    for fused, stock in zip(*ends, strict=True):
        np.testing.assert_allclose(fused, stock, rtol=1e-5, atol=1e-6)
