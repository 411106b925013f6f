"""The distance against closed forms, and on degradations of known order."""

from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import scipy.signal
import soundfile

from music_composer.audio.reading import decoder
from music_composer.errors import MusicComposerError, OptionError, RecordingError
from music_composer.evaluation.audio.similarity import frechet_distance
from music_composer.evaluation.audio.similarity.frechet_distance import (
    DistanceOptions,
    bootstrap_interval,
    features_of_files,
    frame_change,
    frechet,
    log_mel,
    loudness_db,
    mel_bank,
    reference_of,
    window_features,
)
from tests.partials import falling, harmonics

pytestmark = pytest.mark.journey

OPTIONS = DistanceOptions()
SMALL = DistanceOptions(bands=4, components=8)


def notes(seed: int, seconds: float = 40.0, rate: int = 44100) -> np.ndarray:
    """Decaying harmonic notes, four a second, from a pentatonic scale: (n, 2) float32."""
    rng = np.random.default_rng(seed)
    length = rate // 4
    decay = np.exp(-4 * np.arange(4 * length) / rate)
    mono = np.zeros(int(seconds * rate) + 4 * length)
    for at in range(0, int(seconds * rate), length):
        pitch = 220.0 * 2.0 ** (rng.choice([0, 2, 4, 7, 9, 12, 14, 16]) / 12.0)
        tone = harmonics(pitch, 4 * length, falling(14, 1.5), rate)
        mono[at : at + 4 * length] += 0.1 * rng.uniform(0.5, 1.0) * decay * tone
    mono = mono[: int(seconds * rate)]
    return np.stack([mono, 0.8 * mono], axis=1).astype(np.float32)


def gaussian(seed: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, 8)) @ rng.normal(size=(8, 8)) + rng.normal(size=8)


@pytest.fixture(scope="module")
def music_reference() -> frechet_distance.Reference:
    return reference_of(window_features(notes(0, 80.0), OPTIONS), OPTIONS)


def test_reference_to_itself_is_zero() -> None:
    features = gaussian(1, 300)
    assert frechet(reference_of(features, SMALL), features) == pytest.approx(0.0, abs=1e-9)


def test_shift_and_scale_read_their_closed_form() -> None:
    features = gaussian(2, 300)
    reference = reference_of(features, SMALL)
    shift = np.linspace(-1.0, 2.0, 8)
    moved = reference.mean + 3.0 * (features - reference.mean) + shift
    expected = np.sum((shift @ reference.projection) ** 2) + 8 * (3.0 - 1.0) ** 2
    assert frechet(reference, moved) == pytest.approx(expected)


def test_general_gaussians_match_the_matrix_root_formula() -> None:
    first, second = gaussian(3, 400), gaussian(4, 300)
    reference = reference_of(first, SMALL)
    a, b = ((x - first.mean(axis=0)) @ reference.projection for x in (first, second))
    root = scipy.linalg.sqrtm(np.cov(a.T) @ np.cov(b.T)).real
    expected = np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2) + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root)
    assert frechet(reference, second) == pytest.approx(expected, rel=1e-6)


def test_only_the_leading_components_count() -> None:
    features = np.random.default_rng(5).normal(size=(500, 8)) * np.array([9.0, 8.0, 7.0, 6.0, 0.1, 0.1, 0.1, 0.1])
    reference = reference_of(features, DistanceOptions(bands=4, components=4))
    assert frechet(reference, features + np.eye(8)[7]) < 0.1
    assert frechet(reference, features + 9.0 * np.eye(8)[0]) == pytest.approx(1.0, rel=0.3)


@pytest.mark.parametrize("count", [0, 1, 8])
def test_too_few_windows_name_the_counts(count: int) -> None:
    reference = reference_of(gaussian(6, 100), SMALL)
    for call in (lambda: frechet(reference, gaussian(7, count)), lambda: reference_of(gaussian(7, count), SMALL)):
        with pytest.raises(MusicComposerError, match=rf"{count} windows.*8 components.*at least 9"):
            call()
    assert frechet(reference, gaussian(7, 9)) > 0.0


def test_a_constant_training_set_is_refused() -> None:
    with pytest.raises(MusicComposerError, match="fewer than 8 directions"):
        reference_of(np.ones((50, 8)), SMALL)


def test_nan_is_refused() -> None:
    features = gaussian(8, 100)
    reference = reference_of(features, SMALL)
    features[3, 2] = np.nan
    with pytest.raises(MusicComposerError, match="not numbers"):
        frechet(reference, features)


@pytest.mark.parametrize("band", [3, 20, 50])
def test_a_full_scale_sine_reads_zero_db_in_its_band(band: int) -> None:
    """Band centres from the published scale, worked out by hand: 15 mel at 1 kHz, 27 mel to a factor of 6.4."""
    mel = (band + 1) * (15.0 + 27.0 * np.log(22.05) / np.log(6.4)) / 65
    centre = mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)
    levels = log_mel(np.sin(2 * np.pi * centre * np.arange(44100) / 44100), OPTIONS).mean(axis=0)
    assert levels.argmax() == band
    assert levels[band] == pytest.approx(0.0, abs=2.0)
    assert levels[63 if band < 40 else 0] == pytest.approx(OPTIONS.floor_db, abs=1e-3)


def test_bank_has_no_room_for_bands_narrower_than_a_bin() -> None:
    with pytest.raises(OptionError, match="too narrow"):
        mel_bank(DistanceOptions(bands=512, fft=1024))


def test_bands_cover_the_spectrum_once() -> None:
    """Neighbouring triangles of peak 1 add up to 1 between the first and the last centre."""
    total = mel_bank(OPTIONS).sum(axis=0)
    assert total[4:960] == pytest.approx(np.ones(956), abs=1e-5)


def test_options_that_make_no_sense_are_refused() -> None:
    for bad in ({"hop": 4096}, {"components": 129}, {"window_seconds": 0.0}):
        with pytest.raises(OptionError):
            DistanceOptions(**bad)  # type: ignore[arg-type]


def test_features_are_mean_and_deviation_of_a_window() -> None:
    music = notes(9, 3.0)
    features = window_features(music, OPTIONS)
    levels = log_mel(music.mean(axis=1), OPTIONS)
    assert features.shape == (5, 128)
    assert features[2, :64] == pytest.approx(levels[86:129].mean(axis=0), abs=1e-3)
    assert features[2, 64:] == pytest.approx(levels[86:129].std(axis=0), abs=1e-3)


def test_files_read_in_small_blocks_read_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    music = notes(10, 6.0)
    soundfile.write(tmp_path / "a.wav", music, 44100, subtype="FLOAT")
    whole = window_features(music, OPTIONS)
    monkeypatch.setattr(decoder, "BLOCK_VALUES", 10007)
    twice = features_of_files([tmp_path / "a.wav"] * 2, OPTIONS)
    assert twice == pytest.approx(np.concatenate([whole, whole]), abs=1e-3)


def test_skip_and_trim_leave_out_what_they_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "BLOCK_VALUES", 30011)
    music, silence = notes(11, 5.0), np.zeros((2 * 44100, 2), np.float32)
    start = np.flatnonzero(np.abs(music).max(axis=1) > 1e-3)[0]
    soundfile.write(tmp_path / "a.wav", np.concatenate([silence, music, silence]), 44100, subtype="FLOAT")
    trimmed = features_of_files([tmp_path / "a.wav"], OPTIONS, trim=True)
    assert trimmed == pytest.approx(window_features(music[start:], OPTIONS), abs=1e-3)
    skipped = features_of_files([tmp_path / "a.wav"], OPTIONS, skip_seconds=3.0)
    expected = window_features(np.concatenate([music[44100:], silence]), OPTIONS)
    assert skipped == pytest.approx(expected, abs=1e-3)
    assert len(features_of_files([tmp_path / "a.wav"], OPTIONS, skip_seconds=30.0)) == 0


def test_another_rate_is_resampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "BLOCK_VALUES", 50021)
    for rate in (44100, 48000):
        sine = 0.5 * np.sin(2 * np.pi * 1500.0 * np.arange(4 * rate) / rate)
        soundfile.write(tmp_path / f"{rate}.wav", sine, rate, subtype="FLOAT")
    at_home, resampled = (features_of_files([tmp_path / f"{r}.wav"], OPTIONS) for r in (44100, 48000))
    assert len(at_home) == len(resampled)
    band = at_home[3, :64].argmax()
    assert resampled[3, :64].argmax() == band
    assert resampled[3, band] == pytest.approx(at_home[3, band], abs=0.05)


def test_what_is_no_recording_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    for name in ("text.wav", "missing.wav"):
        with pytest.raises(RecordingError, match=name):
            features_of_files([tmp_path / name], OPTIONS)


def test_damage_ranks_in_order(music_reference: frechet_distance.Reference) -> None:
    music = notes(12)
    rng = np.random.default_rng(0)

    def read(samples: np.ndarray) -> float:
        return frechet(music_reference, window_features(samples, OPTIONS))

    def noisy(snr: float) -> np.ndarray:
        return music + rng.normal(0.0, music.std() * 10 ** (-snr / 20), music.shape).astype(np.float32)

    def low_passed(hz: float) -> np.ndarray:
        return scipy.signal.sosfilt(scipy.signal.butter(6, hz, fs=44100, output="sos"), music, axis=0)

    real = read(music)
    for ladder in ([noisy(snr) for snr in (40, 30, 20, 10)], [low_passed(hz) for hz in (3000, 2000, 1000)]):
        readings = [real, *map(read, ladder)]
        assert readings == sorted(readings)
        assert readings[-1] > 2.0 * real
    gains = [read(music * gain) for gain in (1.0, 0.5, 0.1, 0.0)]
    assert gains == sorted(gains)
    assert gains[1] > 1.2 * real
    grains = music[: len(music) // 2205 * 2205].reshape(-1, 2205, 2)
    assert read(rng.permutation(grains).reshape(-1, 2)) > 2.0 * real


def test_bootstrap_draws_whole_files_and_is_repeatable() -> None:
    reference = reference_of(gaussian(13, 300), SMALL)
    near, far = gaussian(13, 300)[:100], gaussian(13, 300)[100:200] + 20.0
    low, high = bootstrap_interval(reference, [near, far], np.random.default_rng(0))
    assert low == pytest.approx(frechet(reference, np.concatenate([near, near])))
    assert high == pytest.approx(frechet(reference, np.concatenate([far, far])))
    again = bootstrap_interval(reference, [near, far], np.random.default_rng(0))
    assert again == (low, high)
    with pytest.raises(MusicComposerError, match="0 files"):
        bootstrap_interval(reference, [], np.random.default_rng(0))


def test_frame_change_is_none_for_a_steady_tone_and_scales_with_spread() -> None:
    tone = np.sin(2 * np.pi * 1000.0 * np.arange(44100 * 2) / 44100)
    music = notes(14, 4.0)
    assert frame_change(tone, OPTIONS) < 0.01
    assert frame_change(music, OPTIONS, spread=4.0) == pytest.approx(frame_change(music, OPTIONS) / 4.0)
    levels = log_mel(music.mean(axis=1), OPTIONS)[::2]
    assert frame_change(music, OPTIONS) == pytest.approx(np.abs(levels[1:] - levels[:-1]).mean(), rel=1e-5)
    with pytest.raises(MusicComposerError, match="too short"):
        frame_change(np.zeros(2100), OPTIONS)


def test_spread_is_the_deviation_of_the_bands_over_all_frames(music_reference: frechet_distance.Reference) -> None:
    levels = log_mel(notes(0, 80.0).mean(axis=1), OPTIONS)
    levels = levels[: music_reference.windows * 43]
    assert music_reference.spread == pytest.approx(levels.std(axis=0).mean(), rel=1e-3)


def test_loudness_of_known_signals() -> None:
    sine = np.sin(2 * np.pi * 100.0 * np.arange(44100) / 44100)
    assert loudness_db(sine) == pytest.approx(-3.01, abs=0.01)
    assert loudness_db(0.1 * np.ones((100, 2), np.float32)) == pytest.approx(-20.0, abs=1e-4)
    assert loudness_db(np.zeros(10)) == frechet_distance.SILENCE_DB
    with pytest.raises(MusicComposerError, match="No samples"):
        loudness_db(np.zeros((0, 2)))
