"""Recordings made byte by byte, and their sound read whole."""

import io
import struct

import numpy as np
import soundfile

from music_composer.audio.reading.recording import read_blocks

RATE = 44100


def read_all(path, rate=RATE):
    reading, blocks = read_blocks(path, rate)
    blocks = list(blocks)
    return np.concatenate(blocks or [np.zeros((0, reading.channels))]), reading


def with_data_size(path, size):
    raw = bytearray(path.read_bytes())
    at = raw.index(b"data") + 4
    raw[at : at + 4] = struct.pack("<I", size)
    path.write_bytes(raw)
    return path


def encoded(sound, rate=RATE, form="WAV", subtype=None, **how):
    made = io.BytesIO()
    with soundfile.SoundFile(made, "w", rate, sound.shape[1], subtype, format=form, **how) as file:
        for at in range(0, len(sound), 10_000):  # libsndfile's Vorbis overflows the stack on long ones
            file.write(sound[at : at + 10_000])
    return made.getvalue()
