"""A folder as people have it: every odd recording that once broke something, beside a little music that is whole."""

from __future__ import annotations

import io
import os
import shutil
import struct
from pathlib import Path

import numpy as np
import soundfile

from tests.partials import falling, harmonics

CASES = Path(__file__).parent / "cases" / "audio"
RATE = 44100


def music(seconds: float, channels: int = 2, seed: int = 0, rate: int = RATE) -> np.ndarray:
    """Chords of decaying partials and noise, float32, (samples, channels), full scale 1."""
    rng = np.random.default_rng(seed)
    sound = np.zeros((round(seconds * rate), channels))
    for first in range(0, len(sound), rate // 4):
        t = np.arange(min(len(sound) - first, round(0.8 * rate))) / rate
        pitch = 220 * 2 ** ((rng.choice([0, 2, 4, 5, 7, 9, 11]) + 12 * rng.integers(2)) / 12)
        tone = 0.12 * np.exp(-4 * t) * harmonics(pitch, round(0.8 * rate), falling(5, 1), rate)[: len(t)]
        tone += 0.1 * np.exp(-80 * t) * rng.normal(size=len(t))
        left = rng.uniform(0.3, 0.7)
        sound[first : first + len(t)] += 1.4 * tone[:, None] * np.array([left, 1 - left])[:channels]
    return np.clip(sound, -0.99, 0.99).astype(np.float32)


def write_whole(folder: Path, songs: int = 3, seconds: float = 15.0) -> None:
    """A few songs that nothing is wrong with."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(songs):
        soundfile.write(folder / f"song-{i}.wav", music(seconds, seed=i), RATE)


def write_odd(folder: Path) -> None:
    """One of each kind. Those that hold sound are used, with a remark; the others are named and left out."""
    folder.mkdir(parents=True, exist_ok=True)
    for case in CASES.iterdir():
        shutil.copyfile(case, folder / case.name)
    soundfile.write(folder / "mono.wav", music(3, channels=1), RATE)
    soundfile.write(folder / "silent-middle.flac", np.concatenate([music(6), np.zeros((20 * RATE, 2)), music(6)]), RATE)
    soundfile.write(folder / "quiet.wav", 0.001 * music(5), RATE, subtype="FLOAT")
    soundfile.write(folder / "integer-scale.wav", 32768 * music(5), RATE, subtype="FLOAT")
    soundfile.write(folder / "silence.wav", np.zeros((RATE, 2)), RATE)
    soundfile.write(folder / "surround.wav", music(3, channels=2)[:, [0, 1, 0, 1, 0, 1]], 48000)
    click = music(5)
    click[1000] = 1e6
    soundfile.write(folder / "click.wav", click, RATE, subtype="FLOAT")
    missing = music(5)
    missing[2000:3000] = np.nan
    missing[4000] = np.inf
    soundfile.write(folder / "nan.wav", missing, RATE, subtype="FLOAT")
    (folder / "hits").mkdir()
    for i in range(20):
        soundfile.write(folder / "hits" / f"hit-{i:02d}.wav", _hit(i), RATE)
    _write_broken(folder)
    _write_names(folder)
    _write_what_is_no_recording(folder)


def _hit(seed: int) -> np.ndarray:
    t = np.arange(4410) / RATE
    drum = np.sin(2 * np.pi * (60 + 200 * np.exp(-40 * t)) * t) * np.exp(-15 * t)
    return 0.9 * (drum if seed % 2 else 0.3 * np.random.default_rng(seed).normal(size=len(t)) * np.exp(-40 * t))


def _write_broken(folder: Path) -> None:
    """Headers that lie and sound that breaks off."""
    whole = _bytes_of(music(4), "WAV", "PCM_16")
    (folder / "rate-1.wav").write_bytes(whole[:24] + struct.pack("<I", 1) + whole[28:])
    (folder / "cut-off.wav").write_bytes(whole[: len(whole) // 2])
    (folder / "endless.wav").write_bytes(whole[:40] + b"\xff" * 4 + whole[44:])
    flac = bytearray(_bytes_of(music(4), "FLAC", "PCM_16"))
    flac[len(flac) * 3 // 4 : len(flac) * 3 // 4 + 3000] = bytes(3000)
    (folder / "damaged.flac").write_bytes(flac)
    bw64 = bytearray(_bytes_of(music(3), "RF64", "PCM_16"))
    bw64[:4] = b"BW64"
    (folder / "broadcast.wav").write_bytes(bw64)
    ogg = _bytes_of(music(4), "OGG", "VORBIS")
    (folder / "half.ogg").write_bytes(ogg[: len(ogg) // 2])
    (folder / "empty.wav").write_bytes(b"")
    (folder / "header-only.wav").write_bytes(whole[:44])


def _write_names(folder: Path) -> None:
    """What file systems allow."""
    song = _bytes_of(music(3, seed=5), "WAV", "PCM_16")
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.wav")).write_bytes(song)
    (folder / "a\nb\x1b[31m.wav").write_bytes(song)
    (folder / ("x" * 240 + ".wav")).write_bytes(song)
    (folder / "UPPER.WAV").write_bytes(song)
    (folder / "tape.wave").write_bytes(song)
    for hidden in (".Trash-1000", "__MACOSX", ".stversions"):
        (folder / hidden).mkdir()
        (folder / hidden / "old.wav").write_bytes(song)
    (folder / "._song.wav").write_bytes(b"\0" * 100)
    (folder / "sub").mkdir()
    (folder / "sub" / "again").symlink_to(folder, target_is_directory=True)  # a circle
    (folder / "gone.wav").symlink_to(folder / "nowhere.wav")


def _write_what_is_no_recording(folder: Path) -> None:
    (folder / "notes.txt").write_text("not music", encoding="utf-8")
    (folder / "page.wav").write_text("<!DOCTYPE html><html>404</html>", encoding="utf-8")
    (folder / "phone.m4a").write_bytes((CASES / "m4a_named.mp3").read_bytes())
    (folder / "album.wv").write_bytes(b"wvpk" + bytes(100))
    os.mkfifo(folder / "pipe.wav")


def _bytes_of(samples: np.ndarray, form: str, subtype: str) -> bytes:
    made = io.BytesIO()
    soundfile.write(made, samples, RATE, subtype=subtype, format=form)
    return made.getvalue()
