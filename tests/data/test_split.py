"""The split of the music: by content alone, kept for good, and nothing that was trained on is ever called unseen."""

import dataclasses
import hashlib
import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from music_composer.data.split import GUARD, Split, Track, changes, everything_trained_on, extended
from music_composer.data.split_file import SPLIT, read_split, write_split
from music_composer.errors import RunFolderError
from tests.properties import cases

WINDOW, UNIT = 100, 30
SLOW = settings(deadline=None, max_examples=150)


def track(name, frames=1000, start=0, source=None, fingerprint=""):
    content = hashlib.blake2b(str(name).encode(), digest_size=16).hexdigest()
    return Track(source or f"{name}.wav", content, start, start + frames, start + frames + 5, fingerprint)


def split_of(tracks, held_out=0.1, **more):
    return extended(Split(held_out, WINDOW, UNIT, least=27, **more), tracks)


def frames_of(spans):
    return {frame for start, stop in spans for frame in range(start, stop)}


TRACKS = st.lists(
    st.builds(track, name=st.integers(0, 40), frames=st.integers(1, 3000), start=st.integers(0, 50)),
    min_size=1,
    max_size=16,
    unique_by=lambda each: each.content,
)


@pytest.mark.journey
@given(first=TRACKS, later=TRACKS, last=TRACKS, held_out=st.sampled_from([0.0, 0.1, 0.3]))
@SLOW
def test_what_was_trained_on_is_never_held_out_later(first, later, last, held_out):
    split = split_of(first, held_out)
    trained = {d.track.content: frames_of(d.training) for d in split.decisions}
    for tracks in (later, last):
        split = extended(split, tracks)
        for content, frames in trained.items():
            assert not frames & frames_of(split.by_content[content].validation)
            assert frames_of(split.by_content[content].training) == frames
        trained = {d.track.content: frames_of(d.training) for d in split.decisions}
        assert {each.content for each in tracks} <= set(trained)


@pytest.mark.journey
@given(tracks=TRACKS, order=st.randoms(use_true_random=False), held_out=st.sampled_from([0.1, 0.3]))
@SLOW
def test_order_and_names_change_nothing(tracks, order, held_out):
    decided = {d.track.content: (d.training, d.validation) for d in split_of(tracks, held_out).decisions}
    shuffled = [dataclasses.replace(each, source=f"new name {i}.flac") for i, each in enumerate(tracks)]
    order.shuffle(shuffled)
    again = split_of(shuffled, held_out)
    assert {d.track.content: (d.training, d.validation) for d in again.decisions} == decided
    assert extended(again, tracks) is again


@pytest.mark.journey
@given(tracks=TRACKS, held_out=st.sampled_from([0.0, 0.1, 0.3]))
@SLOW
def test_parts_share_no_frame_and_are_all_there_is(tracks, held_out):
    split = split_of(tracks, held_out)
    for decision in split.decisions:
        training, validation = frames_of(decision.training), frames_of(decision.validation)
        assert not training & validation
        assert training | validation == frames_of([decision.track.span])
        assert held_out or not validation
    total = sum(each.stop - each.start for each in tracks)
    left = sum(len(frames_of(decision.training)) for decision in split.decisions)
    assert left >= min(total, 27)


@given(tracks=TRACKS)
@SLOW
def test_what_is_left_beside_a_held_out_part_is_long_enough_to_learn_from(tracks):
    for decision in split_of(tracks, 0.3).decisions:
        if decision.validation and decision.training:
            assert all(stop - start >= WINDOW for start, stop in decision.training)
            assert all((stop - start) % UNIT == 0 for start, stop in decision.validation)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
@pytest.mark.parametrize("count", [1, 3, 7])
def test_of_few_recordings_each_holds_out_about_as_much_as_was_asked(share, count):
    for decision in split_of([track(i, 3000) for i in range(count)], share).decisions:
        held = sum(stop - start for start, stop in decision.validation)
        assert held / 3000 == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
@pytest.mark.parametrize("count", [8, 9, 40, 300])
def test_of_eight_or_more_whole_ones_are_held_out(share, count):
    decisions = split_of([track(i, 700 + i) for i in range(count)], share).decisions
    assert all(not decision.training or not decision.validation for decision in decisions)
    assert sum(bool(decision.validation) for decision in decisions) == max(1, round(share * count))


def test_a_recording_that_is_most_of_the_music_is_not_held_out_whole():
    tracks = [track("hour", 100_000), *(track(i, 200) for i in range(20))]
    for seed in range(20):
        decision = split_of([dataclasses.replace(tracks[0], content=f"{seed:032x}"), *tracks[1:]]).decisions
        long = next(each for each in decision if each.track.stop == 100_000)
        assert 9_000 < sum(stop - start for start, stop in long.validation) < 11_000


def test_the_place_of_what_is_held_out_differs_from_recording_to_recording():
    decisions = split_of([track(i, 3000) for i in range(7)]).decisions
    assert len({decision.validation for decision in decisions}) == 7


def test_where_none_can_spare_its_share_the_longest_spares_a_unit():
    decisions = split_of([track(i, frames) for i, frames in enumerate([240, 260, 230])], 0.05).decisions
    assert [(d.track.stop, d.validation) for d in decisions if d.validation] == [(260, ((230, 260),))]


def test_too_little_music_is_all_trained_on():
    assert not any(decision.validation for decision in split_of([track(i, 3) for i in range(9)]).decisions)


def test_a_new_recording_is_decided_by_its_own_hash_and_moves_no_other():
    split = split_of([track(i, 3000) for i in range(7)])
    larger = extended(split, [track(i, 3000) for i in range(200)])
    assert larger.decisions[:7] == split.decisions
    new = larger.decisions[7:]
    assert all(not decision.training or not decision.validation for decision in new)
    assert 5 <= sum(bool(decision.validation) for decision in new) <= 40
    one_by_one = split
    for i in range(7, 200):
        one_by_one = extended(one_by_one, [track(i, 3000)])
    assert {d.track.content: d for d in one_by_one.decisions} == {d.track.content: d for d in larger.decisions}


def test_a_recording_in_the_place_of_one_that_was_trained_on_is_trained_on():
    split = split_of([track(i, 3000) for i in range(3)])
    for i in range(20):
        changed = extended(split, [track(f"edit {i}", 2500, source="1.wav"), track(0), track(2)])
        assert changed.decisions[-1].validation == ()
        assert changed.decisions[-1].training == ((0, 2500),)


def test_what_is_new_and_what_is_gone_is_told():
    split = split_of([track("a"), track("b"), track("c")])
    assert changes(split, [track("a"), track("d"), track("b", source="renamed.wav")]) == (["d.wav"], ["c.wav"])


def test_a_split_that_was_not_kept_calls_nothing_unseen():
    split = everything_trained_on(Split(0.1, WINDOW, UNIT), [track(i, 3000) for i in range(9)])
    assert not any(decision.validation for decision in split.decisions)


@pytest.fixture
def same(monkeypatch):
    """Recordings whose acoustic fingerprints are equal texts are the same."""

    def pairs(fingerprints, lengths):
        numbers = range(len(fingerprints))
        return [(i, j) for i in numbers for j in numbers if i < j and fingerprints[i] == fingerprints[j] != ""]

    monkeypatch.setattr("music_composer.data.split.same_recordings", pairs)
    monkeypatch.setattr("music_composer.data.split.is_fingerprint", lambda text: True)


@pytest.mark.parametrize("count", [3, 12])
@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.usefixtures("same")
def test_a_re_encoding_follows_its_source(count, at_once):
    originals = [track(i, 3000, fingerprint=f"song {i}") for i in range(count)]
    others = [track(f"{i} again", 3000 + i, start=i, fingerprint=f"song {i}") for i in range(count)]
    split = split_of([*originals, *others]) if at_once else extended(split_of(originals), others)
    assert sum(bool(split.by_content[each.content].validation) for each in originals) >= 1
    for one, other in zip(originals, others, strict=True):
        source, follower = split.by_content[one.content], split.by_content[other.content]
        assert not frames_of(source.training) & frames_of(follower.validation)
        assert not frames_of(source.validation) & frames_of(follower.training)
        assert len(frames_of(follower.training)) >= len(frames_of(source.training)) - 2 * GUARD
        assert len(frames_of(follower.validation)) >= len(frames_of(source.validation)) - 2 * GUARD


@pytest.mark.usefixtures("same")
def test_what_two_decided_otherwise_of_is_neither_trained_on_nor_held_out():
    originals = [track(i, 3000, fingerprint=f"song {i}") for i in range(12)]
    split = split_of(originals)
    held = next(d.track for d in split.decisions if d.validation)
    trained = next(d.track for d in split.decisions if not d.validation)
    both = dataclasses.replace(split.by_content[trained.content], track=dataclasses.replace(trained, fingerprint="x"))
    other = dataclasses.replace(split.by_content[held.content], track=dataclasses.replace(held, fingerprint="x"))
    decisions = tuple(d for d in split.decisions if d.track not in (held, trained)) + (both, other)
    new = extended(dataclasses.replace(split, decisions=decisions), [track("new", 3000, fingerprint="x")])
    assert (new.decisions[-1].training, new.decisions[-1].validation) == ((), ())


@given(tracks=TRACKS)
@settings(deadline=None, max_examples=20)
def test_a_split_comes_back_from_its_file(tracks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    assert read_split(folder) is None
    split = split_of(tracks)
    write_split(folder, split)
    assert read_split(folder) == split


def damaged(plain, place, value):
    plain["decisions"][0][place] = value
    return plain


@pytest.mark.parametrize(
    "damage",
    [
        lambda plain: [],
        lambda plain: plain | {"magic": "other"},
        lambda plain: plain | {"version": 99},
        lambda plain: plain | {"held_out": 7},
        lambda plain: plain | {"unit": -1},
        lambda plain: plain | {"more": 1},
        lambda plain: plain | {"decisions": 5},
        lambda plain: plain | {"decisions": plain["decisions"] * 2},
        lambda plain: damaged(plain, "training", [[5, 1]]),
        lambda plain: damaged(plain, "training", [[0, 900], [800, 1000]]),
        lambda plain: damaged(plain, "validation", [["a", "b"]]),
        lambda plain: damaged(plain, "track", {}),
    ],
)
def test_a_damaged_split_is_refused_in_one_line(tmp_path, damage):
    write_split(tmp_path, split_of([track(0), track(1)]))
    path = tmp_path / SPLIT
    path.write_text(json.dumps(damage(json.loads(path.read_text()))))
    with pytest.raises(RunFolderError, match=r"split\.json is damaged or not ours"):
        read_split(tmp_path)


@pytest.mark.journey
@given(text=st.text(max_size=50))
@cases(50)
def test_any_text_is_refused(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("run")
    assume(text)
    (folder / SPLIT).write_text(text, encoding="utf-8", errors="replace")
    with pytest.raises(RunFolderError):
        read_split(folder)
