"""Windows in the batches of the training loop."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from music_composer.audio.dataset.batches import WindowLoader
from music_composer.audio.dataset.windows import Segment, dataset_of


@given(window=st.integers(8, 60), chunk=st.integers(1, 40))
def test_chunks_are_alike_in_length_and_overlap_by_a_step(window: int, chunk: int) -> None:
    song = np.arange(200, dtype=np.float32)[:, None, None]
    dataset = dataset_of([song], [Segment(0, 0, 200)], [], window_steps=window, frames_per_step=1)
    for chunks in WindowLoader(dataset, 2, chunk, time_stretch=0.0).epoch(seed=1, epoch=0, first=0):
        lengths = {part.shape[1] for (part,) in chunks}
        assert len(lengths) == 1 and lengths.pop() <= chunk + 1
        for (one,), (following,) in zip(chunks, chunks[1:], strict=False):
            np.testing.assert_array_equal(one[:, -1], following[:, 0])
        learnt = sum(part.shape[1] - 1 for (part,) in chunks)
        assert window - len(chunks) < learnt <= window
