"""Chunks, tags and further recordings around the sound of a file."""

import struct

import numpy as np
import pytest
import soundfile

from music_composer.audio.reading.recording import read_excerpt, seconds_of
from tests.audio.reading.recordings import RATE, encoded, read_all


def chunk_after(path, content=b"LIST\x04\0\0\0INFO"):
    path.write_bytes(path.read_bytes() + content)
    return path


def test_a_recording_of_nothing_stays_one(tmp_path, record):
    path = chunk_after(record(tmp_path / "a.wav", np.zeros((0, 1))))
    samples, reading = read_all(path)
    assert len(samples) == 0
    assert reading.remarks == []


@pytest.mark.parametrize(
    "after",
    [
        b"LIST\x04\0\0\0INFO",
        b"id3 \x06\0\0\0abcdef" + b"cue \x04\0\0\0\0\0\0\0",
        b"bext" + struct.pack("<I", 9000) + bytes(9000),
        b"ID3" + bytes(range(256)) * 40,
        bytes(10000),
        b"short junk",
    ],
)
def test_what_is_appended_to_a_recording_is_no_sound(tmp_path, sine, record, after):
    sound = sine(440, 0.1)
    samples, reading = read_all(chunk_after(record(tmp_path / "a.wav", sound), after))
    assert np.abs(samples - sound).max() < 1e-4
    assert reading.remarks == []


@pytest.mark.parametrize("ds64", [True, False])
def test_bw64_is_read_like_rf64(tmp_path, sine, ds64):
    sound = np.concatenate([sine(440, 0.1), 0.5 * sine(440, 0.1)], axis=1)
    path = tmp_path / "a.wav"
    soundfile.write(path, sound, RATE, format="RF64" if ds64 else "WAV", subtype="PCM_24")
    path.write_bytes(b"BW64" + path.read_bytes()[4:])
    samples, reading = read_all(path)
    assert np.abs(samples - sound).max() < 1e-6
    assert reading.remarks == []
    assert read_excerpt(path, RATE, 0.05, 0.01).samples.shape == (441, 2)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_recordings_one_after_the_other_are_all_read(tmp_path, sine, subtype):
    """Radio writes such files, one song after the other."""
    rate = 48000
    pieces = [sine(pitch, 1.0, rate, 0.5) for pitch in (440, 660, 880)]
    path = tmp_path / "radio.ogg"
    path.write_bytes(b"".join(encoded(piece, rate, "OGG", subtype) for piece in pieces))
    samples, reading = read_all(path, rate)
    assert len(samples) == 3 * rate
    for number, piece in enumerate(pieces):
        inside = slice(rate // 4, 3 * rate // 4)
        assert np.abs(samples[number * rate :][inside] - piece[inside]).max() < 0.05
    assert reading.remarks == ["holds 3 recordings, one after the other"]
    assert seconds_of(path) == 3.0
    np.testing.assert_array_equal(read_excerpt(path, rate, 1.5, 1.0).samples, samples[3 * rate // 2 :][:rate])


@pytest.mark.parametrize("form", ["OGG", "MP3"])
def test_a_recording_of_another_kind_behind_one_is_said(tmp_path, sine, form):
    path = tmp_path / f"a.{form.lower()}"
    path.write_bytes(encoded(sine(440, 1.0), form=form) + encoded(sine(440, 1.0, 48000), 48000, form))
    samples, reading = read_all(path)
    assert len(samples) == RATE
    assert reading.remarks[-1] == "what follows has another rate or other channels: it is not read"


@pytest.mark.parametrize("again", ["file", "chunk"])
def test_of_a_wav_behind_another_the_first_is_read_and_that_is_said(tmp_path, sine, again):
    sound = encoded(sine(440, 0.5), subtype="PCM_16")
    path = tmp_path / "a.wav"
    path.write_bytes(sound + (sound if again == "file" else sound[36:]))
    samples, reading = read_all(path)
    assert np.abs(samples - sine(440, 0.5)).max() < 1e-4
    assert reading.remarks == ["holds several recordings, one after the other: only the first is read"]


def id3(size):
    return b"ID3\3\0\0" + bytes(size >> 7 * i & 127 for i in (3, 2, 1, 0)) + bytes(size)


@pytest.mark.parametrize("form", ["WAV", "AIFF", "FLAC", "OGG", "AU", "CAF", "MP3"])
def test_a_tag_may_stand_before_any_recording(tmp_path, sine, form):
    path = tmp_path / "a.wav"
    path.write_bytes(encoded(sine(440, 0.5), form=form))
    honest, _ = read_all(path)
    path.write_bytes(id3(3000) + id3(100) + path.read_bytes())
    samples, reading = read_all(path)
    np.testing.assert_array_equal(samples, honest)
    assert reading.remarks == []


def test_what_is_written_about_the_music_of_a_flac_is_not_looked_at(tmp_path, sine):
    raw = encoded(sine(440, 0.5), form="FLAC")
    path = tmp_path / "a.flac"
    picture = b"\6\0\x10\0" + b"\xff" * 4096  # lengths in it that cannot be
    path.write_bytes(raw[:42] + picture + raw[42:])
    samples, reading = read_all(path)
    assert np.abs(samples - sine(440, 0.5)).max() < 1e-4
    assert reading.remarks == []
    np.testing.assert_array_equal(read_excerpt(path, RATE, 0.2, 0.1).samples, samples[8820:13230])
