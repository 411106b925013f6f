"""The choice between network and memory: places, figures, and the head that plays."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from music_composer.audio.continuation.choice_file import (
    Choice,
    Figures,
    chosen_head,
    read_choice,
    training_of,
)
from music_composer.audio.continuation.registry import select_head
from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.reading.recording import mono_samples
from music_composer.context import Context
from music_composer.errors import MusicComposerError, RunFolderError
from music_composer.evaluation.audio.analysis import Span
from music_composer.evaluation.audio.minimum_length import min_windows, windows_in
from music_composer.evaluation.audio.similarity.frechet_distance import DistanceOptions
from music_composer.pipelines.audio import head_selection
from music_composer.pipelines.audio.head_selection import ChoosingOptions, better, own_over_others, places_in
from music_composer.pipelines.audio.validation import divided
from music_composer.training.checkpoint import TrainState
from tests.command import RATE, write
from tests.pipelines.audio.noises import sound

pytestmark = pytest.mark.journey
STATE = TrainState(7, job_first=2, job_epochs=3, epoch=5, step=40, music="songs")
GOOD, BAD = Figures(0.5, 1.2), Figures(1.0, 12.0)


def spans(rng: np.random.Generator) -> list[Span]:
    """Held-out parts of a few recordings."""
    starts, lengths = rng.uniform(0, 100, rng.integers(0, 12)), rng.choice([2, 9.5, 20, 36, 200], 12)
    return [
        Span(Path(f"{i}.wav"), start, start + length)
        for i, (start, length) in enumerate(zip(starts, lengths, strict=False))
    ]


def test_places_lie_in_what_was_held_out_side_by_side_and_are_enough_to_measure() -> None:
    rng, options, found = np.random.default_rng(1), ChoosingOptions(), 0
    for _ in range(200):
        held_out = spans(rng)
        places = places_in(held_out, options)
        found += bool(places)
        assert not places or options.least_places <= len(places) <= options.most_places
        assert len({place.part for place in places}) <= 1
        windows = sum(windows_in(place.part, DistanceOptions()) for place in places)
        assert not places or windows >= min_windows(DistanceOptions())
        for place in places:
            (span,) = [each for each in held_out if each.path == place.path]
            assert span.start <= place.start < place.at < place.truth.stop <= span.stop + 1e-9
        for one, other in zip(places, places[1:], strict=False):
            assert one.path != other.path or one.truth.stop <= other.start + 1e-9
    assert 50 < found < 200


def test_places_come_from_all_recordings_and_prompts_are_long_where_there_is_room() -> None:
    long = [Span(Path(f"{i}.wav"), 0.0, 400.0) for i in range(3)]
    places = places_in(long, ChoosingOptions())
    assert {place.path for place in places} == {span.path for span in long}
    assert (places[0].at - places[0].start, places[0].part) == (20.0, 10.0)
    few = [Span(Path(f"{i}.wav"), 0.0, 24.0) for i in range(3)]
    assert [place.part for place in places_in(few, ChoosingOptions())] == [4.0] * 6
    short = [Span(Path(f"{i}.wav"), 3.0, 12.2) for i in range(4)]
    assert [place.part for place in places_in(short, ChoosingOptions())] == [4.0] * 4
    assert places_in(short[:1], ChoosingOptions()) == []
    assert places_in([Span(Path("a.wav"), 0.0, 4.6)] * 8, ChoosingOptions()) == []


@pytest.mark.parametrize(
    ("network", "memory", "head"),
    [
        (BAD, GOOD, "memory"),
        (GOOD, BAD, "flow"),
        (Figures(0.6, 1.0), Figures(0.5, 1.4), "memory"),  # nearer, and real music's sound
        (Figures(0.6, 1.0), Figures(0.5, 1.6), "flow"),  # nearer, and a worse sound
        (Figures(0.6, 1.7), Figures(0.5, 1.6), "memory"),  # both are far
        (Figures(0.5, 1.6), Figures(0.6, 1.0), "memory"),
        (GOOD, GOOD, "flow"),
    ],
)
def test_what_is_nearer_plays_unless_its_sound_is_far(network: Figures, memory: Figures, head: str) -> None:
    assert better(network, memory) == head


def test_the_true_next_part_is_nearer_to_itself_than_music_of_others_is() -> None:
    def pieces(first: int) -> list[np.ndarray]:
        return [sound(24, seed)[first * 3 * RATE :][: 3 * RATE] for seed in range(6)]

    truths, elsewhere, names = pieces(0), pieces(2), [Path(str(i)) for i in range(6)]
    own = own_over_others(pieces(1), truths, elsewhere, names, names)
    foreign = own_over_others([*pieces(1)[1:], pieces(1)[0]], truths, elsewhere, names, names)
    assert own < 0.3
    assert foreign > 0.8
    one = [Path("one")] * 6  # of one recording other places are other music
    assert own_over_others(pieces(1), truths, elsewhere, one, one) < 0.3
    with pytest.raises(MusicComposerError):
        own_over_others([np.zeros(3 * RATE)] * 6, [np.zeros(3 * RATE)] * 6, [], names, [])


@pytest.mark.parametrize("good", ["memory", "flow"])
def test_the_head_that_goes_on_truly_is_chosen_and_kept(album, tmp_path: Path, monkeypatch, good: str) -> None:
    ready, run, split = album
    run = dataclasses.replace(run, folder=tmp_path)
    places = places_in(divided(ready, split)[1], ChoosingOptions())
    assert len(places) == 4
    seeds: list[int] = []

    def play(run: Run, prompts: Sequence[Path], folder: Path, options, seed: int) -> list[object]:
        """Plays the truth, or noise that is like nothing."""
        seeds.append(seed)
        written = []
        for i, place in enumerate(places):
            assert abs(mono_samples(prompts[i], RATE).size / RATE - (place.at - place.start)) < 0.01
            truth = mono_samples(place.path, RATE, place.truth.start, place.truth.stop)
            played = truth if run.model.head == good else np.random.default_rng(i).normal(0, 0.5, len(truth))
            path = write(folder / f"{i}.wav", np.concatenate([np.zeros(RATE), played])[:, None])
            written.append(types.SimpleNamespace(path=path, cut=1.0))
        return written

    monkeypatch.setattr(head_selection, "continue_into_scratch", play)
    messages: list[str] = []
    choice = head_selection.choose(ready, run, split, STATE, Context(messages.append))
    assert (choice.head, choice.places, seeds) == (good, 4, [7, 7])
    assert choice == read_choice(run.choice)
    name, other = ("memory", "network") if good == "memory" else ("network", "memory")
    assert f"the {name} plays: its continuations are " in messages[-1]
    assert f"plays the {other})" in messages[-1]
    assert chosen_head(run) == select_head(run, {}).model.head == good
    again = head_selection.choose(ready, run, split, STATE, Context(messages.append))
    assert again == choice, "the same seed"


def test_without_enough_music_or_where_it_cannot_be_played_the_network_plays(
    album, tmp_path: Path, monkeypatch
) -> None:
    ready, run, split = album
    run, messages = dataclasses.replace(run, folder=tmp_path), list[str]()

    def refuse(*_: object) -> None:
        raise RunFolderError("memory.json is gone")

    monkeypatch.setattr(head_selection, "continue_into_scratch", refuse)
    assert head_selection.choose(ready, run, split, STATE, Context(messages.append)).head == "flow"
    assert "memory.json is gone" in messages[-2]
    monkeypatch.setattr(head_selection, "places_in", lambda *_: [])
    assert head_selection.choose(ready, run, split, STATE, Context(messages.append)) == Choice(
        "flow", 0, training_of(STATE)
    )
    assert messages[-1] == (
        "the network plays: too little music is held out to tell which is better (--head memory plays the memory)"
    )


def test_a_silent_place_is_none(album, tmp_path: Path) -> None:
    _, run, _ = album
    path = write(tmp_path / "a.wav", np.concatenate([sound(10, 1), np.zeros(10 * RATE), sound(10, 2)])[:, None])
    kept = [head_selection.sounds(head_selection.Cut(path, start, start + 5, 4.0), run) for start in (0.0, 5.0, 12.0)]
    assert kept == [True, False, False]
    path.unlink()
    assert not head_selection.sounds(head_selection.Cut(path, 0.0, 5.0, 4.0), run)
