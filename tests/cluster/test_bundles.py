"""Small jobs are sent together, each once."""

from hypothesis import given
from hypothesis import strategies as st

from music_composer.cluster.bundles import BUNDLE_SECONDS, Bundles


def bundles_of(bundles, seconds_of=lambda number: 0.0):
    """All bundles, as one worker is given them."""
    found = []
    while numbers := bundles.following():
        found.append(numbers)
        bundles.took(len(numbers), sum(map(seconds_of, numbers)))
    return found


@given(st.integers(0, 300), st.integers(1, 20), st.floats(0, 100))
def test_each_job_is_given_once_and_in_order(count, workers, seconds):
    found = bundles_of(Bundles(count, workers), lambda number: seconds)
    assert [number for numbers in found for number in numbers] == list(range(count))


def test_small_jobs_go_together_and_long_ones_alone():
    sizes = [len(numbers) for numbers in bundles_of(Bundles(1000, 2), lambda number: BUNDLE_SECONDS / 128)]
    assert sizes[:8] == [1, 2, 4, 8, 16, 32, 64, 128]
    assert sizes[-4:] == [1, 1, 1, 1], "all workers end together"
    found = bundles_of(Bundles(20, 2), lambda number: BUNDLE_SECONDS)
    assert [len(numbers) for numbers in found] == [1] * 20


def test_jobs_that_become_longer_are_sent_in_smaller_bundles():
    bundles = Bundles(10_000, 2)
    for _ in range(6):
        bundles.took(len(bundles.following()), 0.0)
    assert len(numbers := bundles.following()) == 64
    bundles.took(len(numbers), 64 * BUNDLE_SECONDS / 3)
    assert len(bundles.following()) == 3


def test_a_bundle_that_is_lost_is_given_again_job_by_job():
    bundles = Bundles(5, 1)
    assert bundles.following() == [0]
    bundles.took(1, 0.0)
    assert bundles.following() == [1, 2]
    bundles.again([1, 2])
    assert [bundles.following() for _ in range(5)] == [[1], [2], [3], [4], []]
