"""Frames back to sound: a sine stays that sine, and pieces join without a seam."""

import numpy as np
import pytest

from music_composer.audio.options import FrameOptions
from music_composer.audio.phase import PhaseStream, frames_to_waveform, overlap_add, samples_of
from music_composer.audio.spectrogram import bands_to_magnitudes, floor, spectrum, waveform_to_frames
from music_composer.values import Frames, Waveform

OPTIONS = FrameOptions()
HOP, HALF = OPTIONS.hop, OPTIONS.window // 2
CONTEXT = 16  # frames that a stream begins from
FADE_SECONDS = 0.05
FADE = round(FADE_SECONDS * OPTIONS.rate)
PITCH = 35 * OPTIONS.rate / OPTIONS.window  # 754 Hz, where a bin and a band lie on each other: its pitch is kept best


def rng():
    return np.random.default_rng(0)


def frames_of(samples):
    return waveform_to_frames(Waveform(samples, OPTIONS.rate), OPTIONS)


def rms(samples):
    return np.sqrt(np.mean(np.square(samples, dtype=np.float64)))


def decibels(samples, reference):
    return 20 * np.log10(rms(samples) / rms(reference))


def likeness(samples, reference):
    return np.corrcoef(samples, reference)[0, 1]


def loudest_frequency(samples):
    size = 4 * len(samples)
    return np.abs(np.fft.rfft(samples * np.hanning(len(samples)), size)).argmax() * OPTIONS.rate / size


def test_overlap_add_is_the_inverse_of_the_spectrum():
    sound = rng().normal(0, 0.1, (2, 20 * HOP)).astype(np.float32)
    back = overlap_add(spectrum(sound, OPTIONS), OPTIONS)
    assert back.shape == sound.shape
    inside = slice(OPTIONS.window, -OPTIONS.window)
    assert np.abs(back - sound)[:, inside].max() < 1e-6


@pytest.mark.parametrize("frequency", [110, 440, 3000])
@pytest.mark.parametrize("iterations", [8, 24])
def test_a_sine_comes_back_as_that_sine_at_its_level(sine, frequency, iterations):
    sound = sine(frequency, 1.0, level=0.5)
    back = frames_to_waveform(frames_of(sound), OPTIONS, iterations, rng())
    assert back.rate == OPTIONS.rate
    assert len(back.samples) == len(sound) // HOP * HOP
    inside = back.samples[4410:-4410, 0]
    tolerance = 0.006 if frequency < 1000 else 0.02  # a tenth of a semitone; half a band where bands are wide
    assert loudest_frequency(inside) == pytest.approx(frequency, rel=tolerance)
    assert decibels(inside, sound) == pytest.approx(0, abs=1)


def test_left_and_right_come_back_on_their_sides(sine):
    sound = np.concatenate([sine(440, 0.5, level=0.5), np.zeros((22050, 1), np.float32)], axis=1)
    back = frames_to_waveform(frames_of(sound), OPTIONS, 0, rng()).samples
    assert back.shape[1] == 2
    both = np.concatenate([sine(440, 0.5, level=0.5)] * 2, axis=1)
    back = frames_to_waveform(frames_of(both), OPTIONS, 0, rng()).samples
    assert np.abs(back[:, 0] - back[:, 1]).max() < 1e-3


def test_silence_stays_silence():
    bands = np.full((30, 2, OPTIONS.bands), np.log(floor(OPTIONS)), np.float32)
    assert np.abs(frames_to_waveform(Frames(bands), OPTIONS, 8, rng()).samples).max() < 1e-6


def test_iterations_bring_the_magnitudes_nearer_to_what_was_asked():
    noise = rng().normal(0, 0.1, (22050, 1)).astype(np.float32)
    magnitudes = bands_to_magnitudes(frames_of(noise).bands.transpose(1, 0, 2), OPTIONS)

    def miss(iterations):
        found = np.abs(spectrum(samples_of(magnitudes, OPTIONS, iterations, rng()), OPTIONS))
        return np.linalg.norm(found - magnitudes) / np.linalg.norm(magnitudes)

    assert miss(16) < 0.75 * miss(0)


@pytest.mark.parametrize("iterations", [0, 16])
def test_known_sound_carries_the_phase_of_what_follows(sine, iterations):
    sound = sine(PITCH, 1.0, level=0.5)
    magnitudes = bands_to_magnitudes(frames_of(sound).bands[2:40].transpose(1, 0, 2), OPTIONS)  # no edges in it
    prefix = sound[: CONTEXT * HOP].T
    samples = samples_of(magnitudes, OPTIONS, iterations, rng(), prefix)[0]
    assert len(samples) == 37 * HOP + OPTIONS.window
    after = slice(CONTEXT * HOP, CONTEXT * HOP + 4410)  # 0.1 s
    assert likeness(samples[after], sound[after, 0]) > 0.9


def stream_from(sound, iterations=8, crossfade_seconds=FADE_SECONDS):
    """Returns a stream after the first 0.3 s, the true frames that follow, and the sample of the cut."""
    bands = frames_of(sound).bands
    stop = 24
    cut = stop * HOP - HALF
    prefix = np.ascontiguousarray(sound[cut - CONTEXT * HOP : cut].T)
    stream = PhaseStream(prefix, bands[stop - CONTEXT : stop], OPTIONS, crossfade_seconds, iterations, rng())
    return stream, bands[stop:-4], cut


def play(stream, bands, sizes):
    pieces = [stream.push(piece) for piece in np.split(bands, np.cumsum(sizes)[:-1])]
    return [*pieces, stream.rest()]


@pytest.mark.parametrize("sizes", [[60], [20, 20, 20], [16, 1, 30, 13], [1] * 4])
def test_every_frame_becomes_a_hop_of_samples(sine, sizes):
    stream, bands, _ = stream_from(sine(440, 1.2, level=0.5), iterations=0)
    *pieces, rest = play(stream, bands[: sum(sizes)], sizes)
    assert [piece.shape for piece in pieces] == [(1, size * HOP) for size in sizes]
    assert rest.shape == (1, FADE)


def test_without_a_fade_nothing_is_held_back(sine):
    stream, bands, _ = stream_from(sine(440, 1.0), iterations=0, crossfade_seconds=0)
    assert [piece.shape[1] for piece in play(stream, bands[:20], [10, 10])] == [10 * HOP, 10 * HOP, 0]


def test_the_first_samples_are_the_known_ones(sine):
    sound = sine(440, 1.0, level=0.5)
    stream, bands, cut = stream_from(sound)
    first = stream.push(bands[:20])[0]
    before_cut = sound[cut - FADE : cut, 0]
    assert first[0] == before_cut[0]
    assert np.abs(first[:50] - before_cut[:50]).max() < 0.05  # the crossfade has hardly begun
    assert likeness(first[:FADE], before_cut) > 0.98


@pytest.mark.parametrize("sizes", [[60], [20, 20, 20], [7, 31, 1, 21]])
def test_a_sine_goes_on_without_a_seam(sine, sizes):
    sound = sine(PITCH, 1.2, level=0.5)
    stream, bands, cut = stream_from(sound)
    samples = np.concatenate(play(stream, bands[: sum(sizes)], sizes), axis=1)[0]
    samples = samples[:-HALF]  # the last window rests on half its frames
    assert likeness(samples[:6000], sound[cut - FADE : cut - FADE + 6000, 0]) > 0.9
    bend = np.abs(np.diff(np.concatenate([sound[: cut - FADE, 0], samples]), n=2))
    assert bend.max() < 2 * 0.5 * (2 * np.pi * PITCH / OPTIONS.rate) ** 2  # a sine's own is half of that
    for start in range(0, len(samples) - 2205, 1102):
        assert decibels(samples[start : start + 2205], sound) == pytest.approx(0, abs=1)


def test_pieces_sound_like_one_piece():
    swell = 0.1 * (1.2 + np.sin(2 * np.pi * 1.7 * np.arange(2 * OPTIONS.rate) / OPTIONS.rate))[:, None]
    noise = (rng().normal(0, 1, (2 * OPTIONS.rate, 2)) * swell).astype(np.float32)
    levels = []
    for sizes in ([100], [25, 25, 25, 25]):
        stream, bands, _ = stream_from(noise)
        samples = np.concatenate(play(stream, bands[:100], sizes), axis=1)
        assert samples.shape == (2, 100 * HOP + FADE)
        levels.append(20 * np.log10([rms(part) for part in np.array_split(samples, 20, axis=1)]))
    assert np.abs(levels[0] - levels[1]).max() < 1.5


@pytest.mark.parametrize("place", [0.25, 0.5, 0.75])
def test_an_onset_is_sharp_from_the_first_guess_on(place):
    """A decaying burst of noise has silence before its onset, wherever in a hop it lies."""
    onset = 20 * HOP + round(place * HOP)
    sound = np.zeros((1, 40 * HOP), np.float32)
    sound[0, onset:] = rng().normal(0, 1, 40 * HOP - onset) * np.exp(-np.arange(40 * HOP - onset) / 1000)
    back = samples_of(np.abs(spectrum(sound, OPTIONS)), OPTIONS, 0, rng())[0]
    early = np.sum(np.square(back[: onset - HOP // 2])) / np.sum(np.square(back))
    assert early < 0.015
