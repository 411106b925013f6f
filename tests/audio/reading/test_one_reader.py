"""All ways to read a recording give the same samples, in any format and with any header."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from music_composer.audio.gap import read_gap
from music_composer.audio.options import FrameOptions
from music_composer.audio.play_options import InfillOptions
from music_composer.audio.prompts import whole_recording
from music_composer.audio.reading import decoder
from music_composer.audio.reading.recording import (
    mono_blocks,
    mono_samples,
    read_blocks,
    read_excerpt,
    seconds_of,
    side_and_mid,
    survey,
)
from music_composer.errors import MusicComposerError

pytestmark = pytest.mark.journey

RATE = 44100
FORMATS = [
    ("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "FLOAT"), ("WAV", "DOUBLE"), ("WAV", "PCM_U8"), ("WAV", "ULAW"),
    ("WAV", "IMA_ADPCM"), ("WAV", "MS_ADPCM"), ("WAV", "GSM610"), ("WAVEX", "PCM_16"), ("RF64", "PCM_16"),
    ("W64", "PCM_16"), ("AIFF", "PCM_24"), ("AIFF", "FLOAT"), ("AU", "PCM_16"), ("CAF", "PCM_16"), ("CAF", "ALAC_16"),
    ("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"),
]  # fmt: skip
RATES = {"OPUS": [48000], "MPEG_LAYER_III": [44100, 22050]}
MONO_ONLY = ("GSM610",)


def music(samples: int, channels: int) -> np.ndarray:
    """Returns sound in which no two places are alike."""
    rng = np.random.default_rng(samples)
    time = np.arange(samples)[:, None]
    sound = 0.3 * np.sin(0.02 * time + 3e-7 * time**2) + 0.05 * rng.standard_normal((samples, channels))
    return np.clip(sound, -0.9, 0.9)


def save(path: Path, sound: np.ndarray, rate: int, subtype: str | None, container: str) -> None:
    """Writes in blocks, because libsndfile's Vorbis overflows the stack on long arrays."""
    with soundfile.SoundFile(path, "w", rate, sound.shape[1], subtype, format=container) as file:
        for at in range(0, len(sound), 10_000):
            file.write(sound[at : at + 10_000])


def lie_about_length(raw: bytes, kind: str, messages: int) -> bytes:
    """The file with `messages` for the length of its sound in the header: bytes, or samples of a FLAC."""
    lied = bytearray(raw)
    if kind in ("WAV", "WAVEX"):
        at = raw.index(b"data") + 4
        lied[at : at + 4], lied[4:8] = struct.pack("<I", messages), struct.pack("<I", min(messages + 36, 2**32 - 1))
    if kind == "RF64":
        at = raw.index(b"ds64") + 8
        lied[at : at + 24] = struct.pack("<QQQ", messages, messages, messages)
    if kind == "AIFF":
        at = raw.index(b"SSND") + 4
        lied[at : at + 4] = struct.pack(">I", messages)
    if kind == "AU":
        lied[8:12] = struct.pack(">I", messages)
    if kind == "CAF":
        at = raw.index(b"data") + 4
        lied[at : at + 8] = struct.pack(">q", messages if messages < 2**32 - 1 else -1)
    if kind == "W64":
        at = raw.index(b"data\xf3\xac") + 16
        lied[at : at + 8] = struct.pack("<Q", messages)
    if kind == "FLAC":
        lied[22:26] = struct.pack(">I", messages)
    return bytes(lied)


def whole(path: Path, rate: int) -> np.ndarray:
    reading, blocks = read_blocks(path, rate)
    return np.concatenate([np.zeros((0, reading.channels), np.float32), *blocks])


def assert_all_read_the_same(path: Path, draw_place: float) -> np.ndarray:
    """Compares every way to read a recording with the stream of all of it, and returns that."""
    found = survey(path)
    samples_read = whole(path, found.rate)
    assert found.frames == len(samples_read)
    assert seconds_of(path) == len(samples_read) / found.rate
    assert whole_recording(path, 1e9).seconds == seconds_of(path)
    start = math.floor(draw_place * len(samples_read))
    for first, count in (
        (0, len(samples_read) + 10),
        (start, 5000),
        (start, len(samples_read)),
        (len(samples_read), 10),
    ):
        excerpt = read_excerpt(path, found.rate, first / found.rate, count / found.rate).samples
        np.testing.assert_array_equal(excerpt, samples_read[first : first + count])
    mono = samples_read.mean(axis=1)
    np.testing.assert_array_equal(mono_samples(path, found.rate), mono)
    np.testing.assert_array_equal(mono_samples(path, found.rate, start / found.rate), mono[start:])
    halves = np.stack([samples_read[:, 0] - samples_read[:, -1], samples_read[:, 0] + samples_read[:, -1]]) / 2
    np.testing.assert_allclose(side_and_mid(path), np.sum(np.square(halves, dtype=np.float64), axis=1), rtol=1e-4)
    reading, blocks = read_blocks(path, found.rate)
    list(blocks)
    assert tuple(reading.remarks) == found.remarks
    assert len(set(reading.remarks)) == len(reading.remarks)
    return samples_read


@settings(deadline=None, max_examples=150)
@given(
    kind=st.sampled_from(FORMATS),
    channels=st.integers(1, 3),
    rate=st.sampled_from([8000, 44100, 48000, 96000]),
    length=st.integers(1, 30000),
    block=st.sampled_from([1 << 12, 1 << 20]),
    place=st.floats(0, 1),
    data=st.data(),
)
def test_all_users_of_the_reader_hear_the_same(tmp_path_factory, kind, channels, rate, length, block, place, data):
    container, subtype = kind
    rate = data.draw(st.sampled_from(RATES[subtype])) if subtype in RATES else rate
    channels = (
        1 if subtype in MONO_ONLY else min(channels, 2) if container in ("MP3",) or "ADPCM" in subtype else channels
    )
    path = tmp_path_factory.mktemp("r") / f"a.{container.lower()}"
    sound = music(length, channels)
    save(path, sound, rate, subtype, container)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoder, "BLOCK_VALUES", block)
        samples_read = assert_all_read_the_same(path, place)
    if subtype not in ("GSM610", "OPUS", "VORBIS", "MPEG_LAYER_III") and "ADPCM" not in subtype:
        assert len(samples_read) == length
    assert length <= len(samples_read) + rate / 100


LIARS = ["WAV", "WAVEX", "RF64", "AIFF", "AU", "CAF", "W64", "FLAC"]


@settings(deadline=None, max_examples=150)
@given(
    kind=st.sampled_from(LIARS),
    channels=st.integers(1, 2),
    length=st.integers(4000, 20000),
    messages=st.sampled_from([0, 8, 400, 5000, 2**20, 2**31 - 2, 2**31, 2**32 - 1]),
    place=st.floats(0, 1),
)
def test_whatever_length_the_header_says_the_sound_that_is_there_is_heard(
    tmp_path_factory, kind, channels, length, messages, place
):
    path = tmp_path_factory.mktemp("r") / f"a.{kind.lower()}"
    sound = music(length, channels)
    save(path, sound, RATE, "PCM_16", kind)
    honest = whole(path, RATE)
    path.write_bytes(lie_about_length(path.read_bytes(), kind, messages))
    samples_read = assert_all_read_the_same(path, place)
    size = 2 * channels * length
    if kind != "FLAC" and size - 4096 - 16 < messages < size:  # so little may be anything that was appended
        return
    assert len(samples_read) == length
    np.testing.assert_array_equal(samples_read, honest)


@pytest.mark.parametrize("kind", [each for each in FORMATS if each[1] not in MONO_ONLY])
def test_a_place_deep_inside_is_found(tmp_path, kind):
    """libsndfile's seeking is trusted only where the samples at a landmark agree."""
    container, subtype = kind
    rate = RATES.get(subtype, [RATE])[0]
    path = tmp_path / f"a.{container.lower()}"
    save(path, music(65 * rate, 1), rate, subtype, container)
    samples_read = whole(path, rate)
    for start in (0.5, 10.0, 31.7, 64.0):
        first = round(start * rate)
        excerpt = read_excerpt(path, rate, start, 2.0).samples
        np.testing.assert_array_equal(excerpt, samples_read[first : first + 2 * rate])


@pytest.mark.parametrize("kind", ["FLAC", "OGG"])
@pytest.mark.parametrize("damage", ["cut", "hole", "flip", "missing"])
def test_a_damaged_file_is_heard_by_all_up_to_the_same_place(tmp_path, kind, damage):
    path = tmp_path / f"a.{kind.lower()}"
    save(path, music(30 * RATE, 2), RATE, None, kind)
    raw, middle = path.read_bytes(), path.stat().st_size // 2
    content = {
        "cut": raw[:middle],
        "hole": raw[:middle] + bytes(3000) + raw[middle + 3000 :],
        "flip": raw[:middle] + bytes([raw[middle] ^ 0x55]) + raw[middle + 1 :],
        "missing": raw[:middle] + raw[middle + 3000 :],
    }[damage]
    path.write_bytes(content)
    samples_read = assert_all_read_the_same(path, 0.9)
    assert 10 * RATE < len(samples_read) < 30 * RATE
    assert kind == "OGG" or ["broken after" in remark for remark in survey(path).remarks] == [True]
    gap = read_gap(path, 8.0, 9.0, 6.0, FrameOptions(), InfillOptions())
    assert gap.total == len(samples_read)
    assert gap.remarks == survey(path).remarks


@settings(deadline=None, max_examples=300)
@given(kind=st.sampled_from(FORMATS), data=st.data())
def test_no_damage_is_anything_but_sound_or_an_error_of_ours(tmp_path_factory, kind, data):
    container, subtype = kind
    path = tmp_path_factory.mktemp("r") / f"a.{container.lower()}"
    rate = RATES.get(subtype, [8000])[0]
    save(path, music(3000, 1), rate, subtype, container)
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, min(len(raw) - 1, 200)) | st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.sampled_from([0, 1, 127, 128, 255]) | st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.just(len(raw)) | st.integers(0, len(raw)))])
    try:
        assert_all_read_the_same(path, 0.5)
    except MusicComposerError as error:
        assert str(path) in str(error)


def test_a_sound_that_ends_louder_than_it_begins_is_trimmed_alike_in_every_block_size(tmp_path, monkeypatch):
    sound = np.concatenate([np.zeros((3000, 1)), music(20000, 1), np.zeros((5000, 1))])
    soundfile.write(tmp_path / "a.wav", sound, RATE, "FLOAT")
    loud = np.flatnonzero(np.abs(sound[:, 0]) > 1e-3)
    for block in (1 << 20, 777):
        monkeypatch.setattr(decoder, "BLOCK_VALUES", block)
        trimmed = np.concatenate(list(mono_blocks(tmp_path / "a.wav", RATE, trim_db=-60.0)))
        np.testing.assert_array_equal(trimmed, sound[loud[0] : loud[-1] + 1, 0].astype(np.float32))


@pytest.mark.parametrize("channels", [1, 2])
def test_a_span_beyond_the_end_is_no_sound_at_any_rate(tmp_path, channels):
    path = tmp_path / "short.wav"
    soundfile.write(path, np.full((100, channels), 0.5), 44100)
    assert mono_samples(path, 16000, 1.0, 2.0).shape == (0,)
    assert read_excerpt(path, 16000, 1.0, 2.0).samples.shape == (0, channels)
