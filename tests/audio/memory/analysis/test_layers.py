"""Harmonic and percussive layers of known sounds; a stream gives the same as the whole signal."""

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal

from music_composer.audio.memory.analysis.layers import LayerOptions, Layers, medians
from music_composer.errors import OptionError
from tests.audio.memory.music import RATE, played

OPTIONS = LayerOptions(fft=512, hop=128)


def separated(sound, sizes, options=OPTIONS):
    """Returns the harmonic layer, the percussive layer and the whole sound."""
    found = []
    for strikes in (False, True):
        layers, parts, at = Layers(sound.shape[1], options, strikes), [], 0
        while at < len(sound):
            size = sizes[len(parts) % len(sizes)]
            parts.append(layers.push(sound[at : at + size]))
            at += size
        found.append(tuple(np.concatenate(each) for each in zip(*parts, strict=True)))
    (ringing, whole), (striking, also) = found
    np.testing.assert_array_equal(whole, also)
    return ringing, striking, whole


def reference(sound, strikes):
    """Separates the whole signal with SciPy's own transform and its median filter of two axes."""
    spectra = scipy.signal.stft(sound.T, nperseg=OPTIONS.fft, noverlap=OPTIONS.fft - OPTIONS.hop)[2]
    magnitude = np.abs(spectra).mean(axis=0)
    rings = scipy.ndimage.median_filter(magnitude, (1, OPTIONS.median)) ** 2
    hits = scipy.ndimage.median_filter(magnitude, (OPTIONS.median, 1)) ** 2
    mask = ((hits if strikes else rings) / (rings + hits + 1e-12)) ** OPTIONS.power
    return scipy.signal.istft(spectra * mask, nperseg=OPTIONS.fft, noverlap=OPTIONS.fft - OPTIONS.hop)[1].T


@pytest.mark.parametrize("sizes", [[100000], [1000, 17, 1, 5000], [128]])
def test_a_stream_is_separated_like_the_whole(sizes):
    sound = played(3.0, channels=1) * np.float32([[1.0, 0.3]])
    ringing, striking, whole = separated(sound, sizes)
    assert len(sound) - len(ringing) <= OPTIONS.delay
    np.testing.assert_allclose(whole, sound[: len(ringing)], atol=1e-6)
    inner = slice(OPTIONS.delay, len(ringing) - OPTIONS.delay)
    np.testing.assert_allclose(ringing[inner], reference(sound, strikes=False)[inner], atol=1e-4)
    np.testing.assert_allclose(striking[inner], reference(sound, strikes=True)[inner], atol=1e-4)


def test_amplitudes_that_are_shared_out_add_up_to_the_sound():
    sound = played(3.0, channels=1)
    ringing, striking, whole = separated(sound, [4000], LayerOptions(fft=512, hop=128, power=1.0))
    np.testing.assert_allclose(ringing + striking, whole, atol=1e-6)


def test_layers_of_two_unlike_sounds_are_as_loud_as_one():
    one, other = (np.random.default_rng(seed).standard_normal((4 * RATE, 1)).astype(np.float32) for seed in (0, 1))
    options = LayerOptions(fft=512, hop=128, power=0.5)
    ringing, striking = separated(one, [4000], options)[0], separated(other, [4000], options)[1]
    ratio = np.square(ringing + striking).mean() / np.square(one).mean()
    assert abs(10 * np.log10(ratio)) < 0.5


def test_a_tone_rings_and_a_click_strikes():
    sound = 0.3 * np.sin(2 * np.pi * 700 * np.arange(2 * RATE) / RATE)[:, None].astype(np.float32)
    sound[RATE : RATE + 3] += 0.9
    ringing, striking, _ = separated(sound, [4000])
    apart = np.abs(np.arange(len(striking)) - RATE) > 1000
    apart[:2000] = False
    assert np.square(striking[apart]).mean() < 0.02 * np.square(sound).mean()
    assert np.abs(striking[RATE : RATE + 3]).mean() > 0.6


def test_medians_are_right_inside_every_row():
    rows = np.random.default_rng(0).standard_normal((5, 60)).astype(np.float32)
    wanted = np.median(np.lib.stride_tricks.sliding_window_view(rows, 17, axis=1), axis=2)
    np.testing.assert_array_equal(medians(rows, 17)[:, 8:-8], wanted)


@pytest.mark.parametrize("wrong", [{"median": 16}, {"hop": 0}, {"fft": 1000}])
def test_senseless_options_are_refused(wrong):
    with pytest.raises(OptionError, match="median"):
        LayerOptions(**wrong)


@pytest.mark.parametrize("power", [0.0, 1.5])
def test_no_layer_takes_more_than_there_is(power):
    with pytest.raises(OptionError, match="power"):
        LayerOptions(power=power)
