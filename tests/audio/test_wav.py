"""Every oddity a recording can have, and what becomes of it; and that what is written can be read again."""

import struct

import numpy as np
import pytest
import soundfile

from music_composer.audio import wav
from music_composer.audio.wav import read_blocks, read_excerpt, seconds_of, write_flac, write_wav
from music_composer.errors import MusicComposerError, RecordingError
from music_composer.values import Waveform

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
    monkeypatch.setattr(wav, "BLOCK_SECONDS", 0.0371)
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
    monkeypatch.setattr(wav, "BLOCK_SECONDS", 0.05)
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


@pytest.mark.parametrize(("subtype", "step"), [("PCM_16", 2**-15), ("PCM_24", 2**-23), ("FLOAT", 0)])
def test_what_is_written_reads_back(tmp_path, sine, subtype, step):
    sound = np.concatenate([sine(440, 0.1, level=0.9), sine(550, 0.1, level=0.9)], axis=1)
    path = tmp_path / "new folder" / "a.wav"
    with write_wav(path, RATE, 2, subtype) as writer:
        writer.write(sound[:1000])
        writer.write(sound[1000:])
    assert soundfile.info(path).subtype == subtype
    assert (writer.samples, writer.clipped) == (len(sound), 0)
    samples, reading = read_all(path)
    assert np.abs(samples - sound).max() <= step
    assert reading.remarks == []


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_what_is_too_loud_is_clipped_and_counted_never_wrapped(tmp_path, subtype):
    loud = np.array([[0.5], [1.5], [-3.0], [40.0], [-0.5], [1.0]])
    with write_wav(tmp_path / "a.wav", RATE, 1, subtype) as writer:
        writer.write(loud)
    samples, _ = read_all(tmp_path / "a.wav")
    assert writer.clipped == 3
    assert np.allclose(samples, np.clip(loud, -1, 1), atol=2**-14)


def test_what_is_no_number_is_written_as_sound_within_full_scale(tmp_path):
    with write_wav(tmp_path / "a.wav", RATE, 1, "FLOAT") as writer:
        writer.write(np.array([[np.nan], [np.inf], [-np.inf]]))
    assert read_all(tmp_path / "a.wav")[0][:, 0].tolist() == [0, 1, -1]
    assert writer.clipped == 3


def test_an_error_while_writing_leaves_no_file_behind(tmp_path):
    with pytest.raises(KeyboardInterrupt), write_wav(tmp_path / "a.wav", RATE, 1, "PCM_16") as writer:
        writer.write(np.zeros((100, 1)))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_an_error_while_writing_keeps_the_file_that_was_there(tmp_path, sine, record):
    path = record(tmp_path / "a.wav", sine(440, 0.1))
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError), write_wav(path, RATE, 1, "PCM_16"):
        raise ZeroDivisionError
    assert path.read_bytes() == before


def test_nothing_is_seen_under_the_name_before_all_is_written(tmp_path):
    with write_wav(tmp_path / "a.wav", RATE, 1, "PCM_16") as writer:
        writer.write(np.zeros((100, 1)))
        assert not (tmp_path / "a.wav").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_a_place_that_cannot_be_written_to_is_an_error_that_names_the_file(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MusicComposerError, match=r"a\.wav cannot be written"), \
            write_wav(tmp_path / "file" / "a.wav", RATE, 1, "PCM_16"):  # fmt: skip
        pass


@pytest.mark.parametrize(
    ("seconds", "subtype", "kind"),
    [(6 * 3600, "PCM_16", b"RIFF"), (7 * 3600, "PCM_16", b"RF64"), (4 * 3600, "FLOAT", b"RF64"), (0, "FLOAT", b"RIFF")],
)
def test_what_will_not_fit_in_4_gib_gets_the_header_for_it(tmp_path, seconds, subtype, kind):
    path = tmp_path / "long.wav"
    with write_wav(path, RATE, 2, subtype, expected_samples=seconds * RATE) as writer:
        writer.write(np.full((10, 2), 0.5))
    assert path.read_bytes()[:4] == kind
    assert np.allclose(read_all(path)[0], 0.5)


def test_a_flac_reads_back_to_16_bits(tmp_path, sine):
    sound = sine(440, 0.1, level=0.9)
    write_flac(tmp_path / "a.flac", Waveform(sound, RATE))
    assert np.abs(read_excerpt(tmp_path / "a.flac", RATE, 0, 1).samples - sound).max() <= 2**-15


@pytest.mark.parametrize(("subtype", "beyond"), [("PCM_16", 0), ("PCM_24", 0), ("FLOAT", 2)])
def test_a_copy_of_what_was_read_is_what_was_read(tmp_path, subtype, beyond):
    every_16_bit_value = np.arange(-(2**15), 2**15, dtype=np.float32)[:, None] / 2**15 * (1 + beyond)
    soundfile.write(tmp_path / "a.wav", every_16_bit_value, RATE, subtype=subtype)
    read = np.concatenate(list(read_blocks(tmp_path / "a.wav", RATE)[1]))
    with write_wav(tmp_path / "b.wav", RATE, 1, subtype) as writer:
        writer.copy(read)
    np.testing.assert_array_equal(np.concatenate(list(read_blocks(tmp_path / "b.wav", RATE)[1])), read)
