"""Names of notes, scales and ranges to pitches."""

import numpy as np
import pytest

from music_composer.errors import OptionError
from music_composer.symbolic.play_options import BoundOptions
from music_composer.symbolic.scales import SCALES, allowed_pitches, pitch_of


def classes(scale):
    return sorted(set(np.flatnonzero(allowed_pitches(BoundOptions(scale=scale))) % 12))


@pytest.mark.parametrize(
    ("word", "pitch"),
    [("C4", 60), ("c4", 60), ("A4", 69), ("C-1", 0), ("G9", 127), ("C#4", 61), ("Db4", 61), ("Cb4", 59), ("B#3", 60),
     ("60", 60), ("0", 0), ("127", 127), ("128", None), ("G#9", None), ("Cb-1", None), ("H4", None), ("C", None),
     ("", None), ("C44", None), ("-5", None)],
)  # fmt: skip
def test_pitch_names(word, pitch):
    assert pitch_of(word) == pitch


@pytest.mark.parametrize(
    ("scale", "found"),
    [("C major", [0, 2, 4, 5, 7, 9, 11]), ("C", [0, 2, 4, 5, 7, 9, 11]), ("A minor", [0, 2, 4, 5, 7, 9, 11]),
     ("a:minor", [0, 2, 4, 5, 7, 9, 11]), ("Bb major", [0, 2, 3, 5, 7, 9, 10]),
     ("D harmonic minor", [1, 2, 4, 5, 7, 9, 10]),
     ("F# minor-pentatonic", [1, 4, 6, 9, 11])],
)  # fmt: skip
def test_scales_allow_their_pitches(scale, found):
    assert classes(scale) == found


def test_every_scale_is_accepted():
    for name, steps in SCALES.items():
        assert classes(f"C {name}") == list(steps)


@pytest.mark.parametrize(
    ("words", "ends"),
    [("C3-C6", (48, 84)), ("48-84", (48, 84)), ("c3 .. g#5", (48, 80)), ("C-1-C4", (0, 60)), ("48 84", (48, 84))],
)
def test_ranges_include_both_ends(words, ends):
    found = np.flatnonzero(allowed_pitches(BoundOptions(range=words)))
    assert (found[0], found[-1], len(found)) == (*ends, ends[1] - ends[0] + 1)


def test_scale_and_range_combine():
    found = np.flatnonzero(allowed_pitches(BoundOptions("C major", "C4-E4")))
    assert found.tolist() == [60, 62, 64]


def test_without_options_every_pitch_is_allowed():
    assert allowed_pitches(BoundOptions()).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (BoundOptions(scale="H major"), "--scale is 'H major'"),
        (BoundOptions(scale="C happy"), "one of major, minor"),
        (BoundOptions(range="C6-C3"), "the lower first"),
        (BoundOptions(range="48-200"), "--range is '48-200'"),
        (BoundOptions(range="48"), "--range is '48'"),
        (BoundOptions(scale="C pentatonic", range="B3-B3"), "has no pitch of --scale C pentatonic"),
    ],
)
def test_invalid_bounds_are_refused(options, said):
    with pytest.raises(OptionError, match=said):
        allowed_pitches(options)


def test_a_negative_polyphony_is_refused():
    with pytest.raises(OptionError, match="--max-polyphony is -1"):
        BoundOptions(max_polyphony=-1)
