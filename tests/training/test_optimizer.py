"""The fused update is the stock one."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from music_composer.training.optimizer import FusedAdamW

pytestmark = pytest.mark.journey

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


def test_the_average_looks_back_over_a_tenth_of_the_updates_and_no_further_than_it_is_told() -> None:
    weight = keras.Variable(np.zeros(1, np.float32))
    optimizer = FusedAdamW(1.0, weight_decay=0.0, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=None)
    optimizer.build([weight])
    average, values = 0.0, []
    for update in range(6):
        optimizer.apply([keras.ops.ones(1)])
        values.append(float(weight.value[0]))
        share = min(0.5, (1 + update) / (10 + update)) if update else 0.0
        average = share * average + (1 - share) * values[-1]
    optimizer.finalize_variable_values([weight])
    assert len(set(values)) == 6
    assert float(weight.value[0]) == pytest.approx(average, rel=1e-5)
