"""Network size and epochs for an amount of music."""

from __future__ import annotations

import math

import numpy as np
import pytest

from music_composer.audio.models.sizing import FittingOptions, fit_to, summary
from music_composer.audio.options import ModelOptions
from music_composer.errors import OptionError
from music_composer.training.checkpoint import TrainState
from music_composer.training.job import next_job
from music_composer.training.options import TrainOptions

LENGTHS = np.geomspace(0.01, 10_000, 500)  # minutes: from one second to a week


def test_a_training_hears_about_as_many_minutes_whatever_there_is() -> None:
    options = FittingOptions()
    for minutes in LENGTHS:
        trained = minutes * fit_to(minutes).epochs
        if minutes < options.trained_minutes / options.most_epochs:
            assert trained == minutes * options.most_epochs, "as often as makes sense"
        elif minutes < options.trained_minutes:
            assert 2 / 3 <= trained / options.trained_minutes <= 4 / 3, "rounded to whole passes"
        else:
            assert fit_to(minutes).epochs == 1


def test_more_music_never_has_a_narrower_network_or_more_passes() -> None:
    fits = [fit_to(minutes) for minutes in LENGTHS]
    assert [fit.neurons for fit in fits] == sorted(fit.neurons for fit in fits)
    assert [fit.epochs for fit in fits] == sorted((fit.epochs for fit in fits), reverse=True)
    assert {fit.layers for fit in fits} == {ModelOptions.layers}
    options = FittingOptions()
    assert {fit.neurons for fit in fits} == {options.narrow, options.usual, options.wide}


def test_every_fit_can_be_trained() -> None:
    for minutes in LENGTHS:
        fit = fit_to(minutes)
        assert ModelOptions(**fit.network).neurons == fit.neurons
        assert TrainOptions(epochs=fit.epochs).epochs == fit.epochs


@pytest.mark.parametrize("minutes", [0.0, -1.0, math.nan])
def test_nothing_fits_no_music(minutes: float) -> None:
    with pytest.raises(OptionError, match="nothing fits"):
        fit_to(minutes)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"neurons": 384, "layers": 2, "epochs": 14}, "2 x 384, 14 epochs (chosen; -n, -l and -e choose otherwise)"),
        ({"neurons": 384, "layers": 2}, "2 x 384 (chosen; -n and -l choose otherwise)"),
        ({"neurons": 384, "epochs": 1}, "384 neurons, 1 epoch (chosen; -n and -e choose otherwise)"),
        ({"layers": 2}, "2 layers (chosen; -l chooses otherwise)"),
        ({"epochs": 14}, "14 epochs (chosen; -e chooses otherwise)"),
    ],
)
def test_what_was_chosen_is_said_and_how_to_choose_otherwise(chosen: dict[str, int], words: str) -> None:
    assert summary(42.0, chosen) == f"42 min 00 s of music: {words}"


def job(state: TrainState | None, epochs: int | None, music: str = "music", chosen: int = 14) -> TrainState:
    return next_job(state, TrainOptions(epochs=epochs, seed=1), music, True, lambda line: None, chosen)


def test_a_new_job_has_the_epochs_that_were_typed_or_those_that_fit() -> None:
    assert job(None, 3).job_epochs == 3
    assert job(None, None).job_epochs == 14
    done = TrainState(1, job_first=0, job_epochs=5, epoch=5, music="music")
    further = job(done, None)
    assert (further.job_first, further.job_epochs) == (5, 14)


def test_a_job_that_was_cut_off_keeps_its_epochs_whatever_fits_now_and_whatever_music_has_come() -> None:
    for music in ("music", "other music"):
        cut = TrainState(1, job_first=2, job_epochs=5, epoch=4, batch=3, music="music")
        on = job(cut, None, music)
        assert (on.job_first, on.job_epochs, on.epoch, on.music) == (2, 5, 4, music)
        assert on.batch == (3 if music == "music" else 0), "an epoch of other music begins anew"
    typed = job(TrainState(1, job_first=2, job_epochs=5, epoch=4, batch=3, music="music"), 6)
    assert (typed.job_first, typed.job_epochs) == (4, 6)
