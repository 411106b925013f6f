"""Windows and batches: all music that is to be learnt is seen, and nothing that is held out.

Frame number i of song s holds the value 1000 s + i, so that a window tells where it comes from.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from music_composer.data.batches import (
    batches,
    cut_window,
    dataset_of,
    epoch_windows,
    held_out_windows,
    to_frames,
    to_steps,
    window_steps_for,
)
from music_composer.errors import RecordingError
from music_composer.options import TrainOptions

STACK, WINDOW_STEPS = 2, 9
WINDOW = (WINDOW_STEPS + 1) * STACK  # frames


def songs_of(lengths):
    return [
        (1000 * s + np.arange(length, dtype=np.float32)[:, None, None]) * np.ones((1, 2, 3), np.float32)
        for s, length in enumerate(lengths)
    ]


def dataset_from(lengths, held_out=0.1, seed=1):
    return dataset_of(songs_of(lengths), WINDOW_STEPS, STACK, held_out, seed)


def frames_of(regions):
    return {(region.stretch, frame) for region in regions for frame in range(region.start, region.stop)}


def frames_in(dataset, windows, length):
    """(stretch, frame) of all that the windows hold; beyond the end of a stretch comes the next."""
    lengths = [len(stretch) for stretch in dataset.stretches]
    return {
        (stretch, frame) if frame < lengths[stretch] else ((stretch + 1) % len(lengths), frame - lengths[stretch])
        for stretch, start in windows
        for frame in range(start, start + length)
    }


LENGTHS = st.lists(st.integers(0, 300), min_size=1, max_size=5).filter(lambda lengths: sum(lengths) >= WINDOW)


@pytest.fixture(params=[4, 99], ids=["held out in small units", "held out in whole windows"])
def unit_steps(request, monkeypatch):
    monkeypatch.setattr("music_composer.data.batches.HELD_OUT_STEPS", request.param)
    return request.param


SAME_UNIT = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(lengths=LENGTHS, held_out=st.sampled_from([0.0, 0.1, 0.3]), seed=st.integers(0, 99), epoch=st.integers(0, 99))
@SAME_UNIT
@pytest.mark.usefixtures("unit_steps")
def test_an_epoch_sees_all_of_the_training_regions_and_nothing_else(lengths, held_out, seed, epoch):
    dataset = dataset_from(lengths, held_out, seed)
    windows = epoch_windows(dataset, seed, epoch)
    assert frames_in(dataset, windows, dataset.window) == frames_of(dataset.training)
    assert len(windows) == dataset.windows_in_epoch


@given(lengths=LENGTHS, held_out=st.sampled_from([0.0, 0.1, 0.3]), seed=st.integers(0, 99))
@SAME_UNIT
@pytest.mark.usefixtures("unit_steps")
def test_training_and_held_out_regions_share_no_frame_and_are_all_there_is(lengths, held_out, seed):
    dataset = dataset_from(lengths, held_out, seed)
    training, held = frames_of(dataset.training), frames_of(dataset.held_out)
    assert not training & held
    everything = {(i, frame) for i, stretch in enumerate(dataset.stretches) for frame in range(len(stretch))}
    assert training | held == everything
    assert frames_in(dataset, held_out_windows(dataset), dataset.unit) <= held
    assert training


@given(lengths=LENGTHS, seed=st.integers(0, 99))
@SAME_UNIT
@pytest.mark.usefixtures("unit_steps")
def test_every_region_is_long_enough_for_what_is_cut_from_it(lengths, seed):
    dataset = dataset_from(lengths, 0.3, seed)
    assert all(region.frames >= dataset.window for region in dataset.training)
    assert all(region.frames >= dataset.unit for region in dataset.held_out)


def test_a_song_of_few_windows_spares_a_unit_that_is_shorter(monkeypatch):
    monkeypatch.setattr("music_composer.data.batches.HELD_OUT_STEPS", 4)
    held = dataset_from([4 * WINDOW]).held_out
    assert [region.frames for region in held] == [4 * STACK]


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
def test_about_as_much_is_held_out_as_was_asked_of_every_song(share):
    dataset = dataset_from([2000, 3000, 5000], share)
    for stretch, length in enumerate([2000, 3000, 5000]):
        held = sum(region.frames for region in dataset.held_out if region.stretch == stretch)
        assert held / length == pytest.approx(share, abs=0.03)


def test_nothing_is_held_out_when_nothing_is_asked():
    assert dataset_from([2000], 0.0).held_out == ()


def test_where_no_song_can_spare_a_tenth_the_longest_spares_a_window():
    dataset = dataset_from([3 * WINDOW, 4 * WINDOW, 2 * WINDOW])
    assert [(region.stretch, region.frames) for region in dataset.held_out] == [(1, WINDOW)]


def test_what_is_held_out_is_not_always_the_same_place():
    assert len({dataset_from([2000], seed=seed).held_out[0].start for seed in range(8)}) > 3


def test_the_same_seed_holds_out_the_same_and_a_new_song_moves_no_other():
    assert dataset_from([900, 700]).held_out == dataset_from([900, 700]).held_out
    assert dataset_from([900, 700, 800]).held_out[:2] == dataset_from([900, 700]).held_out


@pytest.mark.parametrize("seed", range(4))
def test_a_song_that_spares_nothing_moves_no_other(seed):
    def held_of_the_second(first):
        return [region for region in dataset_from([first, 900], seed=seed).held_out if region.stretch == 1]

    assert held_of_the_second(2 * WINDOW) == held_of_the_second(30 * WINDOW)


def test_the_same_seed_and_epoch_give_the_same_order():
    dataset = dataset_from([900, 700])
    assert epoch_windows(dataset, 1, 5) == epoch_windows(dataset, 1, 5)


def test_another_epoch_or_seed_gives_another_order_and_other_offsets():
    dataset = dataset_from([907, 711])
    reference = epoch_windows(dataset, 1, 5)
    for other in (epoch_windows(dataset, 1, 6), epoch_windows(dataset, 2, 5)):
        assert other != reference
        assert sorted(other) != sorted(reference)
        assert [stretch for stretch, _ in other] != [stretch for stretch, _ in reference]


def test_windows_are_learnt_in_mixed_order():
    windows = epoch_windows(dataset_from([900, 700]), 1, 0)
    assert windows != sorted(windows)


def test_a_window_is_the_music_at_its_place():
    dataset = dataset_from([300, 200])
    steps = cut_window(dataset, 1, 37, WINDOW)
    assert steps.shape == (WINDOW_STEPS + 1, STACK * 2 * 3)
    assert steps.dtype == np.float32
    assert np.array_equal(to_frames(steps, STACK, 2)[:, 0, 0], 1037 + np.arange(WINDOW))


def seams_of(dataset, epochs):
    """Of each stretch, at which frame of a window it ended and the next began."""
    seams = {stretch: set() for stretch in range(len(dataset.stretches))}
    for epoch in range(epochs):
        for stretch, start in epoch_windows(dataset, 1, epoch):
            seam = len(dataset.stretches[stretch]) - start
            if seam < WINDOW:
                seams[stretch].add(seam)
                steps = to_frames(cut_window(dataset, stretch, start, WINDOW), STACK, 2)[:, 0, 0]
                assert steps[seam - 1] == 1000 * stretch + len(dataset.stretches[stretch]) - 1
                assert steps[seam] == 1000 * ((stretch + 1) % len(dataset.stretches))
    return seams


@pytest.mark.parametrize("lengths", [[100, 60, 80], [150]])
def test_windows_lead_from_the_end_of_each_song_into_the_next(lengths):
    assert all(len(seams) > WINDOW // 2 for seams in seams_of(dataset_from(lengths, held_out=0.0), 60).values())


def test_windows_lead_on_where_parts_are_held_out_too():
    seams = seams_of(dataset_from([1010, 817, 905]), 60)
    assert all(len(found) > 2 for found in seams.values())


def test_an_epoch_is_hardly_more_than_one_pass():
    dataset = dataset_from([5000, 3000, 4000])
    trained = sum(region.frames for region in dataset.training)
    assert trained <= dataset.windows_in_epoch * WINDOW < trained + 3 * WINDOW


def test_no_window_leads_into_music_that_is_held_out():
    for seed in range(20):
        dataset = dataset_from([200, 200], held_out=0.3, seed=seed)
        held = frames_of(dataset.held_out)
        assert not held & frames_in(dataset, epoch_windows(dataset, seed, 0), dataset.window)


@pytest.mark.parametrize("batch_size", [1, 3, 8, 100])
def test_all_batches_are_of_full_size_and_hold_every_window(batch_size):
    dataset = dataset_from([300, 200])
    windows = epoch_windows(dataset, 1, 0)
    made = list(batches(dataset, windows, WINDOW, batch_size))
    assert len(made) == -(-len(windows) // batch_size)
    assert {batch.shape for batch in made} == {(batch_size, WINDOW_STEPS + 1, STACK * 2 * 3)}
    assert made[0].dtype == np.float32
    rows = np.concatenate(made)
    truth = np.stack([cut_window(dataset, *window, WINDOW) for window in windows])
    assert np.array_equal(rows[: len(windows)], truth)
    filling = truth[np.arange(len(rows) - len(windows)) % len(windows)]
    assert np.array_equal(rows[len(windows) :], filling)


def test_an_epoch_leaves_out_a_batch_that_would_be_more_than_half_repetition():
    dataset = dataset_from([300, 200])
    count = dataset.windows_in_epoch
    assert dataset.batches_in_epoch(1) == count
    assert all(dataset.batches_in_epoch(size) == 1 for size in (count - 1, count, count + 1, 3 * count))
    assert dataset.batches_in_epoch(round(count / 1.6)) == 2


@pytest.mark.parametrize("first", [0, 1, 4, 99])
def test_batches_from_the_middle_are_the_tail_of_all(first):
    dataset = dataset_from([300, 200])
    windows = epoch_windows(dataset, 1, 0)
    tail = list(batches(dataset, windows, WINDOW, 3, first))
    whole = list(batches(dataset, windows, WINDOW, 3))[first:]
    assert len(tail) == len(whole)
    assert all(np.array_equal(a, b) for a, b in zip(tail, whole, strict=True))


@given(frames=st.integers(0, 20), stack=st.integers(1, 4), channels=st.sampled_from([1, 2]))
@settings(deadline=None, max_examples=30)
def test_steps_become_the_frames_that_they_were(frames, stack, channels):
    song = np.random.default_rng(frames).normal(size=(frames, channels, 5)).astype(np.float16)
    steps = to_steps(song, stack)
    assert steps.shape == (frames // stack, stack * channels * 5)
    assert np.array_equal(to_frames(steps, stack, channels), song[: frames // stack * stack])


def test_steps_of_many_batches_become_frames_too():
    song = np.random.default_rng(0).normal(size=(6, 2, 5)).astype(np.float32)
    steps = np.stack([to_steps(song, 3), to_steps(2 * song, 3)])
    assert np.array_equal(to_frames(steps, 3, 2), np.stack([song, 2 * song]))


def test_short_songs_are_joined():
    dataset = dataset_from([WINDOW - 1, 5 * WINDOW, WINDOW - 3, 7])
    assert dataset.joined == 3
    assert [len(stretch) for stretch in dataset.stretches] == [5 * WINDOW, 2 * WINDOW + 3]
    joined = dataset.stretches[1][:, 0, 0]
    assert np.array_equal(joined, [*range(WINDOW - 1), *range(2000, 2000 + WINDOW - 3), *range(3000, 3007)])


def test_songs_of_a_window_or_more_stay_as_they_are():
    songs = songs_of([WINDOW, 2 * WINDOW])
    dataset = dataset_of(songs, WINDOW_STEPS, STACK, 0.1, 1)
    assert dataset.joined == 0
    assert all(stretch is song for stretch, song in zip(dataset.stretches, songs, strict=True))


def test_with_little_music_the_window_is_all_of_it():
    dataset = dataset_of(songs_of([40, 21]), 128, STACK, 0.1, 1)
    assert dataset.window == 60
    assert len(epoch_windows(dataset, 1, 0)) == 2
    assert frames_in(dataset, epoch_windows(dataset, 1, 0), dataset.window) == {(0, frame) for frame in range(61)}


@pytest.mark.parametrize("lengths", [[], [0], [17], [5, 5, 7]])
def test_too_little_music_is_an_error_that_says_how_much_is_needed(lengths):
    with pytest.raises(RecordingError, match=rf"only {sum(lengths)} frames of music, and at least 18"):
        dataset_from(lengths)


@pytest.mark.parametrize(("frames", "steps"), [(90, 40), (600, 40), (610, 40), (900, 60), (1199, 79), (9000, 100)])
def test_windows_are_cut_down_until_there_is_a_batch_of_them(frames, steps):
    options = TrainOptions(window_steps=100, least_window_steps=40, batch_size=5)
    assert window_steps_for(songs_of([30, frames - 30]), 3, options) == steps


def test_windows_that_are_asked_to_be_short_stay_short():
    options = TrainOptions(window_steps=30, least_window_steps=40, batch_size=5)
    assert window_steps_for(songs_of([9000]), 3, options) == 30


def test_just_enough_music_is_enough():
    dataset = dataset_from([18])
    assert next(batches(dataset, epoch_windows(dataset, 1, 0), dataset.window, 2)).shape == (2, 9, 12)
