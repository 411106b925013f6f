"""Pairs of recordings that are one: the same as when all are compared with all."""

import itertools

import numpy as np
import pytest

from music_composer.data import fingerprints
from music_composer.data.fingerprints import BANDS, PLACES, SAME_DB, SAME_LENGTH, same_recordings, text_of


@pytest.mark.parametrize("block", [7, 256])
def test_pairs_are_those_of_comparing_all_with_all(monkeypatch, block):
    monkeypatch.setattr(fingerprints, "BLOCK", block)
    rng = np.random.default_rng(0)
    some = rng.uniform(0, 40, (20, PLACES, BANDS))
    levels = np.concatenate([some, some + rng.normal(0, 1.9, some.shape), some + rng.normal(0, 0.5, some.shape)])
    texts = [text_of(each) for each in levels]
    texts[5] = ""
    lengths = rng.integers(100, 3000, 20)
    lengths = np.concatenate(
        [lengths, lengths + rng.integers(-25, 25, 20), lengths + rng.integers(-25, 25, 20)]
    ).tolist()
    rounded = np.rint(4 * np.maximum(levels, 0)) / 4
    few, share = SAME_LENGTH
    pairs = [
        (i, j)
        for i, j in itertools.combinations(range(60), 2)
        if 5 not in (i, j)
        and abs(lengths[i] - lengths[j]) <= few + share * min(lengths[i], lengths[j])
        and np.abs(rounded[i] - rounded[j]).mean() <= SAME_DB
    ]
    assert 20 < len(pairs) < 60
    assert same_recordings(texts, lengths) == pairs


def test_one_recording_or_none_is_no_pair():
    assert same_recordings([], []) == same_recordings(["", ""], [9, 9]) == []
