from pathlib import Path

import pytest
import soundfile

from music_composer.demo.dataset import write_dataset
from music_composer.errors import MusicComposerError

pytestmark = pytest.mark.journey


def bytes_of(paths: list[Path]) -> list[bytes]:
    return [path.read_bytes() for path in paths]


def test_pieces_reach_the_requested_length_as_stereo_wavs(tmp_path):
    paths = write_dataset(tmp_path / "new" / "folder", seed=1, minutes=0.8)
    assert [path.name for path in paths] == ["piece-01.wav", "piece-02.wav"]
    assert sorted((tmp_path / "new" / "folder").iterdir()) == paths
    infos = [soundfile.info(path) for path in paths]
    assert {(info.samplerate, info.channels, info.subtype) for info in infos} == {(44100, 2, "PCM_16")}
    assert all(25 <= info.duration <= 37 for info in infos)
    assert infos[0].duration < 48 <= sum(info.duration for info in infos)


def test_one_seed_writes_the_same_bytes_and_another_seed_others(tmp_path):
    first = bytes_of(write_dataset(tmp_path / "a", seed=4, minutes=0.01))
    assert bytes_of(write_dataset(tmp_path / "b", seed=4, minutes=0.01)) == first
    assert bytes_of(write_dataset(tmp_path / "c", seed=5, minutes=0.01)) != first


def test_more_minutes_add_pieces_that_differ_and_keep_the_earlier_ones(tmp_path):
    short = bytes_of(write_dataset(tmp_path / "a", seed=4, minutes=0.01))
    long = bytes_of(write_dataset(tmp_path / "b", seed=4, minutes=0.8))
    assert long[:1] == short
    assert len(set(long)) == len(long) == 2


def test_a_failed_write_leaves_the_old_file_and_no_remains(tmp_path, monkeypatch):
    (tmp_path / "piece-01.wav").write_bytes(b"old")

    def fill_the_disk(self, samples):
        raise soundfile.LibsndfileError(2)

    monkeypatch.setattr(soundfile.SoundFile, "write", fill_the_disk)
    with pytest.raises(MusicComposerError, match=r"piece-01.wav cannot be written"):
        write_dataset(tmp_path, seed=1, minutes=0.01)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("piece-01.wav", b"old")]


@pytest.mark.parametrize("minutes", [0, -1, float("nan")])
def test_non_positive_minutes_are_refused(tmp_path, minutes):
    with pytest.raises(ValueError, match="above zero"):
        write_dataset(tmp_path, seed=1, minutes=minutes)
