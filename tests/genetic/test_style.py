"""The style of a corpus: lines in it are likely, others are not, and copies are rated 0."""

import numpy as np
import pytest

from music_composer.genetic.style import copied_share, log_likelihood, style_of, style_rating
from music_composer.genetic.themes import encode, themes_of
from music_composer.values import NOTE, Part, Score


def theme_of(pitches):
    rows = [(480 * i, 480 * (i + 1), int(pitch), 80) for i, pitch in enumerate(pitches)]
    return themes_of(Score((Part(np.array(rows, NOTE)),)), "a", chords=False, all_parts=False)[0]


def walk(seed, steps, count=400):
    """A random walk with the given steps in semitones, reflected an octave above and below."""
    rng = np.random.default_rng(seed)
    line = [60]
    for step in rng.choice(steps, count - 1):
        line.append(line[-1] + (step if 48 <= line[-1] + step <= 72 else -step))
    return np.array(line)


@pytest.fixture(scope="module")
def music():
    """The style of two lines that move by seconds, and the pitches by code."""
    themes = [theme_of(walk(seed, [-2, -1, 1, 2])) for seed in (1, 2)]
    symbols, codes = encode(themes)
    return style_of(themes, symbols, codes), symbols, np.concatenate(codes)


def codes_of(symbols, pitches):
    by_pitch = np.array([symbol[0] for symbol in symbols])
    return np.abs(by_pitch[None] - np.asarray(pitches)[:, None]).argmin(axis=1)


def test_a_new_line_in_the_style_is_rated_higher_than_a_jumpy_one(music):
    style, symbols, _ = music
    alike = codes_of(symbols, np.concatenate([walk(8, [-2, -1, 1, 2]), walk(9, [-2, -1, 1, 2])]))
    jumpy = codes_of(symbols, np.concatenate([walk(8, [-9, 7, 5, -6]), walk(9, [-9, 7, 5, -6])]))
    nats = log_likelihood(style.tops[np.stack([alike, jumpy])], style)
    assert nats[0] > nats[1] + 0.5
    rated = style_rating(np.stack([alike, jumpy]), style)
    assert rated[0] > rated[1] > 0


def test_copies_are_found_in_any_key_and_rated_0(music):
    style, symbols, codes = music
    pitch = style.tops[codes][None]
    assert copied_share(pitch, style).tolist() == [1.0]
    assert copied_share(pitch + 3, style).tolist() == [1.0]
    assert style_rating(codes[None], style).tolist() == [0.0]
    half = pitch.copy()
    half[0, :400] = walk(11, [-5, 4, 7, -3])
    assert copied_share(half, style)[0] == pytest.approx(0.5, abs=0.03)


def test_a_run_across_two_themes_is_no_copy(music):
    style, _, codes = music
    across = np.full((1, len(codes)), 60)
    across[0, 100:116] = style.tops[codes][392:408]
    assert copied_share(across, style)[0] == 0.0


def test_a_single_note_throughout_is_rated_0(music):
    style, _, codes = music
    assert style_rating(np.zeros((1, len(codes)), int), style).tolist() == [0.0]


def test_tables_are_probabilities(music):
    style = music[0]
    for table in (style.after_interval, style.by_rhythm, style.after_class):
        assert np.exp(table).sum(axis=1) == pytest.approx(np.ones(len(table)))
