"""Music that changes into something else at known times."""

import numpy as np
import pytest

from music_composer.errors import MusicComposerError, OptionError
from music_composer.evaluation.audio.similarity.frechet_distance import DistanceOptions, log_mel
from music_composer.evaluation.audio.structure.novelty import (
    BoundaryOptions,
    boundaries,
    boundaries_a_minute,
    novelty,
    threshold_of,
)
from tests.evaluation.audio.tunes import FLUTES, REEDS, shuffled, tune

OPTIONS, SPECTRUM = BoundaryOptions(), DistanceOptions()
FRAMES = SPECTRUM.rate / SPECTRUM.hop


def levels(samples):
    return log_mel(samples, SPECTRUM)


@pytest.fixture(scope="module")
def real():
    return levels(tune(FLUTES, 1, 40.0))


@pytest.fixture(scope="module")
def threshold(real):
    return threshold_of([real], FRAMES, OPTIONS)


def test_a_change_of_instrument_is_found_where_it_is(threshold):
    pieces = [tune(FLUTES, 1, 6.0), tune(REEDS, 1, 6.0), tune(FLUTES, 2, 6.0)]
    course = novelty(levels(np.concatenate(pieces)), FRAMES, OPTIONS)
    strongest = (np.sort(np.argsort(course)[-1:]) + round(FRAMES)) / FRAMES
    assert strongest[0] == pytest.approx(6.0, abs=0.15) or strongest[0] == pytest.approx(12.0, abs=0.15)
    found = boundaries(levels(np.concatenate(pieces)), threshold, FRAMES, OPTIONS)
    assert min(abs(found - 6.0)) < 0.15
    assert min(abs(found - 12.0)) < 0.15


def test_real_music_reads_a_tenth_of_its_peaks_and_splices_of_several_tracks_more(real, threshold):
    mixed = np.concatenate([tune(FLUTES, track, 10.0) for track in range(4)])
    spliced = levels(shuffled(mixed, 1.8))
    own = boundaries_a_minute([real], threshold, FRAMES, OPTIONS)
    assert 0.0 < own < 12.0
    assert boundaries_a_minute([spliced], threshold, FRAMES, OPTIONS) > 1.5 * own


def test_a_held_sound_reads_none(threshold):
    held = np.sin(2 * np.pi * 440 * np.arange(20 * SPECTRUM.rate) / SPECTRUM.rate)
    assert boundaries_a_minute([levels(held)], threshold, FRAMES, OPTIONS) == 0.0


def test_level_does_not_matter():
    music = np.concatenate([tune(FLUTES, 1, 6.0), tune(REEDS, 1, 6.0)])
    loud, soft = (novelty(levels(gain * music), FRAMES, OPTIONS) for gain in (1.0, 0.3))
    np.testing.assert_allclose(soft, loud, atol=0.5)


def test_the_figure_is_per_minute_of_what_can_be_judged(real, threshold):
    twice = boundaries_a_minute([real, real], threshold, FRAMES, OPTIONS)
    assert twice == pytest.approx(boundaries_a_minute([real], threshold, FRAMES, OPTIONS))
    assert np.isnan(boundaries_a_minute([real[:50]], threshold, FRAMES, OPTIONS))


def test_too_little_music_and_impossible_options_say_so():
    with pytest.raises(MusicComposerError, match="stands still"):
        threshold_of([np.zeros((1000, 4))], FRAMES, OPTIONS)
    with pytest.raises(OptionError, match="quantile"):
        BoundaryOptions(quantile=1.0)
