"""A stream plays the frames of a file, and its destination can be read at any moment."""

import io
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from music_composer.audio.continuation import sinks
from music_composer.audio.continuation.network_player import NetworkPlayer
from music_composer.audio.continuation.sinks import growing_wav, to_bytes
from music_composer.audio.continuation.stream import stream_continuation, throttled
from music_composer.audio.continuation.writing import write_continuations
from music_composer.audio.models.network import Continuation
from music_composer.audio.options import FrameOptions, network_of
from music_composer.audio.phase import PhaseStream
from music_composer.audio.play_options import GenerateOptions, StreamOptions
from music_composer.audio.prompts import Excerpt, read_prompt
from music_composer.audio.wav import wav_header
from music_composer.errors import MusicComposerError
from music_composer.values import Played

pytestmark = pytest.mark.journey

FRAME, MODEL = FrameOptions(), network_of({"neurons": 8, "layers": 2, "components": 12})
RATE, SEED = FRAME.rate, 5


@pytest.fixture(scope="module")
def player():
    keras.utils.set_random_seed(1)
    network = Continuation(MODEL, MODEL.frames_per_step * 2 * FRAME.bands)
    network.build()
    return NetworkPlayer(network, FRAME, GenerateOptions())


@pytest.fixture
def prompt(tmp_path, record):
    time = np.arange(2 * RATE)[:, None] / RATE
    path = record(tmp_path / "prompt.wav", 0.3 * np.sin(2 * np.pi * 440 * time * [1, 1.5]), subtype="FLOAT")
    return read_prompt(Excerpt(path, 0, 2), 2, MODEL.frames_per_step, FRAME)


@pytest.fixture
def pushed(monkeypatch):
    """Records every frame whose phase is found."""
    frames, push = [], PhaseStream.push
    monkeypatch.setattr(PhaseStream, "push", lambda self, bands: (frames.append(bands), push(self, bands))[1])
    return frames


def test_a_stream_plays_the_frames_of_the_file(player, prompt, pushed, tmp_path):
    options = GenerateOptions(seconds=4)
    write_continuations(player, FRAME, [prompt], [tmp_path / "a.wav"], [0], options, SEED)
    file = np.concatenate(pushed)
    pushed.clear()
    pieces = list(stream_continuation(player, FRAME, prompt, options, StreamOptions(), SEED))
    streamed = np.concatenate(pushed)
    assert len(pushed) > 3
    # To rounding: a processor may add up a block of frames in another order than a longer one.
    np.testing.assert_allclose(streamed[: len(file)], file, atol=1e-6)
    samples, _ = soundfile.read(tmp_path / "a.wav")
    assert sum(map(len, pieces)) == len(samples), "the same length to the sample"
    np.testing.assert_allclose(pieces[0].samples, samples[: len(pieces[0])], atol=1e-4)  # the lead


def test_pieces_are_short_at_first_and_grow(player, prompt):
    options = StreamOptions(endless=True)
    pieces = stream_continuation(player, FRAME, prompt, GenerateOptions(), options, SEED)
    lengths = [len(next(pieces)) / RATE for _ in range(9)][1:]
    pieces.close()
    assert lengths[0] == pytest.approx(options.first_seconds, abs=0.05)
    assert sorted(lengths) == lengths
    assert lengths[-1] == pytest.approx(options.longest_seconds, abs=0.3)


def test_a_stream_has_no_seams(player, prompt):
    """Samples jump no more where pieces meet than elsewhere."""
    *_, lead, first, second, third = (piece for piece, _ in zip(_endless(player, prompt), range(4), strict=False))
    sound = np.concatenate([piece.samples for piece in (first, second, third)])
    jumps = np.abs(np.diff(sound, axis=0)).max(axis=1)
    for seam in (len(first), len(first) + len(second)):
        assert jumps[seam - 2 : seam + 2].max() <= 2 * np.quantile(jumps, 0.999)


def _endless(player, prompt):
    return stream_continuation(player, FRAME, prompt, GenerateOptions(), StreamOptions(endless=True), SEED)


def test_an_endless_file_waits_for_its_listeners():
    made = list(throttled(iter([Played(np.zeros((4410, 2)))] * 3), RATE, 0.2))
    assert len(made) == 3


@given(
    pieces=st.lists(st.integers(0, 500), max_size=5),
    channels=st.integers(1, 2),
    subtype=st.sampled_from(["PCM_16", "PCM_24", "FLOAT"]),
)
def test_a_growing_wav_is_whole_after_every_piece(tmp_path_factory, pieces, channels, subtype):
    path = tmp_path_factory.mktemp("g") / "a.wav"
    sound = np.zeros((0, channels), np.float32)
    with growing_wav(path, RATE, channels, subtype) as wav:
        for i, length in enumerate([0, *pieces]):
            piece = np.random.default_rng(i).uniform(-1.2, 1.2, (length, channels)).astype(np.float32)
            wav.write(piece)
            sound = np.concatenate([sound, np.clip(piece, -1, 1)])
            read, rate = soundfile.read(path, dtype="float32", always_2d=True)
            assert (rate, soundfile.info(path).subtype) == (RATE, subtype)
            np.testing.assert_allclose(read, sound, atol=2**-14 if subtype == "PCM_16" else 2**-22)
    assert wav.samples == len(sound)


def test_what_is_read_back_from_a_wav_is_written_unchanged():
    every_value = np.arange(-(2**15), 2**15, dtype=np.int32)
    samples = (every_value / 2**15).astype(np.float32)[:, None]
    np.testing.assert_array_equal(np.frombuffer(to_bytes(samples, "PCM_16"), "<i2"), every_value)
    deep = to_bytes(samples, "PCM_24")
    np.testing.assert_array_equal(np.frombuffer(deep, "<u1").reshape(-1, 3)[:, 0], 0)
    assert np.frombuffer(to_bytes(samples, "FLOAT"), "<f4").tolist() == samples[:, 0].tolist()


def test_beyond_4_gib_the_header_has_the_same_length_and_can_be_read(monkeypatch):
    assert len(wav_header(100, RATE, 2, "PCM_16")) == len(wav_header(2**33, RATE, 2, "PCM_16")) == 80
    assert wav_header(2**33, RATE, 2, "PCM_16").startswith(b"RF64")
    monkeypatch.setattr("music_composer.audio.wav.RIFF_LIMIT", 0)
    sound = np.random.default_rng(0).uniform(-1, 1, (1000, 2)).astype(np.float32)
    content = to_bytes(sound, "FLOAT")
    read, rate = soundfile.read(io.BytesIO(wav_header(len(content), RATE, 2, "FLOAT") + content), dtype="float32")
    assert rate == RATE
    np.testing.assert_array_equal(read, sound)


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(MusicComposerError, match="a.wav cannot be written"),
        growing_wav(tmp_path / "file" / "a.wav", RATE, 2, "PCM_16"),
    ):
        pass
    reader, writer = os.pipe()  # has no places to write to
    with pytest.raises(MusicComposerError, match="cannot grow"):
        sinks.GrowingWav(writer, tmp_path / "a.wav", RATE, 2, "PCM_16")
    os.close(reader)
    os.close(writer)


def test_what_is_printed_meanwhile_does_not_get_among_the_samples():
    code = (
        "import os, numpy as np\n"
        "from music_composer.audio.continuation.sinks import standard_output\n"
        "with standard_output('PCM_16') as out:\n"
        "    os.system('echo words'); print('more', flush=True); out.write(np.full((2, 1), 0.5, np.float32))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"\x00\x40\x00\x40"
    assert done.stderr.split() == [b"words", b"more"]
