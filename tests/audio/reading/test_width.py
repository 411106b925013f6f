"""Width of a recording, by hand-made energies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from music_composer.audio.reading import decoder
from music_composer.audio.reading.recording import side_and_mid
from music_composer.errors import RecordingError

RATE = 8000


@pytest.fixture
def panned(tmp_path: Path) -> Path:
    """A second of noise in the middle, then a second of it on the left alone."""
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE)
    left, right = np.concatenate([noise, noise]), np.concatenate([noise, 0 * noise])
    soundfile.write(tmp_path / "panned.wav", np.stack([left, right], axis=1), RATE, "FLOAT")
    return tmp_path / "panned.wav"


def test_side_and_mid_are_half_difference_and_half_sum(panned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    energy = np.sum(np.square(soundfile.read(panned)[0][:RATE, 0]))
    for block in (1 << 19, 777):
        monkeypatch.setattr(decoder, "BLOCK_VALUES", block)
        assert side_and_mid(panned) == pytest.approx([energy / 4, energy * 5 / 4], rel=1e-5)
        assert side_and_mid(panned, 0.0, 1.0) == pytest.approx([0, energy], rel=1e-5)
        assert side_and_mid(panned, 1.0) == pytest.approx([energy / 4, energy / 4], rel=1e-5)


def test_a_mono_recording_has_no_side(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "mono.wav", np.full(RATE, 0.5), RATE, "FLOAT")
    assert side_and_mid(tmp_path / "mono.wav") == pytest.approx([0, RATE / 4])


def test_what_is_no_recording_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(RecordingError, match=r"text\.wav"):
        side_and_mid(tmp_path / "text.wav")
