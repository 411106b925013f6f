"""Windows of a stream equal those of the whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from music_composer.errors import MusicComposerError
from music_composer.evaluation.audio.signal.spectra import windows_of_blocks
from tests.properties import cases


@cases(40)
@given(
    st.integers(0, 700),
    st.integers(1, 40),
    st.integers(1, 40),
    st.lists(st.integers(0, 700), max_size=5),
    st.booleans(),
)
def test_windows_are_those_of_the_whole_however_it_is_cut(
    count: int, length: int, hop: int, cuts: list[int], empty: bool
) -> None:
    hop = min(hop, length)
    samples = np.arange(count, dtype=np.float32)
    blocks = np.split(samples, sorted(cut for cut in cuts if cut <= count)) + [samples[:0]] * empty
    windows = [window for part in windows_of_blocks(blocks, length, hop) for window in part]
    expected = [samples[at : at + length] for at in range(0, count - length + 1, hop)]
    assert len(windows) == len(expected)
    assert all(np.array_equal(one, other) for one, other in zip(windows, expected, strict=True))


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(MusicComposerError, match="not numbers"):
        list(windows_of_blocks([np.zeros(9), np.array([np.nan])], 4, 4))
