"""Acoustic fingerprints recognize a recording in another encoding, and confuse no two recordings."""

import numpy as np
import pytest
import soundfile
import soxr

from music_composer.audio.dataset import cache
from music_composer.audio.dataset.fingerprint import acoustic_fingerprint_of
from music_composer.audio.options import FrameOptions
from music_composer.data.fingerprints import is_fingerprint, same_recordings
from tests.command import RATE, tune

pytestmark = pytest.mark.journey

OPTIONS = FrameOptions()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Five songs by one composer, each in its original and in five other encodings."""
    folder = tmp_path_factory.mktemp("music")
    music = folder / "songs"
    music.mkdir()
    for i in range(5):
        sound = tune(12 + i % 2, seed=i)
        soundfile.write(music / f"{i}.wav", sound, RATE)
        soundfile.write(music / f"{i}.ogg", sound, RATE)
        soundfile.write(music / f"{i}.mp3", 0.5 * sound, RATE)
        soundfile.write(music / f"{i}.flac", 0.3 * soxr.resample(sound, RATE, 48000), 48000)
        soundfile.write(music / f"{i}.aiff", soxr.resample(sound, RATE, 22050), 22050)
        soundfile.write(music / f"{i}.au", sound.mean(axis=1), RATE)
    return cache.prepare(music, folder / "cache")[0]


def test_resampled_and_encoded_versions_are_known_and_other_songs_are_not(prepared):
    tracks = prepared.tracks
    pairs = same_recordings([t.fingerprint for t in tracks], [t.frames for t in tracks])
    found = {tuple(sorted((tracks[i].source, tracks[j].source))) for i, j in pairs}
    names = sorted(t.source for t in tracks)
    assert found == {(a, b) for a in names for b in names if a < b and a[0] == b[0]}


def test_level_and_length_are_looked_at():
    rng = np.random.default_rng(0)
    frames = rng.normal(-4, 1, (4000, 1, OPTIONS.bands)).astype(np.float16)
    one = acoustic_fingerprint_of(frames, OPTIONS)
    assert same_recordings([one, acoustic_fingerprint_of(frames - np.float16(1), OPTIONS)], [4000, 4005]) == [(0, 1)]
    assert same_recordings([one, one], [4000, 4100]) == []
    assert is_fingerprint(one)


def test_what_is_short_or_silent_has_none():
    assert acoustic_fingerprint_of(np.zeros((100, 1, OPTIONS.bands), np.float16), OPTIONS) == ""
    assert acoustic_fingerprint_of(np.full((1000, 1, OPTIONS.bands), -9.2, np.float16), OPTIONS) == ""
    assert same_recordings(["", ""], [100, 100]) == []


@pytest.mark.parametrize("text", ["x", "????", "AAAA", "é"])
def test_other_texts_are_no_fingerprints(text):
    assert not is_fingerprint(text)
