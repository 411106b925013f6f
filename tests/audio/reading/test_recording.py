"""Sample formats, rates, channels and excerpts of recordings."""

import numpy as np
import pytest

from music_composer.audio.reading import decoder
from music_composer.audio.reading.recording import read_excerpt, seconds_of
from tests.audio.reading.recordings import RATE, read_all


def level(samples):
    return np.sqrt(2 * np.mean(samples.astype(np.float64) ** 2))


@pytest.mark.parametrize(
    ("subtype", "step"),
    [("PCM_U8", 2**-7), ("PCM_16", 2**-15), ("PCM_24", 2**-23), ("PCM_32", 2**-24), ("FLOAT", 0), ("DOUBLE", 0)],
)
def test_every_sample_format_reads_as_what_was_written(tmp_path, sine, record, subtype, step):
    sound = sine(440, 0.1, level=0.5)
    samples, reading = read_all(record(tmp_path / "a.wav", sound, subtype=subtype))
    assert samples.dtype == np.float32
    assert samples.shape == sound.shape
    assert np.abs(samples - sound).max() <= step
    assert reading.remarks == []


@pytest.mark.parametrize("rate", [8000, 48000, 192000])
def test_a_sine_of_any_rate_becomes_the_sine_of_the_new_rate(tmp_path, sine, record, rate):
    path = record(tmp_path / "a.wav", sine(1000, 1.0, rate, level=0.5), rate, "FLOAT")
    samples, reading = read_all(path)
    assert reading.rate == rate
    assert abs(len(samples) - RATE) <= 1
    inside = slice(2000, -2000)
    assert np.abs(samples[inside] - sine(1000, 1.0, level=0.5)[: len(samples)][inside]).max() < 1e-3


@pytest.mark.parametrize("rate", [RATE, 48000])
def test_blocks_join_to_the_sound_as_one_piece(tmp_path, sine, record, monkeypatch, rate):
    monkeypatch.setattr(decoder, "BLOCK_SECONDS", 0.0371)
    path = record(tmp_path / "a.wav", sine(700, 0.5, rate), rate, "FLOAT")
    samples, _ = read_all(path)
    whole = read_excerpt(path, RATE, 0, 10).samples
    assert samples.shape == whole.shape
    assert np.abs(samples - whole).max() < 1e-4


def test_stereo_keeps_left_and_right(tmp_path, sine, record):
    sound = np.concatenate([sine(440, 0.1), 0.25 * sine(660, 0.1)], axis=1)
    samples, _ = read_all(record(tmp_path / "a.wav", sound, subtype="FLOAT"))
    assert np.array_equal(samples, sound)


def surround(channel, samples=100):
    sound = np.zeros((samples, 6))
    sound[:, channel] = 0.8
    return sound


@pytest.mark.parametrize(
    ("channel", "goes_to"),
    [(0, (1, 0)), (1, (0, 1)), (2, (0.7071, 0.7071)), (3, (0, 0)), (4, (0.7071, 0)), (5, (0, 0.7071))],
)
def test_surround_is_mixed_down_by_the_standard(tmp_path, record, channel, goes_to):
    samples, reading = read_all(record(tmp_path / "a.wav", surround(channel), subtype="FLOAT"))
    assert np.allclose(samples, 0.8 * np.array(goes_to) / 2.4142, atol=1e-6)
    assert any("6 channels" in remark for remark in reading.remarks)


def test_full_scale_on_all_surround_channels_does_not_pass_full_scale(tmp_path, record):
    samples, _ = read_all(record(tmp_path / "a.wav", np.ones((10, 6)), subtype="FLOAT"))
    assert np.allclose(samples, 1.0, atol=1e-4)


def test_three_channels_become_stereo_and_are_remarked(tmp_path, record):
    sound = np.tile([0.2, 0.4, 0.6], (10, 1))
    samples, reading = read_all(record(tmp_path / "a.wav", sound, subtype="FLOAT"))
    assert np.allclose(samples, [0.4, 0.4])
    assert len(reading.remarks) == 1
    assert "3 channels" in reading.remarks[0]


def test_samples_that_are_not_numbers_become_silence_and_are_said_once(tmp_path, sine, record, monkeypatch):
    monkeypatch.setattr(decoder, "BLOCK_SECONDS", 0.05)
    sound = sine(440, 0.2)
    sound[[100, 5000, 8000], 0] = np.nan, np.inf, -np.inf
    samples, reading = read_all(record(tmp_path / "a.wav", sound, subtype="FLOAT"))
    assert np.array_equal(samples, np.where(np.isfinite(sound), sound, 0))
    assert ["NaN" in remark for remark in reading.remarks] == [True]


@pytest.mark.parametrize("rate", [RATE, 48000])
@pytest.mark.parametrize("count", [0, 1])
def test_hardly_any_samples_are_no_error(tmp_path, record, count, rate):
    path = record(tmp_path / "a.wav", np.full((count, 1), 0.5), rate, "FLOAT")
    samples, _ = read_all(path)
    assert samples.shape == (count, 1)
    assert read_excerpt(path, RATE, 0, 1).samples.shape == (count, 1)


def test_a_name_that_is_not_unicode_can_be_read(tmp_path, sine, record):
    path = tmp_path / "caf\udce9.wav"  # what Python makes of Latin-1 bytes
    try:
        record(tmp_path / "a.wav", sine(440, 0.1)).rename(path)
    except OSError:
        pytest.skip("this file system holds no such names")
    assert seconds_of(path) == pytest.approx(0.1)


def test_an_excerpt_is_the_sound_from_its_start(tmp_path, sine, record):
    sound = sine(440, 1.0)
    path = record(tmp_path / "a.wav", sound, subtype="FLOAT")
    excerpt = read_excerpt(path, RATE, 0.25, 0.5)
    assert np.array_equal(excerpt.samples, sound[11025 : 11025 + 22050])
    assert excerpt.seconds == 0.5


def test_an_excerpt_of_another_rate_is_resampled(tmp_path, sine, record):
    path = record(tmp_path / "a.wav", sine(1000, 1.0, 22050), 22050, "FLOAT")
    excerpt = read_excerpt(path, RATE, 0.5, 0.2).samples
    assert len(excerpt) == 8820
    assert np.abs(excerpt - sine(1000, 0.7)[22050:])[500:-500].max() < 1e-3


@pytest.mark.parametrize(("start", "length"), [(0.9, 0.1), (5.0, 0), (-1.0, 0.5)])
def test_an_excerpt_ends_with_the_file(tmp_path, sine, record, start, length):
    path = record(tmp_path / "a.wav", sine(440, 1.0))
    assert len(read_excerpt(path, RATE, start, 0.5).samples) == round(length * RATE)


def test_a_path_of_more_than_a_thousand_bytes_is_no_hindrance(tmp_path, sine, record):
    folder = tmp_path.joinpath(*["d" * 100] * 11)
    folder.mkdir(parents=True)
    path = record(tmp_path / "a.wav", sine(440, 0.5)).rename(folder / "a.wav")
    assert seconds_of(path) == 0.5
    assert len(read_all(path)[0]) == RATE // 2


def test_gsm_is_read(tmp_path, sine, record):
    path = record(tmp_path / "a.wav", sine(440, 1.0, 8000, 0.5), 8000, "GSM610")
    samples, reading = read_all(path)
    assert 1.0 <= len(samples) / RATE < 1.05
    assert level(samples[4000:40000]) == pytest.approx(0.5, rel=0.1)
    assert reading.remarks == []


def test_memory_for_a_block_does_not_follow_from_the_header(tmp_path, record, monkeypatch):
    path = record(tmp_path / "a.wav", np.zeros((1000, 64)), 768000, "FLOAT")
    wanted = []
    monkeypatch.setattr(decoder.np, "full", lambda shape, *rest: wanted.append(np.prod(shape)) or np.zeros(shape, "f4"))
    with decoder.open_recording(path) as source:
        list(decoder.blocks_of(source, []))
    assert 0 < max(wanted) <= decoder.BLOCK_VALUES


def test_the_length_of_a_recording_that_has_changed_is_counted_anew(tmp_path, sine, record):
    path = record(tmp_path / "a.flac", sine(440, 0.5), subtype=None)
    assert seconds_of(path) == 0.5
    record(path, sine(440, 0.7), subtype=None)
    assert seconds_of(path) == 0.7
