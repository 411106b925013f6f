"""Whole songs are held out by their notes; copies in any key, at any tempo and under any name stay together."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from music_composer.data.split_file import write_split
from music_composer.symbolic.dataset.songs import Song
from music_composer.symbolic.dataset.split import digest_of, divided, notes_of, split_of
from music_composer.values import Roll
from tests.properties import cases


def song(number, source=None, shift=0, steps=32):
    rng = np.random.default_rng(number)
    velocity = np.zeros((steps, 128), np.uint8)
    velocity[:, 50:70] = np.where(rng.random((steps, 20)) < 0.2, 80, 0)
    velocity[0, 50] = 80
    onset = (velocity > 0) & (rng.random((steps, 128)) < 0.5)
    return Song(source or f"{number}.mid", Roll(np.roll(velocity, shift, axis=1), np.roll(onset, shift, axis=1)))


def names(songs):
    return {each.source for each in songs}


def changed(one, source, **fields):
    return Song(source, dataclasses.replace(one.roll, **fields))


def test_copies_in_other_keys_and_tempos_follow_their_source(tmp_path):
    songs = [song(i) for i in range(12)]
    copies = [song(i, f"up {i}.mid", shift=7) for i in range(12)]
    copies += [changed(song(i), f"fast {i}.mid", tempos=((0, 200.0),), metres=((0, 3, 4),)) for i in range(12)]
    copies += [changed(song(i), f"soft {i}.mid", velocity=song(i).roll.velocity // 2) for i in range(12)]
    for at_once in (True, False):
        split = split_of(None, songs + copies if at_once else songs, 0.2, print)
        held = divided(songs, split)[1]
        assert len(held) == 2
        numbers = {each.source.removesuffix(".mid") for each in held}
        assert {each.source.split()[-1].removesuffix(".mid") for each in divided(copies, split)[1]} == numbers


@pytest.mark.parametrize(("count", "held"), [(1, 0), (2, 1), (3, 1), (10, 1), (16, 2)])
def test_at_least_one_song_is_trained_on_and_of_two_one_is_held_out(tmp_path, count, held):
    songs = [song(i) for i in range(count)]
    kept, spared = divided(songs, split_of(None, songs, 0.1, print))
    assert (len(kept), len(spared)) == (count - held, held)
    assert not divided(songs, split_of(None, songs, 0.0, print))[1]


@given(first=st.sets(st.integers(0, 20), min_size=1), later=st.sets(st.integers(0, 40), min_size=1))
@cases(40)
def test_training_songs_stay_training_songs(first, later, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    songs = [song(i) for i in first]
    split = split_of(None, songs, 0.1, print)
    write_split(folder, split)
    trained, held_out = (names(part) for part in divided(songs, split))
    others = [song(i) for i in sorted(later, reverse=True)]
    training, validation = (names(part) for part in divided(others, split_of(folder, others, 0.1, lambda line: None)))
    assert not trained & validation
    assert not held_out & training


def test_new_and_missing_songs_are_reported(tmp_path):
    write_split(tmp_path, split_of(None, [song(i) for i in range(4)], 0.1, print))
    said = []
    split_of(tmp_path, [song(i) for i in range(4)], 0.1, said.append)
    assert said == []
    split_of(tmp_path, [song(i) for i in (0, 1, 2, 9)], 0.1, said.append)
    assert ["are new" in said[0] and "9.mid" in said[0], "gone" in said[1] and "3.mid" in said[1]] == [True, True]


def test_a_run_folder_without_a_split_holds_nothing_out(tmp_path):
    songs, said = [song(i) for i in range(4)], []
    assert divided(songs, split_of(tmp_path, songs, 0.5, said.append))[1] == []
    assert "all songs count as training music" in said[0]


def test_the_digest_changes_with_notes_tempos_and_metres():
    one = song(0)
    others = [
        changed(one, "a", tempos=((0, 90.0),)),
        changed(one, "a", metres=((0, 3, 4),)),
        changed(one, "a", velocity=one.roll.velocity // 2),
        changed(one, "a", onset=~one.roll.onset),
    ]
    assert len({digest_of([each]) for each in [one, *others]}) == 5
    assert digest_of([one]) == digest_of([changed(one, "renamed")])


def test_songs_with_other_notes_differ():
    assert len({notes_of(song(i).roll) for i in range(20)}) == 20
    assert notes_of(song(0).roll) == notes_of(song(0, shift=-12).roll)
    onset = song(0).roll.onset.copy()
    onset[0, 50] ^= True
    assert notes_of(changed(song(0), "a", onset=onset).roll) != notes_of(song(0).roll)
