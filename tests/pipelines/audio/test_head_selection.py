"""The choice between network and memory: places, figures, the head that plays, and the file."""

from __future__ import annotations

import dataclasses
import functools
import json
import types
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import scipy.signal

from music_composer.audio.continuation.choice_file import (
    Choice,
    Figures,
    chosen_head,
    is_pending,
    read_choice,
    summary,
    training_of,
    write_choice,
)
from music_composer.audio.continuation.registry import select_head, with_head
from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.dataset import cache
from music_composer.audio.memory.analysis.steps import StepOptions
from music_composer.audio.memory.options import MemoryOptions
from music_composer.audio.memory.store import Index, load_recordings
from music_composer.audio.options import FrameOptions, ModelOptions
from music_composer.audio.reading.recording import mono_samples
from music_composer.context import Context
from music_composer.data.split import Split
from music_composer.errors import MusicComposerError, OptionError, RunFolderError
from music_composer.evaluation.audio.analysis import Span
from music_composer.evaluation.audio.minimum_length import min_windows, windows_in
from music_composer.evaluation.audio.similarity import within_album
from music_composer.evaluation.audio.similarity.frechet_distance import DistanceOptions
from music_composer.pipelines.audio import build_memory, head_selection
from music_composer.pipelines.audio.head_selection import ChoosingOptions, better, own_over_others, places_in
from music_composer.pipelines.audio.validation import divided, split_of
from music_composer.training.checkpoint import TrainState
from tests.command import RATE, write

pytestmark = pytest.mark.journey

STATE = TrainState(7, job_first=2, job_epochs=3, epoch=5, step=40, music="songs")
GOOD, BAD = Figures(0.5, 1.2), Figures(1.0, 12.0)


@functools.cache
def sound(seconds: float, seed: int) -> np.ndarray:
    """Returns noise with a colour of its own and changing level, (samples,)."""
    rng = np.random.default_rng(seed)
    colour = scipy.signal.firwin2(255, np.linspace(0, 1, 12), rng.uniform(0.01, 1, 12) ** 3)
    level = np.repeat(rng.uniform(0.05, 1, int(seconds * 20) + 1), RATE // 20)[: round(seconds * RATE)]
    return 0.3 * level * scipy.signal.lfilter(colour, 1, rng.standard_normal(round(seconds * RATE)))


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> tuple[cache.Cache, Run, Split]:
    """Four recordings of half a minute, of which nearly half is held out."""
    folder = tmp_path_factory.mktemp("album")
    for i in range(4):
        write(folder / "music" / f"{i}.wav", sound(30, i)[:, None])
    ready = cache.prepare(folder / "music", folder / "cache")[0]
    run = Run(folder / "model", FrameOptions(), ModelOptions(), 1, window_steps=32, held_out=0.5)
    return ready, run, split_of(ready, run, lambda line: None, new=True)


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


def test_the_memory_holds_nothing_of_what_it_is_judged_by(album, tmp_path: Path) -> None:
    """Held-out music occurs nowhere else, so any second of it would be found."""
    ready, run, split = album
    build_memory.remember_music(dataclasses.replace(run, folder=tmp_path), ready, split, Context())
    remembered = [mono_samples(path, RATE) for path in sorted((tmp_path / "memory").glob("*.flac"))]
    assert remembered

    def likeness(piece: np.ndarray) -> float:
        return max(
            float(np.abs(scipy.signal.correlate(each, piece, "valid")).max() / np.sum(piece**2)) for each in remembered
        )

    training, held_out = divided(ready, split)
    trained = mono_samples(training[0].path, RATE, training[0].start + 1, training[0].start + 1.5)
    assert likeness(trained) > 0.9, "what was trained on is found"
    for place in places_in(held_out, ChoosingOptions()):
        for start in np.arange(place.at, place.truth.stop - 0.5, 1.0):
            assert likeness(mono_samples(place.path, RATE, start, start + 0.5)) < 0.5


def test_music_of_one_kind_is_remembered_in_other_keys(album, tmp_path: Path, monkeypatch) -> None:
    ready, run, split = album
    run = dataclasses.replace(run, folder=tmp_path)
    for shared, semitones in ((0.5, ()), (MemoryOptions.uniform_from, (-2, -1, 1, 2))):
        monkeypatch.setattr(within_album, "shared_by", lambda *_, shared=shared: shared)
        messages = list[str]()
        index = build_memory.remember_music(run, ready, split, Context(messages.append))
        assert index.semitones == semitones
        assert ("in 5 keys" in messages[-1]) == bool(semitones)
        keys = [
            getattr(each, "semitones", 0) for each in load_recordings(index, run.memory_files, StepOptions(), run.frame)
        ]
        assert keys == [key for key in (0, *semitones) for _ in index.entries]


def test_what_recordings_have_in_common_is_measured_once_and_an_older_index_is_completed(
    album, tmp_path: Path, monkeypatch
) -> None:
    ready, run, split = album
    run, measured = dataclasses.replace(run, folder=tmp_path), list[int]()
    monkeypatch.setattr(within_album, "shared_by", lambda *_: measured.append(1) or MemoryOptions.uniform_from)
    monkeypatch.setattr(within_album, "returned_by", lambda *_: 0.4)

    def remembered() -> Index:
        return build_memory.remember_music(run, ready, split, Context())

    index = remembered()
    older = Index(index.entries, index.shared)
    for before, times in ((index, 0), (older, 1)):
        measured.clear()
        build_memory.keep_memory(run, before)
        assert remembered() == index
        assert len(measured) == times


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


def test_a_choice_is_owed_until_it_is_made_after_that_very_training(album, tmp_path: Path) -> None:
    run = dataclasses.replace(album[1], folder=tmp_path)
    assert is_pending(run, STATE, "songs")
    write_choice(run.choice, Choice("memory", 8, training_of(STATE), BAD, GOOD))
    assert not is_pending(run, STATE, "songs")
    assert is_pending(run, dataclasses.replace(STATE, step=41), "songs")
    assert not is_pending(run, dataclasses.replace(STATE, step=41, epoch=4), "songs"), "it is not trained yet"
    assert not is_pending(run, dataclasses.replace(STATE, step=41), "other songs"), "it will be trained further"
    assert not is_pending(with_head(run, "flow"), dataclasses.replace(STATE, step=41), "songs")
    run.choice.write_text("{")
    assert is_pending(run, STATE, "songs")


@pytest.mark.parametrize("change", [{"head": "regression"}, {"places": -1}, {"version": 9}, {"memory": {"a": 1}}])
def test_a_damaged_choice_is_one_line(album, tmp_path: Path, change: dict[str, object]) -> None:
    run = dataclasses.replace(album[1], folder=tmp_path)
    assert chosen_head(run) == "flow", "nothing is chosen"
    write_choice(run.choice, Choice("memory", 8, "a training", BAD, GOOD))
    run.choice.write_text(json.dumps(json.loads(run.choice.read_text()) | change))
    with pytest.raises(RunFolderError, match=r"choice\.json is damaged .* delete it"):
        select_head(run, {})


def test_the_head_that_is_typed_plays_where_the_folder_has_it(album, tmp_path: Path) -> None:
    run = dataclasses.replace(album[1], folder=tmp_path)
    write_choice(run.choice, Choice("memory", 8, "a training", BAD, GOOD))
    heads = {head: select_head(run, {"head": head}).model.head for head in ("auto", "flow", "memory")}
    assert heads == {"auto": "memory", "flow": "flow", "memory": "memory"}
    flow = with_head(run, "flow")
    assert select_head(flow, {}) == select_head(flow, {"head": "auto"}) == select_head(flow, {"head": "flow"}) == flow
    for other, head in ((run, "regression"), (flow, "memory"), (with_head(run, "memory"), "flow")):
        with pytest.raises(OptionError, match=f"--head {other.model.head}, and has nothing that --head {head} plays"):
            select_head(other, {"head": head})
    with pytest.raises(OptionError, match="was made with"):
        select_head(run, {"neurons": 3})


def test_the_line_has_the_figures_of_both() -> None:
    line = summary(Choice("memory", 8, "", Figures(1.03, 12.4), Figures(0.52, 1.2)), "21 s")
    assert line == (
        "the memory plays: its continuations are 0.52 as far from what truly follows as from other music, the "
        "network's 1.03; distance 1.2 x and 12.4 x that of real music (8 held-out places, 21 s; --head flow plays the "
        "network)"
    )
    assert "--head memory plays the memory" in summary(Choice("flow", 8, "", GOOD, BAD))
    assert "nothing is judged yet" in summary(None)
