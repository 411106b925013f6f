"""The split of a run folder and its music: mono beside stereo, recordings that come, go and change."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.dataset import cache
from music_composer.audio.dataset.windows import epoch_windows
from music_composer.audio.options import FrameOptions, ModelOptions
from music_composer.data.split_file import write_split
from music_composer.errors import RecordingError
from music_composer.evaluation.audio.analysis import Span
from music_composer.pipelines.audio import validation as held_out
from music_composer.pipelines.audio.validation import dataset_for, divided, split_of, thinned
from tests.command import RATE, tune, write

pytestmark = pytest.mark.journey


def run_in(folder: Path, channels: int = 2) -> Run:
    return Run(folder / "model", FrameOptions(), ModelOptions(), channels, window_steps=32)


def prepared(folder: Path) -> cache.Cache:
    return cache.prepare(folder / "songs", folder / "train_data")[0]


def seconds_of(spans: list[Span]) -> dict[str, list[tuple[float, float]]]:
    return {path.name: [(s.start, s.stop) for s in spans if s.path == path] for path in {span.path for span in spans}}


def test_mono_beside_stereo_has_the_channels_of_the_model(tmp_path: Path) -> None:
    write(tmp_path / "songs" / "a.wav", tune(8))
    write(tmp_path / "songs" / "b.wav", tune(8, channels=1, seed=1))
    ready, run = prepared(tmp_path), run_in(tmp_path)
    dataset = dataset_for(ready, run, split_of(ready, run, print, new=True))
    both = dataset.training.around(0, len(dataset.training))
    assert both.shape == (len(dataset.training), 2, run.frame.bands)
    mono = both[-100:, 1]
    assert (mono == np.float16(np.log(1e-4))).all()
    assert both[:100, 1].std() > 0.1
    single = dataset_for(ready, run_in(tmp_path, channels=1), split_of(ready, run, print, new=True))
    assert np.array_equal(single.training.around(0, len(single.training)), both[:, :1])


def test_what_is_trained_on_and_what_is_held_out_are_told_in_seconds(tmp_path: Path) -> None:
    write(tmp_path / "songs" / "a.wav", np.concatenate([np.zeros((RATE, 2)), tune(60)]))
    ready, run = prepared(tmp_path), run_in(tmp_path)
    split = split_of(ready, run, print, new=True)
    training, validation = divided(ready, split)
    assert sum(span.stop - span.start for span in validation) == pytest.approx(6, abs=1)
    assert sum(span.stop - span.start for span in [*training, *validation]) == pytest.approx(60, abs=0.5)
    assert min(span.start for span in [*training, *validation]) == pytest.approx(1, abs=0.1)
    dataset = dataset_for(ready, run, split)
    rate = run.frame.frames_per_second
    assert len(dataset.training) == pytest.approx(rate * sum(span.stop - span.start for span in training))
    assert epoch_windows(dataset, 1, 0)


def test_a_run_keeps_its_split_whatever_happens_to_the_folder(tmp_path: Path) -> None:
    for i in range(4):
        write(tmp_path / "songs" / f"{i}.wav", tune(60 + i, seed=i))
    run = run_in(tmp_path)
    ready = prepared(tmp_path)
    first = split_of(ready, run, print, new=True)
    write_split(run.folder, first)
    training, validation = (seconds_of(part) for part in divided(ready, first))

    (tmp_path / "songs" / "0.wav").rename(tmp_path / "songs" / "z.wav")
    shutil.copy(tmp_path / "songs" / "1.wav", tmp_path / "songs" / "copy of 1.wav")
    sound, rate = soundfile.read(tmp_path / "songs" / "2.wav")
    with soundfile.SoundFile(tmp_path / "songs" / "2.ogg", "w", rate, 2) as file:
        for start in range(0, len(sound), rate):  # libsndfile crashes on much of it at once
            file.write(0.5 * sound[start : start + rate])
    (tmp_path / "songs" / "3.wav").unlink()
    for i in range(10, 16):
        write(tmp_path / "songs" / f"{i}.wav", tune(20, seed=i))
    messages: list[str] = []
    ready = prepared(tmp_path)
    now = split_of(ready, run, messages.append)
    assert now.decisions[:4] == first.decisions
    after, judged = (seconds_of(part) for part in divided(ready, now))
    assert (after["z.wav"], judged["z.wav"]) == (training["0.wav"], validation["0.wav"])
    assert (after["copy of 1.wav"], judged["copy of 1.wav"]) == (training["1.wav"], validation["1.wav"])
    assert judged["2.ogg"] == [pytest.approx(span, abs=0.25) for span in validation["2.wav"]]
    for start, stop in judged["2.ogg"]:
        assert all(stop <= other or end <= start for other, end in training["2.wav"])
    assert ["7 recordings have come" in messages[0], "1 recordings" in messages[1] and "3.wav" in messages[1]] == [
        True,
        True,
    ]


def test_a_run_of_old_counts_everything_as_trained_on_and_says_so(tmp_path: Path) -> None:
    write(tmp_path / "songs" / "a.wav", tune(60))
    ready, messages = prepared(tmp_path), []
    assert divided(ready, split_of(ready, run_in(tmp_path), messages.append))[1] == []
    assert len(messages) == 1 and "--held-out" in messages[0]


@pytest.mark.parametrize("seconds", [0.35, 0.6, 1.0, 5.0])
def test_very_little_music_is_enough_or_refused(tmp_path: Path, seconds: float) -> None:
    write(tmp_path / "songs" / "a.wav", tune(seconds))
    ready, run = prepared(tmp_path), run_in(tmp_path)
    if ready.frames < 27:
        with pytest.raises(RecordingError, match="frames of music, and at least"):
            dataset_for(ready, run, split_of(ready, run, print, new=True))
    else:
        dataset = dataset_for(ready, run, split_of(ready, run, print, new=True))
        assert len(dataset.training.around(epoch_windows(dataset, 1, 0)[0], dataset.window)) == dataset.window


def test_of_very_much_training_music_a_part_is_listened_to_from_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_out, "MAX_TRAINING_SECONDS", 3600.0)
    training = [Span(Path(f"{i}.wav"), 0.0, 1800.0) for i in range(20)]
    messages: list[str] = []
    chosen = thinned(training, messages.append)
    assert 3000 < sum(span.stop - span.start for span in chosen) <= 3600
    assert len({span.path for span in chosen}) >= 6
    assert chosen == thinned(list(reversed(training)), messages.append)
    assert "1 of 10.0 hours" in messages[0]
    assert thinned(training[:2], messages.append) == training[:2]
    assert len(messages) == 2
