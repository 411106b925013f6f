"""Truncated recordings, wrong headers, failing disks and files that change while they are read."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest

from music_composer.audio.reading import decoder
from music_composer.audio.reading import virtual_file as pieces
from music_composer.audio.reading.recording import read_blocks, seconds_of
from music_composer.errors import RecordingError
from tests.audio.reading.recordings import RATE, encoded, read_all, with_data_size


@pytest.mark.parametrize("promised", [2**32 - 1, 10**6])
def test_a_header_that_promises_too_much_is_remarked_and_the_sound_used(tmp_path, sine, record, promised):
    sound = sine(440, 0.1)
    path = with_data_size(record(tmp_path / "a.wav", sound), promised)
    samples, reading = read_all(path)
    assert len(samples) == len(sound)
    assert np.abs(samples - sound).max() < 1e-4
    assert [str(promised) in remark and str(2 * len(sound)) in remark for remark in reading.remarks] == [True]


def test_a_wav_that_was_cut_off_gives_what_is_there(tmp_path, sine, record):
    sound = sine(440, 0.1)
    path = record(tmp_path / "a.wav", sound)
    path.write_bytes(path.read_bytes()[: 44 + 2 * 1000])
    samples, reading = read_all(path)
    assert np.abs(samples - sound[:1000]).max() < 1e-4
    assert len(reading.remarks) == 1


def test_a_flac_that_was_cut_off_gives_the_sound_before_the_break(tmp_path, record):
    sound = np.random.default_rng(1).uniform(-0.5, 0.5, (2 * RATE, 1))
    path = record(tmp_path / "a.flac", sound)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    samples, reading = read_all(path)
    assert 0.8 * RATE < len(samples) < 1.0 * RATE
    assert np.abs(samples - sound[: len(samples)]).max() < 1e-4
    assert ["broken after" in remark for remark in reading.remarks] == [True]


@pytest.mark.parametrize("riff", [0, 36, 2**32 - 1])
def test_a_recorder_that_lost_its_power_wrote_no_length(tmp_path, sine, record, riff):
    sound = sine(440, 0.5)
    path = with_data_size(record(tmp_path / "a.wav", sound), 0)
    raw = path.read_bytes()
    path.write_bytes(raw[:4] + struct.pack("<I", riff) + raw[8:])
    samples, reading = read_all(path)
    assert np.abs(samples - sound).max() < 1e-4
    assert reading.remarks == ["its header promises 0 bytes of sound, the file holds 44100: these are used"]
    assert seconds_of(path) == 0.5


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_without_its_end_is_said(tmp_path, sine, subtype):
    path = tmp_path / "a.ogg"
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (5 * 48000, 1))
    raw = encoded(noise, 48000, "OGG", subtype)
    for count in (len(raw) // 2, len(raw) - 1):
        path.write_bytes(raw[:count])
        samples, reading = read_all(path, 48000)
        assert 1.5 * 48000 < len(samples) < 5 * 48000
        assert reading.remarks == ["its end is missing: what is there is used"]


def test_a_disk_that_fails_ends_the_sound_with_a_remark(tmp_path, sine, record, monkeypatch):
    path = record(tmp_path / "a.flac", sine(440, 2.0), subtype=None)
    positions = []

    def fail(self, piece, at, view):
        positions.append(at)
        if len(positions) < 8:
            return read(self, piece, at, view)
        self.failure = OSError(5, "Input/output error")
        return 0

    read = pieces.PiecedFile._read_piece
    monkeypatch.setattr(pieces.PiecedFile, "_read_piece", fail)
    samples, reading = read_all(path)
    assert 0 < len(samples) < 2 * RATE
    assert ["input/output error" in remark or "lost sync" in remark for remark in reading.remarks] == [True]


def grow(path):
    path.write_bytes(path.read_bytes() + bytes(1000))


def replace(path):
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    stamp = path.stat()
    os.utime(other, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("change", [grow, replace, Path.unlink])
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
def test_a_recording_that_changes_while_it_is_read_is_an_error_that_names_it(tmp_path, sine, record, change, suffix):
    path = record(tmp_path / f"a.{suffix}", sine(440, 21.0), subtype=None)
    _, blocks = read_blocks(path, RATE)
    next(blocks)
    change(path)
    with pytest.raises(RecordingError, match=rf"a\.{suffix}: (changed while it was read|cannot be read)"):
        list(blocks)


@pytest.mark.parametrize("error", [RuntimeError("odd"), ValueError("odd"), MemoryError(), OSError(5, "input/output")])
def test_whatever_the_decoder_raises_names_the_file_or_ends_the_sound(tmp_path, sine, record, monkeypatch, error):
    path = record(tmp_path / "a.wav", sine(440, 0.5))

    def fail(*_, **__):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(decoder.Decoder, "read", fail)
        samples, reading = read_all(path)
        assert len(samples) == 0
        assert ["broken after 0.0 s" in remark for remark in reading.remarks] == [True]
    with monkeypatch.context() as patch:
        patch.setattr(decoder.Decoder, "__init__", fail)
        with pytest.raises(RecordingError, match=r"b\.wav: not a recording"):
            read_blocks(record(tmp_path / "b.wav", sine(440, 0.5)), RATE)
