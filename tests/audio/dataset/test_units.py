"""Recordings in units of work: the same cache as without, and one that ends its workers is left out alone."""

import shutil

import pytest

from music_composer import parallel
from music_composer.audio.dataset import cache, units
from tests.audio.dataset.songs import done
from tests.command import tune, write

pytestmark = pytest.mark.journey


class Dying(parallel.Sequential):
    """Loses the process at work on any unit that has a recording of some name."""

    def __init__(self, name):
        self.name, self.sizes = name, []

    def run(self, work, jobs, done, check, stop):
        for number, (unit, *more) in enumerate(jobs):
            self.sizes.append(len(unit))
            lost = any(source == self.name for source, *_ in unit)
            done(number, parallel.Failed(parallel.Died(-9)) if lost else work(unit, *more))


@pytest.fixture
def music(tmp_path):
    for i in range(5):
        write(tmp_path / "music" / f"{i}.wav", tune(3, seed=i, channels=1))
    (tmp_path / "music" / "text.wav").write_text("Dear diary")
    return tmp_path / "music"


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("files", [1, 2, 500])
def test_units_of_any_size_make_the_same_cache(music, tmp_path, monkeypatch, files):
    monkeypatch.setattr(units, "UNIT_FILES", files)
    one, report = cache.prepare(music, tmp_path / "one")
    said = []
    other, again = cache.prepare(
        music, tmp_path / "other", progress=lambda *at: said.append(at), executor=parallel.Sequential()
    )
    assert files_of(tmp_path / "one") == files_of(tmp_path / "other")
    assert report == again
    assert one.songs == other.songs
    assert said[-1][0] == sum(path.stat().st_size for path in music.glob("[0-9].wav"))


def test_renamed_recordings_are_not_cut_again(music, tmp_path):
    cache.prepare(music, tmp_path / "cache", executor=parallel.Sequential())
    (music / "0.wav").rename(music / "renamed.wav")
    shutil.copyfile(music / "1.wav", music / "copied.wav")
    _, report = cache.prepare(music, tmp_path / "cache", executor=parallel.Sequential())
    assert done(report) == (0, 6, 1)


def test_a_recording_that_ends_its_workers_is_named_and_left_out_alone(music, tmp_path):
    executor = Dying("2.wav")
    ready, report = cache.prepare(music, tmp_path / "cache", executor=executor)
    assert [song.source for song in ready.songs] == ["0.wav", "1.wav", "3.wav", "4.wav"]
    assert executor.sizes == [6, 1, 1, 1, 1, 1, 1], "together first, then each by itself"
    (line,) = [remark for remark in report.remarks if "2.wav" in remark]
    assert "worker processes ended" in line


def test_an_error_that_no_recording_is_to_blame_for_ends_it(music, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_make_writable", lambda folder: (folder / "x").parent.mkdir())
    monkeypatch.setattr(units, "cut_recording", _full)
    with pytest.raises(cache.CacheError, match="the disk is full"):
        cache.prepare(music, tmp_path / "cache", executor=parallel.Sequential())


def _full(*_):
    raise cache.CacheError("the disk is full")
