"""Choices come as often as they should, and what is closed, or beyond top-k and top-p, never."""

import numpy as np
import pytest

from music_composer.symbolic.options import MODELS, PLAYS, PlayOptions, as_it_plays

SHARES = np.array([0.5, 0.25, 0.15, 0.1])
COUNT = 4000


def draw(open_=(True, True, True, True), **taste):
    """How often each was drawn, and what is said of the share and of the likelihood."""
    from music_composer.symbolic.models.sampling import drawn, tastes

    weight = np.tile(np.log(SHARES).astype(np.float32), (COUNT, 1))
    taste = np.repeat(tastes([PlayOptions(**taste)]), COUNT, axis=0)
    even = (np.arange(COUNT, dtype=np.float32)[:, None] + 0.5) / COUNT
    chosen, share, likely = (np.asarray(each) for each in drawn(weight, np.tile(open_, (COUNT, 1)), taste, even))
    often = np.bincount(chosen[:, 0], minlength=4) / COUNT
    assert likely == pytest.approx(np.log(often[chosen[:, 0]]), abs=0.02)
    return often, np.exp(share[0])


def test_choices_come_as_often_as_they_are_likely():
    often, share = draw()
    assert often == pytest.approx(SHARES, abs=1e-3)
    assert share == pytest.approx(1)


def test_what_is_closed_is_never_drawn_and_the_share_is_what_is_left():
    often, share = draw(open_=(True, False, True, False))
    assert often == pytest.approx([0.5 / 0.65, 0, 0.15 / 0.65, 0], abs=1e-3)
    assert share == pytest.approx(0.65)


def test_temperature_bends_the_shares():
    bent = SHARES**2 / (SHARES**2).sum()
    assert draw(temperature=0.5)[0] == pytest.approx(bent, abs=1e-3)


@pytest.mark.parametrize(("taste", "kept"), [
    ({"top_k": 1}, 1), ({"top_k": 3}, 3), ({"top_k": 9}, 4),
    ({"top_p": 0.4}, 1), ({"top_p": 0.6}, 2), ({"top_p": 0.8}, 3), ({"top_p": 1.0}, 4),
    ({"top_k": 3, "top_p": 0.6}, 2),
])  # fmt: skip
def test_only_the_likeliest_are_left(taste, kept):
    left = np.where(np.arange(4) < kept, SHARES, 0)
    often, share = draw(**taste)
    assert often == pytest.approx(left / left.sum(), abs=1e-3)
    assert share == pytest.approx(1)


def test_top_k_counts_among_what_is_open():
    often, _ = draw(open_=(False, True, True, True), top_k=2)
    assert often == pytest.approx([0, 0.625, 0.375, 0], abs=1e-3)


def test_what_is_left_open_each_model_plays_as_it_does_best():
    assert as_it_plays("voices", PlayOptions()).top_p == PLAYS["voices"].top_p
    assert as_it_plays("voices", PlayOptions(top_p=0.0)).top_p == 0  # asked for: nothing is left out
    assert all(as_it_plays(name, PlayOptions()).top_p is not None for name in MODELS)
