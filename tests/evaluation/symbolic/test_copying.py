"""A planted copy is found anywhere and in any key; other music is not."""

import numpy as np
import pytest

from music_composer.evaluation.symbolic.copying import WINDOW, Copies, copied_share, copies_in, index_of, windows_of


def random_piece(seed, steps=100):
    return np.random.default_rng(seed).random((steps, 128)) < np.where(np.arange(128) // 40 == 1, 0.08, 0)


def test_a_planted_copy_is_found_in_another_key():
    source, piece = random_piece(1), random_piece(2)
    piece[30:60] = np.roll(source[50:80], 7, axis=1)
    found = copies_in(piece, index_of([random_piece(3), source]))
    assert found == Copies(windows=85, copied=15, run=30, at=30, source=1, source_at=50)


def test_new_music_is_no_copy():
    assert copies_in(random_piece(2), index_of([random_piece(1)])) == Copies(85, 0)


def test_one_note_changed_in_the_middle_breaks_a_copy():
    source = random_piece(1, 40)
    changed = source.copy()
    changed[20, 60] ^= True
    found = copies_in(changed, index_of([source]))
    assert found.copied == 25 - WINDOW
    assert found.run == 20


def test_held_chords_and_silence_are_no_copies():
    held = np.zeros((60, 128), bool)
    held[:, [60, 64, 67]] = True
    assert windows_of(held) == {}
    assert windows_of(np.zeros((60, 128), bool)) == {}
    assert windows_of(random_piece(1, WINDOW - 1)) == {}
    held[30:] = False
    assert set(windows_of(held)) == set(range(30 - WINDOW + 1, 30))


def test_copies_are_detected_by_intervals():
    piece = random_piece(1, 30)
    stretched = piece.copy()
    stretched[:, 50:] = np.roll(piece[:, 50:], 1, axis=1)
    assert set(windows_of(piece).values()) == set(windows_of(np.roll(piece, -9, axis=1)).values())
    assert not set(windows_of(piece).values()) & set(windows_of(stretched).values())


def test_the_share_is_of_windows_and_its_interval_is_over_pieces():
    share, low, high = copied_share([Copies(10, 10), *[Copies(30, 0)] * 9])
    assert share == pytest.approx(10 / 280)
    assert low == 0 and 0.05 < high < 0.2
    assert copied_share([]) == (0.0, 0.0, 0.0)
    assert copied_share([Copies(0, 0)]) == (0.0, 0.0, 0.0)
