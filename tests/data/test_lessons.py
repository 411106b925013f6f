"""Windows as lessons: in chunks that meet, from any batch of an epoch on."""

import numpy as np
import pytest

from music_composer.data.batches import Segment, dataset_of
from music_composer.data.lessons import WindowLessons


def lessons_of(frames, window_steps=10, batch_size=2, chunk_steps=4, held_out=0.0, stretch=0.0):
    song, cut = np.arange(frames, dtype=np.float32)[:, None, None], round(frames * (1 - held_out))
    parts = [Segment(0, 0, cut)], [Segment(0, cut, frames)] * (cut < frames)
    return WindowLessons(dataset_of([song], *parts, window_steps, 1), batch_size, chunk_steps, stretch)


def test_chunks_share_the_step_where_they_meet_and_together_are_the_window():
    for batch in lessons_of(66).epoch(seed=1, epoch=0, first=0):
        sizes = [inputs[0].shape for inputs in batch]
        assert sizes == [(2, 5, 1), (2, 5, 1), (2, 3, 1)]
        for (one,), (other,) in zip(batch[:-1], batch[1:], strict=True):
            assert np.array_equal(one[:, -1], other[:, 0])
        steps = np.concatenate([batch[0][0], *(inputs[0][:, 1:] for inputs in batch[1:])], axis=1)
        assert (np.diff(steps[..., 0], axis=1) % 66 == 1).all()


@pytest.mark.parametrize("stretch", [0.0, 0.2])
@pytest.mark.parametrize("first", [0, 1, 2])
def test_an_epoch_goes_on_from_any_batch(first, stretch):
    lessons = lessons_of(66, stretch=stretch)
    assert lessons.batches == 3
    whole = list(lessons.epoch(seed=3, epoch=1, first=0))
    rest = list(lessons.epoch(seed=3, epoch=1, first=first))
    assert len(rest) == 3 - first
    for batch, other in zip(whole[first:], rest, strict=True):
        assert all(np.array_equal(a[0], b[0]) for a, b in zip(batch, other, strict=True))


def test_what_is_held_out_is_the_same_every_time():
    lessons = lessons_of(2000, held_out=0.2)
    once, again = (list(lessons.held_out()) for _ in range(2))
    assert len(once) > 1
    assert all(np.array_equal(a[0], b[0]) for (a, _), (b, _) in zip(once, again, strict=True))
    assert list(lessons_of(66).held_out()) == []


def test_windows_are_played_faster_and_slower_within_their_share_and_what_is_held_out_is_not():
    lessons, speeds = lessons_of(2000, window_steps=100, chunk_steps=100, held_out=0.2, stretch=0.2), []
    for epoch in range(3):
        for [[windows]] in lessons.epoch(seed=1, epoch=epoch, first=0):
            for window in windows[..., 0]:
                moved = np.diff(window)
                speeds.append(float(np.median(moved)))
                assert (
                    np.isclose(moved, speeds[-1], atol=1e-3).mean() > 0.95
                )  # but where the end leads to the beginning
    assert len(np.unique(np.round(speeds, 5))) > len(speeds) * 2 / 3  # another epoch, other speeds
    assert 0.799 <= min(speeds) < 0.9
    assert 1.1 < max(speeds) <= 1.2
    for [windows], _ in lessons.held_out():
        assert (np.diff(windows[..., 0], axis=1) == 1).all()
