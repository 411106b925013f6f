"""Windows cover a piece, whatever its length, and are not always the same."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from music_composer.symbolic.dataset.windows import starts_of, windows_in


@given(length=st.integers(0, 300), window=st.integers(1, 50), seed=st.integers(0, 9))
def test_windows_cover_a_piece_and_no_fewer_would(length, window, seed):
    starts = starts_of(length, window, np.random.default_rng(seed))
    assert len(starts) == windows_in(length, window) == max(1, -(-length // window))
    covered = {step for start in starts for step in range(start, start + window)}
    assert covered >= set(range(length))
    assert starts[0] == 0 and starts == sorted(starts)
    assert starts[-1] == max(0, length - window)


def test_where_they_overlap_is_random():
    assert len({tuple(starts_of(100, 30, np.random.default_rng(seed))) for seed in range(20)}) > 5
