"""Written files can be read again, and incomplete files are never visible."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile

from music_composer.audio.reading.recording import read_blocks, read_excerpt
from music_composer.audio.wav import write_flac, write_wav
from music_composer.errors import MusicComposerError
from music_composer.values import Waveform

RATE = 44100


def read_all(path, rate=RATE):
    reading, blocks = read_blocks(path, rate)
    blocks = list(blocks)
    return np.concatenate(blocks or [np.zeros((0, reading.channels))]), reading


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


def test_a_full_disk_is_said_of_a_flac_too(tmp_path):
    """It runs in a child process, since the limit holds for a process."""
    code = (
        "import resource, signal, sys, numpy as np; from pathlib import Path\n"
        "from music_composer.audio.wav import write_flac; from music_composer.errors import MusicComposerError\n"
        "from music_composer.values import Waveform\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
        "sound = np.random.default_rng(0).uniform(-1, 1, (44100, 2))\n"
        "try: write_flac(Path(sys.argv[1]), Waveform(sound, 44100))\n"
        "except MusicComposerError as error: print(error)\n"
    )
    path = tmp_path / "a.flac"
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert f"{path} cannot be written" in done.stdout
    assert list(tmp_path.iterdir()) == []
