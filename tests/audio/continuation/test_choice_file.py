"""The choice of a head on disk: when it is owed, damage, the head that is typed, and its line."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from music_composer.audio.continuation.choice_file import (
    Choice,
    Figures,
    chosen_head,
    is_pending,
    summary,
    training_of,
    write_choice,
)
from music_composer.audio.continuation.registry import select_head, with_head
from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.options import FrameOptions, ModelOptions
from music_composer.errors import OptionError, RunFolderError
from music_composer.training.checkpoint import TrainState

STATE = TrainState(7, job_first=2, job_epochs=3, epoch=5, step=40, music="songs")
GOOD, BAD = Figures(0.5, 1.2), Figures(1.0, 12.0)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path, FrameOptions(), ModelOptions(), 1)


def test_a_choice_is_owed_until_it_is_made_after_that_very_training(run: Run) -> None:
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
def test_a_damaged_choice_is_one_line(run: Run, change: dict[str, object]) -> None:
    assert chosen_head(run) == "flow", "nothing is chosen"
    write_choice(run.choice, Choice("memory", 8, "a training", BAD, GOOD))
    run.choice.write_text(json.dumps(json.loads(run.choice.read_text()) | change))
    with pytest.raises(RunFolderError, match=r"choice\.json is damaged .* delete it"):
        select_head(run, {})


def test_the_head_that_is_typed_plays_where_the_folder_has_it(run: Run) -> None:
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
