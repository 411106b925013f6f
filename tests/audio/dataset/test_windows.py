"""Windows and batches: all music that is to be learnt is seen, and nothing that is held out.

Frame number i of song s holds the value 1000 s + i, so that a window tells where it comes from.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from music_composer.audio.dataset.windows import (
    Segment,
    batches,
    cut_window,
    dataset_of,
    epoch_windows,
    held_out_windows,
    window_steps_for,
)
from music_composer.audio.spectrogram import to_frames, to_steps
from music_composer.errors import RecordingError
from music_composer.training.options import TrainOptions
from tests.properties import cases

MODULE = "music_composer.audio.dataset.windows"
STACK, WINDOW_STEPS = 2, 9
WINDOW = (WINDOW_STEPS + 1) * STACK  # frames


def songs_of(lengths):
    return [
        (1000 * s + np.arange(length, dtype=np.float32)[:, None, None]) * np.ones((1, 2, 3), np.float32)
        for s, length in enumerate(lengths)
    ]


def dataset_from(lengths, held=()):
    """held: (song, start, stop) of the held-out parts, in order; all else is training music."""
    songs, held = songs_of(lengths), [Segment(*each) for each in held]
    training = []
    for number, song in enumerate(songs):
        start = 0
        for each in [*(each for each in held if each.song == number), Segment(number, len(song), len(song))]:
            training += [Segment(number, start, each.start)] * (start < each.start)
            start = each.stop
    return dataset_of(songs, training, held, WINDOW_STEPS, STACK)


def values_in(music, windows, length):
    """Returns the frame numbers in each window."""
    return [np.rint(music.around(start, length)[:, 0, 0]).astype(int).tolist() for start in windows]


def values_of(lengths, held):
    """Returns the training and the held-out frames."""
    everything = {1000 * s + i for s, length in enumerate(lengths) for i in range(length)}
    held_out = {1000 * s + i for s, start, stop in held for i in range(start, stop)}
    return everything - held_out, held_out


@st.composite
def divided(draw):
    """Draws lengths of songs and held-out parts of them that leave at least a window to train on."""
    lengths = draw(st.lists(st.integers(1, 300), min_size=1, max_size=6))
    held = []
    for number, length in enumerate(lengths):
        start, stop = sorted((draw(st.integers(0, length)), draw(st.integers(0, length))))
        if start < stop and draw(st.booleans()):
            held.append((number, start, stop))
    left = sum(lengths) - sum(stop - start for _, start, stop in held)
    return (lengths, held) if left >= WINDOW else ([*lengths, WINDOW], held)


@given(divided=divided(), seed=st.integers(0, 99), epoch=st.integers(0, 99))
@cases(100)
def test_an_epoch_sees_all_of_the_training_music_and_nothing_else(divided, seed, epoch):
    lengths, held = divided
    dataset = dataset_from(lengths, held)
    windows = epoch_windows(dataset, seed, epoch)
    assert {v for w in values_in(dataset.training, windows, dataset.window) for v in w} == values_of(lengths, held)[0]
    assert len(windows) == dataset.windows_in_epoch


@given(divided=divided(), seed=st.integers(0, 99), speed=st.floats(0.9, 1.1))
@cases(60)
def test_no_window_hears_what_is_held_out_at_any_speed(divided, seed, speed):
    lengths, held = divided
    dataset, held_out = dataset_from(lengths, held), values_of(lengths, held)[1]
    for start in epoch_windows(dataset, seed, 0):
        read = dataset.training.around(start, int(np.ceil(dataset.window * speed)) + 1)[:, 0, 0]
        assert not held_out & set(np.rint(read).astype(int).tolist())


@given(divided=divided())
@cases(60)
def test_validation_windows_are_whole_units_of_what_is_held_out(divided):
    lengths, held = divided
    dataset = dataset_from(lengths, held)
    windows = values_in(dataset.validation, held_out_windows(dataset), dataset.unit)
    seen = [value for window in windows for value in window]
    assert len(seen) == len(set(seen))
    assert set(seen) <= values_of(lengths, held)[1]
    held_out = sum(stop - start for _, start, stop in held)
    if dataset.unit:
        assert len(windows) >= max(1, sum((stop - start) // dataset.unit for _, start, stop in held))
    else:
        assert held_out < 9 * STACK


def test_short_held_out_songs_are_joined_to_windows():
    dataset = dataset_from([400, 11, 400, 11], held=[(1, 0, 11), (3, 0, 11)])
    assert values_in(dataset.validation, held_out_windows(dataset), dataset.unit) == [
        [*range(1000, 1011), *range(3000, 3009)]
    ]


def test_a_song_that_is_held_out_whole_leaves_no_gap():
    dataset = dataset_from([100, 60, 80], held=[(1, 0, 60)])
    assert [passage.ring for passage in dataset.passages] == [True]


def test_music_between_two_gaps_that_is_too_short_for_a_window_goes_on_into_what_follows():
    held = [(0, 40, 50), (0, 55, 65)]
    dataset = dataset_from([200], held)
    assert [passage.frames for passage in dataset.passages] == [5 + 135 + 40]


def test_the_same_seed_and_epoch_give_the_same_order():
    dataset = dataset_from([900, 700])
    assert epoch_windows(dataset, 1, 5) == epoch_windows(dataset, 1, 5)


def test_another_epoch_or_seed_gives_another_order_and_other_offsets():
    dataset = dataset_from([907, 711])
    reference = epoch_windows(dataset, 1, 5)
    for other in (epoch_windows(dataset, 1, 6), epoch_windows(dataset, 2, 5)):
        assert other != reference
        assert sorted(other) != sorted(reference)
        assert np.argsort(other).tolist() != np.argsort(reference).tolist()


def test_windows_are_learnt_in_mixed_order():
    windows = epoch_windows(dataset_from([900, 700]), 1, 0)
    assert windows != sorted(windows)


def test_a_window_is_the_music_at_its_place():
    dataset = dataset_from([300, 200])
    steps = cut_window(dataset.training, STACK, 337, WINDOW)
    assert steps.shape == (WINDOW_STEPS + 1, STACK * 2 * 3)
    assert steps.dtype == np.float32
    assert np.array_equal(to_frames(steps, STACK, 2)[:, 0, 0], 1037 + np.arange(WINDOW))


def seams_of(lengths, held, epochs):
    """Returns, for each song, the frame of a window at which it ended and the next began."""
    dataset = dataset_from(lengths, held)
    seams = {song: set() for song in range(len(lengths))}
    for epoch in range(epochs):
        for values in values_in(dataset.training, epoch_windows(dataset, 1, epoch), WINDOW):
            for at in np.flatnonzero(np.diff(values) != 1):
                song, place = divmod(values[at], 1000)
                assert place == lengths[song] - 1
                assert values[at + 1] == 1000 * ((song + 1) % len(lengths))
                seams[song].add(int(at))
    return seams


@pytest.mark.parametrize("lengths", [[100, 60, 80], [150]])
def test_windows_lead_from_the_end_of_each_song_into_the_next(lengths):
    assert all(len(seams) > WINDOW // 2 for seams in seams_of(lengths, (), 60).values())


def test_windows_lead_on_where_parts_are_held_out_too():
    seams = seams_of([910, 817, 905], [(0, 300, 400), (1, 400, 490), (2, 200, 293)], 60)
    assert all(len(found) > 2 for found in seams.values())


def test_an_epoch_is_hardly_more_than_one_pass():
    dataset = dataset_from([5000, 3000, 4000])
    trained = len(dataset.training)
    assert trained <= dataset.windows_in_epoch * WINDOW < trained + 3 * WINDOW


@pytest.mark.parametrize("batch_size", [1, 3, 8, 100])
def test_all_batches_are_of_full_size_and_hold_every_window(batch_size):
    dataset = dataset_from([300, 200])
    windows = epoch_windows(dataset, 1, 0)
    made = list(batches(dataset.training, STACK, windows, WINDOW, batch_size))
    assert len(made) == -(-len(windows) // batch_size)
    assert {batch.shape for batch in made} == {(batch_size, WINDOW_STEPS + 1, STACK * 2 * 3)}
    assert made[0].dtype == np.float32
    rows = np.concatenate(made)
    truth = np.stack([cut_window(dataset.training, STACK, window, WINDOW) for window in windows])
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
    tail = list(batches(dataset.training, STACK, windows, WINDOW, 3, first))
    whole = list(batches(dataset.training, STACK, windows, WINDOW, 3))[first:]
    assert len(tail) == len(whole)
    assert all(np.array_equal(a, b) for a, b in zip(tail, whole, strict=True))


@given(frames=st.integers(0, 20), frames_per_step=st.integers(1, 4), channels=st.sampled_from([1, 2]))
@cases(30)
def test_steps_become_the_frames_that_they_were(frames, frames_per_step, channels):
    song = np.random.default_rng(frames).normal(size=(frames, channels, 5)).astype(np.float16)
    steps = to_steps(song, frames_per_step)
    assert steps.shape == (frames // frames_per_step, frames_per_step * channels * 5)
    assert np.array_equal(
        to_frames(steps, frames_per_step, channels), song[: frames // frames_per_step * frames_per_step]
    )


def test_steps_of_many_batches_become_frames_too():
    song = np.random.default_rng(0).normal(size=(6, 2, 5)).astype(np.float32)
    steps = np.stack([to_steps(song, 3), to_steps(2 * song, 3)])
    assert np.array_equal(to_frames(steps, 3, 2), np.stack([song, 2 * song]))


def test_songs_that_are_shorter_than_a_window_are_counted():
    assert dataset_from([WINDOW - 1, 5 * WINDOW, WINDOW - 3, 7]).joined == 3
    assert dataset_from([WINDOW, 2 * WINDOW]).joined == 0


def test_with_little_music_the_window_is_all_of_it():
    songs = songs_of([40, 21])
    dataset = dataset_of(songs, [Segment(0, 0, 40), Segment(1, 0, 21)], [], 128, STACK)
    assert dataset.window == 60
    windows = epoch_windows(dataset, 1, 0)
    assert len(windows) == 2
    assert {value for window in values_in(dataset.training, windows, 60) for value in window} == {
        *range(40),
        *range(1000, 1021),
    }


@pytest.mark.parametrize("lengths", [[], [0], [17], [5, 5, 7]])
def test_too_little_music_is_an_error_that_says_how_much_is_needed(lengths):
    with pytest.raises(RecordingError, match=rf"only {sum(lengths)} frames of music, and at least 18"):
        dataset_from(lengths)


@pytest.mark.parametrize(("frames", "steps"), [(90, 40), (600, 40), (610, 40), (900, 60), (1199, 79), (9000, 100)])
def test_windows_are_cut_down_until_there_is_a_batch_of_them(frames, steps):
    options = TrainOptions(window_steps=100, least_window_steps=40, batch_size=5)
    assert window_steps_for(frames, 3, options) == steps


def test_windows_that_are_asked_to_be_short_stay_short():
    options = TrainOptions(window_steps=30, least_window_steps=40, batch_size=5)
    assert window_steps_for(9000, 3, options) == 30


def test_just_enough_music_is_enough():
    dataset = dataset_from([18])
    assert next(batches(dataset.training, STACK, epoch_windows(dataset, 1, 0), dataset.window, 2)).shape == (2, 9, 12)


def test_of_many_hours_evenly_spaced_windows_are_judged(monkeypatch):
    dataset = dataset_from([400, 400], held=[(0, 0, 200), (1, 200, 400)])
    whole = held_out_windows(dataset)
    monkeypatch.setattr(f"{MODULE}.MOST_HELD_OUT", len(whole) // 3 * dataset.unit)
    few = held_out_windows(dataset)
    assert len(few) == len(whole) // 3 and set(few) <= set(whole)
    steps = np.diff(few) / dataset.unit
    assert steps.max() - steps.min() <= 1, "as even as whole windows can be"
    assert few[0] == whole[0] and few[-1] >= whole[-len(whole) // 3]
    monkeypatch.setattr(f"{MODULE}.MOST_HELD_OUT", 1)
    assert len(held_out_windows(dataset)) == 1
