"""MP3 files with a missing or wrong length, and with frames that are not adjacent."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from music_composer.audio.reading import mp3_frames
from music_composer.audio.reading.recording import read_blocks, read_excerpt, seconds_of
from tests.odd_recordings import music

RATE = 44100
SECONDS = 6.0
PADDING = 0.06  # seconds that encoders add at the ends, where nothing says how much it is


def mp3_of(sound: np.ndarray, rate: int = RATE, mode: str = "CONSTANT") -> bytes:
    made = io.BytesIO()
    kind = {"subtype": "MPEG_LAYER_III", "format": "MP3", "bitrate_mode": mode}
    with soundfile.SoundFile(made, "w", rate, sound.shape[1], **kind) as file:
        file.write(sound)
    return made.getvalue()


def loud_after_soft() -> np.ndarray:
    """Returns a file whose first frames are small, so that a guessed length is far too short."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (round(SECONDS * RATE) // 2, 2))
    return np.concatenate([0.001 * noise, noise])


def without_count(raw: bytes) -> bytes:
    """Returns a file without the first frame, which declares the number of frames."""
    frames = mp3_frames.frames_in(io.BytesIO(raw), 0, len(raw))
    assert frames is not None
    assert frames.info
    return raw[frames.places[0].start :]


def read_all(path):
    reading, blocks = read_blocks(path, RATE)
    return np.concatenate(list(blocks)), reading.remarks


def id3(size: int) -> bytes:
    return b"ID3\3\0\0" + bytes(size >> 7 * i & 127 for i in (3, 2, 1, 0)) + bytes(size)


@pytest.fixture(scope="module")
def whole() -> bytes:
    return mp3_of(music(SECONDS))


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE", "AVERAGE"])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [44100, 24000, 8000])
def test_all_frames_are_found(mode, channels, rate):
    raw = mp3_of(music(2.0, channels, rate=rate), rate, mode)
    frames = mp3_frames.frames_in(io.BytesIO(raw), 0, len(raw))
    assert frames is not None
    assert frames.declared == frames.count
    assert (len(frames.info), len(raw)) == (frames.places[0].start, frames.places[0].stop)
    assert 2.0 <= frames.count * frames.samples_each / rate < 2.5
    assert mp3_frames.is_in_order(frames)


def test_variable_rate_without_a_count_is_read_to_its_end(tmp_path):
    sound, path = loud_after_soft(), tmp_path / "a.mp3"
    path.write_bytes(without_count(mp3_of(sound, mode="VARIABLE")))
    samples, remarks = read_all(path)
    assert SECONDS <= len(samples) / RATE <= SECONDS + PADDING
    assert np.abs(samples[-RATE // 2 : -RATE // 4]).max() > 0.3
    assert remarks == []
    assert seconds_of(path) == len(samples) / RATE
    np.testing.assert_array_equal(read_excerpt(path, RATE, 5.0, 0.5).samples, samples[5 * RATE :][: RATE // 2])


@pytest.mark.parametrize("between", [b"", id3(2000), b"TAG" + bytes(125)])
def test_files_one_after_the_other_are_all_read(tmp_path, whole, between):
    path = tmp_path / "a.mp3"
    path.write_bytes(whole + between + whole)
    samples, remarks = read_all(path)
    assert 2 * SECONDS <= len(samples) / RATE <= 2 * SECONDS + PADDING
    assert ["promises 6.0 s" in remark and "12.0 s" in remark for remark in remarks] == [True]


@pytest.mark.parametrize("junk", [bytes(3000), b"\xff" * 3000, np.random.default_rng(1).bytes(9000)])
def test_a_hole_in_the_middle_costs_what_was_in_it(tmp_path, whole, junk):
    path, middle = tmp_path / "a.mp3", len(whole) // 2
    path.write_bytes(whole[:middle] + junk + whole[middle + len(junk) :])
    samples, remarks = read_all(path)
    assert SECONDS - 0.2 - len(junk) / len(whole) * SECONDS < len(samples) / RATE < SECONDS
    assert "bytes in it are no sound: left out" in remarks[0]


@pytest.mark.parametrize(
    "before",
    [
        id3(300_000),
        b"ID3\3\0\0\x7f\x7f\x7f\x7f",
        bytes(100_000),
        np.random.default_rng(2).bytes(5000),
        b"HTTP/1.1 200 OK\r\n",
    ],
)
def test_whatever_stands_before_the_first_frame_is_passed_over(tmp_path, whole, before):
    path = tmp_path / "a.mp3"
    path.write_bytes(whole)
    honest, _ = read_all(path)
    path.write_bytes(before + whole)
    samples, remarks = read_all(path)
    np.testing.assert_array_equal(samples, honest)
    assert remarks == []


def test_an_mp3_that_was_cut_off_says_so(tmp_path, whole):
    path = tmp_path / "a.mp3"
    path.write_bytes(whole[: len(whole) // 2])
    samples, remarks = read_all(path)
    assert SECONDS / 2 - 0.2 < len(samples) / RATE < SECONDS / 2 + 0.1
    assert ["promises 6.0 s" in remark for remark in remarks] == [True]


@pytest.mark.parametrize("content", [b"", b"\xff\xfb\x90\x00", b"text " * 1000, b"\xff" * 10_000, b"\xff\xfb" * 5000])
def test_what_has_no_frames_has_none(content):
    assert mp3_frames.frames_in(io.BytesIO(content), 0, len(content)) is None
