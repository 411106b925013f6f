"""Files that are not recordings, and headers that no recording has, are errors that name the file."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest

from music_composer.audio.reading.recording import read_blocks, seconds_of
from music_composer.errors import RecordingError
from tests.audio.reading.recordings import RATE, encoded


@pytest.mark.parametrize("content", [b"", b"RIFF", b"This is not music.\n" * 10])
def test_what_is_no_recording_is_an_error_that_names_the_file(tmp_path, content):
    path = tmp_path / "notes.wav"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"notes\.wav.*not a recording"):
        read_blocks(path, RATE)


def test_a_missing_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(RecordingError, match=r"gone\.wav.*no such file"):
        seconds_of(tmp_path / "gone.wav")


@pytest.mark.parametrize("rate", [0, 2**31, 2**32 - 1])
def test_a_header_without_sense_is_refused_in_words_of_ours(tmp_path, sine, rate):
    raw = encoded(sine(440, 0.1), subtype="PCM_16")
    path = tmp_path / "a.wav"
    path.write_bytes(raw[:24] + struct.pack("<I", rate) + raw[28:])
    with pytest.raises(RecordingError, match=r"a\.wav: .* a rate, or a count of channels, that no recording has"):
        read_blocks(path, RATE)


@pytest.mark.parametrize("rate", [1, 1999, 768001, 2**31 - 1])
def test_a_rate_that_no_recording_has_is_refused_by_name(tmp_path, sine, record, rate):
    path = record(tmp_path / "a.wav", sine(440, 0.1))
    raw = bytearray(path.read_bytes())
    raw[24:28] = struct.pack("<I", rate)
    path.write_bytes(raw)
    with pytest.raises(RecordingError, match=rf"a\.wav: its header says {rate} samples a second"):
        read_blocks(path, RATE)


@pytest.mark.parametrize("channels", [65, 1024])
def test_a_count_of_channels_that_no_recording_has_is_refused_by_name(tmp_path, record, channels):
    path = record(tmp_path / "a.wav", np.zeros((10, channels)))
    with pytest.raises(RecordingError, match=rf"a\.wav: its header says {channels} channels"):
        read_blocks(path, RATE)


@pytest.mark.parametrize(
    ("name", "head", "words"),
    [
        ("a.mp3", b"\0\0\0\x20ftypM4A ", "not an MP3 file but an M4A or MP4 file"),
        ("a.wav", b"\0\0\0\x18ftypmp42", "not a WAV file but an M4A or MP4 file"),
        ("a.mp3", bytes.fromhex("3026b2758e66cf11"), "not an MP3 file but a WMA file"),
        ("a.ogg", bytes.fromhex("1a45dfa3"), "not an OGG file but a WebM or Matroska file"),
        ("a.flac", b"wvpk", "not a FLAC file but a WavPack file"),
        ("a.mp3", b"\xff\xf1\x50\x80", "not an MP3 file but an AAC file"),
        ("a.m4a", b"\0\0\0\x20ftypM4A ", "it is an M4A or MP4 file"),
        ("a.wav", b"MThd\0\0\0\6", "not a WAV file but a MIDI file"),
    ],
)
def test_what_cannot_be_read_is_called_by_its_name(tmp_path, name, head, words):
    path = tmp_path / name
    path.write_bytes(head + bytes(5000))
    with pytest.raises(RecordingError, match=rf"{name}: not a recording.*{words}: convert it to WAV or FLAC"):
        read_blocks(path, RATE)


def test_an_mp3_that_is_none_is_not_said_to_be_missing(tmp_path):
    path = tmp_path / "a.mp3"
    path.write_bytes(b"just text " * 1000)
    with pytest.raises(RecordingError, match=r"a\.mp3: not a recording that can be read: it is not an MP3 file"):
        read_blocks(path, RATE)


def test_only_a_file_is_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    for name in ("pipe.wav", "folder.wav"):
        with pytest.raises(RecordingError, match=rf"{name}: not a file with sound in it"):
            read_blocks(tmp_path / name, RATE)
    with pytest.raises(RecordingError, match="not a file with sound in it"):
        read_blocks(Path("/dev/zero"), RATE)
