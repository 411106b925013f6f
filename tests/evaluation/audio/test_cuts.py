"""Cuts of tracks follow from their lengths, and leave room for the truth and the part after it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from music_composer.errors import OptionError
from music_composer.evaluation.audio.analysis import Span
from music_composer.evaluation.audio.cuts import CutOptions, cuts_of, lengths_for

OPTIONS = CutOptions()


def tracks(*seconds: float) -> list[Span]:
    return [Span(Path(f"{i}.wav"), 1.5, 1.5 + length) for i, length in enumerate(seconds)]


@given(st.lists(st.floats(1.0, 900.0), max_size=12), st.floats(5.0, 600.0))
def test_prompt_truth_and_the_part_after_it_follow_each_other_within_the_track(
    lengths: list[float], most: float
) -> None:
    least, part = lengths_for(lengths, OPTIONS, most)
    assert part <= most
    cuts = cuts_of(tracks(*lengths), OPTIONS, most)
    assert len(cuts) == sum(length >= least + 2 * part for length in lengths)
    for cut in cuts:
        track = tracks(*lengths)[int(cut.path.stem)]
        assert cut.prompt.start == track.start
        assert cut.prompt.stop == cut.truth.start
        assert cut.truth.stop == cut.later.start
        assert cut.later.stop <= track.stop + 0.006, "cuts are told to a hundredth of a second"
        assert least - 0.006 <= cut.prompt.stop - cut.prompt.start <= OPTIONS.latest
        assert cut.truth.stop - cut.truth.start == pytest.approx(part)


def test_short_tracks_have_shorter_prompts_and_parts() -> None:
    assert lengths_for([80.0, 100.0, 50.0], OPTIONS) == (20.0, 30.0)
    assert lengths_for([80.0, 50.0, 50.0], OPTIONS) == (10.0, 15.0)
    assert [cut.at - cut.start for cut in cuts_of(tracks(90.0, 400.0, 81.0), OPTIONS)] == [30.0, 60.0, 21.0]


def test_a_continuation_of_a_few_seconds_needs_no_longer_parts() -> None:
    assert lengths_for([30.0], OPTIONS, 5.0) == (20.0, 5.0)
    assert lengths_for([24.0], OPTIONS, 7.0) == (10.0, 7.0)


def test_tracks_that_are_too_short_are_left_out() -> None:
    assert cuts_of(tracks(39.9, 20.0), OPTIONS) == cuts_of([], OPTIONS) == []


def test_options_that_make_no_sense_are_refused() -> None:
    for bad in ({"short_part": 40.0}, {"prompt": 70.0}, {"short_prompt": 0.0}):
        with pytest.raises(OptionError):
            CutOptions(**bad)
