"""What is listened to for a scorecard."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from music_composer import parallel
from music_composer.context import Context, Progress
from music_composer.evaluation.audio.analysis import MetricOptions
from music_composer.pipelines.audio.scoring import Music, _analyses
from music_composer.pipelines.audio.validation import divided

pytestmark = pytest.mark.journey


def test_other_processes_hear_the_same(album) -> None:
    ready, _, split = album
    training, held_out = divided(ready, split)
    music = Music(made=held_out[:1], training=training[:2], real=held_out[1:2], codec=held_out[2:3])
    found, events = [], list[Progress]()
    for executor in (None, parallel.Processes(2)):
        found.append(_analyses(music, MetricOptions(), Context(progress=events.append, executor=executor)))
    assert list(found[0]) == list(found[1]) == [*music.training, *music.real, *music.made, *music.codec]
    assert [event.done for event in events if not event.ended] == [0, 1, 2, 3, 4, 5] * 2
    for one, other in zip(found[0].values(), found[1].values(), strict=True):
        assert_close(dataclasses.astuple(one), dataclasses.astuple(other))


def assert_close(one: Any, other: Any) -> None:
    """To rounding, as sums by one thread and by several differ."""
    if isinstance(one, tuple):
        for a, b in zip(one, other, strict=True):
            assert_close(a, b)
    elif isinstance(one, np.ndarray):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)
    else:
        assert one == other
