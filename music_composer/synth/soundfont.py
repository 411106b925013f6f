"""MIDI files through a SoundFont, by the program fluidsynth where that is installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from music_composer.errors import ScoreError
from music_composer.synth.loudness import levelled
from music_composer.values import Waveform

PROGRAM = "fluidsynth"
RATE = 44100
GAIN = 0.5
LONGEST_SECONDS = 3600.0  # of waiting


def check(soundfont: Path) -> None:
    """Raises ScoreError when there is no fluidsynth, or no such SoundFont."""
    if not shutil.which(PROGRAM):
        raise ScoreError(
            "--soundfont needs the program fluidsynth, which is not installed (on Debian: apt install fluidsynth): "
            "install it, or leave --soundfont out for the voices that are always there"
        )
    try:
        with soundfont.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise ScoreError(f"{soundfont}: cannot be opened: {(error.strerror or str(error)).lower()}") from error
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise ScoreError(f"{soundfont}: is no SoundFont")


def render_with(soundfont: Path, midi: Path) -> Waveform:
    """A MIDI file as stereo sound at the common loudness. Raises ScoreError with what fluidsynth says."""
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.wav"
        options = ["-n", "-i", "-q", "-g", str(GAIN), "-r", str(RATE), "-T", "wav", "-O", "float", "-F", str(raw)]
        try:
            done = subprocess.run(
                [PROGRAM, *options, str(soundfont.resolve()), str(midi.resolve())],
                capture_output=True, text=True, timeout=LONGEST_SECONDS, stdin=subprocess.DEVNULL, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise ScoreError(f"{midi}: fluidsynth was not done after an hour") from error
        if done.returncode or not raw.exists():
            said = (done.stderr or done.stdout).strip().splitlines()
            raise ScoreError(f"{midi}: fluidsynth failed: {said[-1][:120] if said else done.returncode}")
        sound, rate = soundfile.read(raw, dtype="float64", always_2d=True)
    return Waveform(levelled(np.ascontiguousarray(sound.T), rate).T.astype(np.float32), rate)
