"""Renders MIDI files with a SoundFont, by the program fluidsynth where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from music_composer.errors import ScoreError
from music_composer.files.temporary import scratch_folder
from music_composer.synth.loudness import amplified, gain_to

PROGRAM = "fluidsynth"
RATE = 44100
GAIN = 0.5
START_SECONDS = 60.0  # to load a large SoundFont; apart from it fluidsynth must be faster than real time
MISSING_SECONDS = 2.0  # by which the sound may be shorter than the score
RINGING_SECONDS = 60.0  # and by which it may be longer
BLOCK = 2**18  # samples


def check(soundfont: Path) -> None:
    """Raises ScoreError when fluidsynth or the SoundFont is missing."""
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


def render_blocks_with(soundfont: Path, midi: Path, seconds: float) -> Iterator[np.ndarray]:
    """Renders a MIDI file as stereo sound at the common loudness, in blocks of float32, shape (samples, 2), at RATE.

    seconds: the length of the score. Raises ScoreError with fluidsynth's message when it fails, when it takes a minute
    longer than the score lasts, and when its sound is invalid or too short.
    """
    with scratch_folder() as folder:
        raw = folder / "raw.wav"
        _run(soundfont, midi, seconds, raw)
        _check_sound(raw, midi, seconds)

        def blocks() -> Iterator[np.ndarray]:
            with soundfile.SoundFile(raw) as file:
                # Some SoundFonts ring forever.
                left = round((seconds + RINGING_SECONDS) * RATE)
                while left > 0 and len(block := file.read(min(BLOCK, left), dtype="float64", always_2d=True)):
                    left -= len(block)
                    yield np.ascontiguousarray(block.T)

        gain = gain_to(blocks, RATE)
        for block in blocks():
            yield amplified(block, gain).T.astype(np.float32)


def _run(soundfont: Path, midi: Path, seconds: float, raw: Path) -> None:
    options = ["-n", "-i", "-q", "-g", str(GAIN), "-r", str(RATE), "-T", "wav", "-O", "float", "-F", str(raw)]
    longest = START_SECONDS + seconds
    try:
        done = subprocess.run(
            [PROGRAM, *options, str(soundfont.resolve()), str(midi.resolve())],
            capture_output=True, text=True, errors="replace", timeout=longest, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ScoreError(f"{midi}: fluidsynth was not done after {longest:.0f} s") from error
    except OSError as error:
        raise ScoreError(f"fluidsynth cannot be run: {(error.strerror or str(error)).lower()}") from error
    if done.returncode or not raw.exists():
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ScoreError(f"{midi}: fluidsynth failed: {said[-1][:120] if said else done.returncode}")


def _check_sound(raw: Path, midi: Path, seconds: float) -> None:
    """Raises ScoreError when the file has another format, or is too short."""
    try:
        with soundfile.SoundFile(raw) as file:
            found, shape = file.frames / file.samplerate, (file.samplerate, file.channels)
            finite = all(np.isfinite(block).all() for block in file.blocks(BLOCK, dtype="float32"))
    except soundfile.LibsndfileError as error:
        raise ScoreError(f"{midi}: fluidsynth wrote no sound: {error.error_string}") from error
    if shape != (RATE, 2) or not finite:
        raise ScoreError(f"{midi}: fluidsynth wrote no stereo sound at {RATE} Hz")
    if found < seconds - MISSING_SECONDS:
        raise ScoreError(f"{midi}: fluidsynth wrote {found:.1f} s of {seconds:.1f} s")
