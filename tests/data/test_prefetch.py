"""Items that are made ahead are the same items, and no more than one is made too many."""

import threading

import pytest

from music_composer.data.prefetch import prefetched


def test_the_items_are_the_same_and_come_to_an_end():
    assert list(prefetched(iter(range(5)))) == list(range(5))
    assert list(prefetched(iter(()))) == []


def test_the_next_item_is_made_while_one_is_in_use():
    made = [threading.Event() for _ in range(3)]

    def making():
        for i, each in enumerate(made):
            each.set()
            yield i

    items = prefetched(making())
    assert made[0].wait(5), "before anybody asks"
    for i in range(3):
        assert next(items) == i
        assert i == 2 or made[i + 1].wait(5)


def test_no_more_than_one_is_made_ahead():
    made = []

    def making():
        for i in range(9):
            made.append(i)
            yield i

    items = prefetched(making())
    assert next(items) == 0
    items.close()  # waits for what is being made
    assert len(made) <= 2


def test_an_error_comes_where_its_item_would_have_come():
    def making():
        yield 1
        raise OSError("the disk is gone")

    items = prefetched(making())
    assert next(items) == 1
    with pytest.raises(OSError, match="the disk is gone"):
        next(items)
