"""Oddities of recordings, and what becomes of them."""

import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from music_composer.audio.reading import decoder
from music_composer.audio.reading import virtual_file as pieces
from music_composer.audio.reading.recording import read_blocks, read_excerpt, seconds_of
from music_composer.errors import RecordingError

RATE = 44100


def read_all(path, rate=RATE):
    reading, blocks = read_blocks(path, rate)
    blocks = list(blocks)
    return np.concatenate(blocks or [np.zeros((0, reading.channels))]), reading


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


def with_data_size(path, size):
    raw = bytearray(path.read_bytes())
    at = raw.index(b"data") + 4
    raw[at : at + 4] = struct.pack("<I", size)
    path.write_bytes(raw)
    return path


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


@pytest.mark.parametrize("content", [b"", b"RIFF", b"This is not music.\n" * 10])
def test_what_is_no_recording_is_an_error_that_names_the_file(tmp_path, content):
    path = tmp_path / "notes.wav"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"notes\.wav.*not a recording"):
        read_blocks(path, RATE)


def test_a_missing_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(RecordingError, match=r"gone\.wav.*no such file"):
        seconds_of(tmp_path / "gone.wav")


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


def chunk_after(path, content=b"LIST\x04\0\0\0INFO"):
    path.write_bytes(path.read_bytes() + content)
    return path


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


def encoded(sound, rate=RATE, form="WAV", subtype=None, **how):
    made = io.BytesIO()
    with soundfile.SoundFile(made, "w", rate, sound.shape[1], subtype, format=form, **how) as file:
        for at in range(0, len(sound), 10_000):  # libsndfile's Vorbis overflows the stack on long ones
            file.write(sound[at : at + 10_000])
    return made.getvalue()


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


def test_a_path_of_more_than_a_thousand_bytes_is_no_hindrance(tmp_path, sine, record):
    folder = tmp_path.joinpath(*["d" * 100] * 11)
    folder.mkdir(parents=True)
    path = record(tmp_path / "a.wav", sine(440, 0.5)).rename(folder / "a.wav")
    assert seconds_of(path) == 0.5
    assert len(read_all(path)[0]) == RATE // 2


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


@pytest.mark.parametrize("rate", [0, 2**31, 2**32 - 1])
def test_a_header_without_sense_is_refused_in_words_of_ours(tmp_path, sine, rate):
    raw = encoded(sine(440, 0.1), subtype="PCM_16")
    path = tmp_path / "a.wav"
    path.write_bytes(raw[:24] + struct.pack("<I", rate) + raw[28:])
    with pytest.raises(RecordingError, match=r"a\.wav: .* a rate, or a count of channels, that no recording has"):
        read_blocks(path, RATE)


def test_gsm_is_read(tmp_path, sine, record):
    path = record(tmp_path / "a.wav", sine(440, 1.0, 8000, 0.5), 8000, "GSM610")
    samples, reading = read_all(path)
    assert 1.0 <= len(samples) / RATE < 1.05
    assert level(samples[4000:40000]) == pytest.approx(0.5, rel=0.1)
    assert reading.remarks == []


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


def test_memory_for_a_block_does_not_follow_from_the_header(tmp_path, record, monkeypatch):
    path = record(tmp_path / "a.wav", np.zeros((1000, 64)), 768000, "FLOAT")
    wanted = []
    monkeypatch.setattr(decoder.np, "full", lambda shape, *rest: wanted.append(np.prod(shape)) or np.zeros(shape, "f4"))
    with decoder.open_recording(path) as source:
        list(decoder.blocks_of(source, []))
    assert 0 < max(wanted) <= decoder.BLOCK_VALUES


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


def test_the_length_of_a_recording_that_has_changed_is_counted_anew(tmp_path, sine, record):
    path = record(tmp_path / "a.flac", sine(440, 0.5), subtype=None)
    assert seconds_of(path) == 0.5
    record(path, sine(440, 0.7), subtype=None)
    assert seconds_of(path) == 0.7
