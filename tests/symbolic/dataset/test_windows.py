"""Windows cover a piece of any length, with random overlaps."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from music_composer.symbolic.dataset.windows import starts_of, windows_in


@given(length=st.integers(0, 300), window=st.integers(1, 50), seed=st.integers(0, 9))
def test_windows_are_the_fewest_that_cover_a_piece(length, window, seed):
    starts = starts_of(length, window, np.random.default_rng(seed))
    assert len(starts) == windows_in(length, window) == max(1, -(-length // window))
    covered = {step for start in starts for step in range(start, start + window)}
    assert covered >= set(range(length))
    assert starts[0] == 0 and starts == sorted(starts)
    assert starts[-1] == max(0, length - window)


def test_overlaps_are_random():
    assert len({tuple(starts_of(100, 30, np.random.default_rng(seed))) for seed in range(20)}) > 5
