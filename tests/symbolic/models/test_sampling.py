"""Frequencies match probabilities; impossible choices and those beyond top-k and top-p are never drawn."""

import numpy as np
import pytest

from music_composer.symbolic.options import MODELS, PLAY_DEFAULTS, with_model_defaults
from music_composer.symbolic.play_options import PlayOptions

SHARES = np.array([0.5, 0.25, 0.15, 0.1])
COUNT = 4000


def draw(open_=(True, True, True, True), **sampling):
    """The frequency of each choice, and the mass of the possible ones; the log probability is checked."""
    from music_composer.symbolic.models.sampling import sample, sampling_parameters

    weight = np.tile(np.log(SHARES).astype(np.float32), (COUNT, 1))
    sampling = np.repeat(sampling_parameters([PlayOptions(**sampling)]), COUNT, axis=0)
    even = (np.arange(COUNT, dtype=np.float32)[:, None] + 0.5) / COUNT
    chosen, share, log_prob = (np.asarray(each) for each in sample(weight, np.tile(open_, (COUNT, 1)), sampling, even))
    often = np.bincount(chosen[:, 0], minlength=4) / COUNT
    assert log_prob == pytest.approx(np.log(often[chosen[:, 0]]), abs=0.02)
    return often, np.exp(share[0])


def test_frequencies_match_probabilities():
    often, share = draw()
    assert often == pytest.approx(SHARES, abs=1e-3)
    assert share == pytest.approx(1)


def test_impossible_choices_are_never_drawn_and_the_mass_is_that_of_the_others():
    often, share = draw(open_=(True, False, True, False))
    assert often == pytest.approx([0.5 / 0.65, 0, 0.15 / 0.65, 0], abs=1e-3)
    assert share == pytest.approx(0.65)


def test_temperature_changes_the_distribution():
    bent = SHARES**2 / (SHARES**2).sum()
    assert draw(temperature=0.5)[0] == pytest.approx(bent, abs=1e-3)


@pytest.mark.parametrize(("sampling", "kept"), [
    ({"top_k": 1}, 1), ({"top_k": 3}, 3), ({"top_k": 9}, 4),
    ({"top_p": 0.4}, 1), ({"top_p": 0.6}, 2), ({"top_p": 0.8}, 3), ({"top_p": 1.0}, 4),
    ({"top_k": 3, "top_p": 0.6}, 2),
])  # fmt: skip
def test_top_k_and_top_p_keep_the_likeliest(sampling, kept):
    left = np.where(np.arange(4) < kept, SHARES, 0)
    often, share = draw(**sampling)
    assert often == pytest.approx(left / left.sum(), abs=1e-3)
    assert share == pytest.approx(1)


def test_top_k_counts_possible_choices():
    often, _ = draw(open_=(False, True, True, True), top_k=2)
    assert often == pytest.approx([0, 0.625, 0.375, 0], abs=1e-3)


def test_each_model_has_its_own_default_top_p():
    assert with_model_defaults("voices", PlayOptions()).top_p == PLAY_DEFAULTS["voices"].top_p
    assert with_model_defaults("voices", PlayOptions(top_p=0.0)).top_p == 0  # asked for: nothing is left out
    assert all(with_model_defaults(name, PlayOptions()).top_p is not None for name in MODELS)
