from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from music_composer.demo.composer import Piece, compose
from music_composer.demo.harmony import DOMINANT, TONIC, Key

seeds = st.integers(0, 2**32 - 1)
FAMILY = dict(enumerate("TSTSDT"))  # tonic, subdominant or dominant function of each degree
MOVES = {("T", "T"), ("T", "S"), ("S", "S"), ("S", "D"), ("D", "T"), ("S", "T")}
few = settings(max_examples=25, deadline=None)


def piece_of(seed: int, bars: int = 16) -> Piece:
    return compose(np.random.default_rng(seed), bars)


def voice(piece: Piece, name: str) -> list:
    return [note for note in piece.notes if note.voice == name]


def chord_at(piece: Piece, beat: float):
    return next(chord for chord in piece.chords if chord.start <= beat < chord.end)


def scale_of(key: Key) -> set[int]:
    steps = (0, 2, 3, 5, 7, 8, 10, 11) if key.minor else (0, 2, 4, 5, 7, 9, 11)
    return {(key.tonic + step) % 12 for step in steps}


def test_a_key_spells_its_scale_and_leading_tone():
    a_minor = Key(9, minor=True)
    assert [a_minor.pitch(rung) for rung in range(8)] == [57, 59, 60, 62, 64, 65, 67, 69]
    assert (a_minor.pitch(6, sharpened=True), Key(0, minor=False).pitch(6, sharpened=True)) == (68, 71)
    assert a_minor.name == "A minor"


@few
@given(seeds)
def test_melody_and_bass_fill_every_bar_without_gap_or_overlap(seed):
    piece = piece_of(seed)
    bar_lines = {bar * piece.metre for bar in range(piece.bars)}
    for name in ("melody", "bass"):
        notes = voice(piece, name)
        ends = [note.start + note.duration for note in notes]
        assert notes[0].start == 0 and ends[-1] == piece.bars * piece.metre
        assert [note.start for note in notes[1:]] == ends[:-1]
        assert bar_lines <= {note.start for note in notes}


@few
@given(seeds)
def test_chords_fill_the_piece_and_follow_their_functions(seed):
    piece = piece_of(seed)
    assert [chord.start for chord in piece.chords] == [0, *(chord.end for chord in piece.chords[:-1])]
    assert piece.chords[-1].end == piece.bars * piece.metre
    for before, after in pairwise(piece.chords):
        if after.start % (4 * piece.metre):  # a new phrase may set out from anywhere
            assert (FAMILY[before.degree], FAMILY[after.degree]) in MOVES
            assert before.degree != after.degree
            assert after.degree == TONIC or FAMILY[after.degree] != "T" or before.degree in (TONIC, DOMINANT, 2)


@few
@given(seeds)
def test_strong_beats_carry_chord_tones(seed):
    piece = piece_of(seed)
    for note in voice(piece, "melody"):
        chord = chord_at(piece, note.start)
        if note.start in (chord.start, piece.metre * (note.start // piece.metre)):
            assert note.pitch % 12 in chord.pitch_classes(piece.key)


@few
@given(seeds)
def test_other_melody_notes_are_chord_tones_or_come_by_step(seed):
    piece = piece_of(seed)
    for before, note in pairwise(voice(piece, "melody")):
        in_chord = note.pitch % 12 in chord_at(piece, note.start).pitch_classes(piece.key)
        assert in_chord or 0 < abs(note.pitch - before.pitch) <= 3  # up to the harmonic minor's augmented second


@few
@given(seeds)
def test_a_piece_ends_with_a_dominant_and_then_a_tonic_in_every_voice(seed):
    piece = piece_of(seed)
    assert [chord.degree for chord in piece.chords[-2:]] == [DOMINANT, TONIC]
    last = piece.chords[-1]
    final = [note for note in piece.notes if note.start + note.duration == last.end]
    assert {note.voice for note in final} == {"melody", "harmony", "bass"}
    assert all(note.pitch % 12 == piece.key.tonic for note in final if note.voice in ("melody", "bass"))
    assert {note.pitch % 12 for note in final} == set(last.pitch_classes(piece.key))


@few
@given(seeds)
def test_notes_stay_in_key_range_and_loudness(seed):
    piece = piece_of(seed)
    assert {note.pitch % 12 for note in piece.notes} <= scale_of(piece.key)
    assert all(60 <= note.pitch <= 90 for note in voice(piece, "melody"))
    assert all(36 <= note.pitch < 48 for note in voice(piece, "bass"))
    assert all(0 < note.velocity <= 1 and note.duration > 0 for note in piece.notes)
    assert {note.voice for note in piece.notes} == {player.name for player in piece.voices}


@few
@given(seeds)
def test_the_first_phrase_returns_and_the_bridge_differs(seed):
    piece = piece_of(seed)

    def opening(phrase: int) -> list[tuple[float, int]]:
        begin = 4 * phrase * piece.metre
        notes = (note for note in voice(piece, "melody") if 0 <= note.start - begin < piece.metre)
        return [(note.start - begin, note.pitch) for note in notes]

    assert opening(1) == opening(0)
    assert opening(2) != opening(0)
    assert len(opening(3)) == len(opening(0)) + 1  # embellished


@pytest.mark.parametrize("bars", [4, 8, 12, 20])
def test_other_lengths_close_on_the_tonic_too(bars):
    piece = piece_of(3, bars)
    assert piece.chords[-1].end == bars * piece.metre
    assert piece.chords[-1].degree == TONIC


@pytest.mark.parametrize("bars", [0, -4, 6])
def test_incomplete_phrases_are_refused(bars):
    with pytest.raises(ValueError, match="multiple of 4"):
        piece_of(0, bars)


def test_a_seed_gives_one_piece_and_many_seeds_give_many_kinds():
    pieces = [piece_of(seed) for seed in range(40)]
    assert piece_of(5) == pieces[5]
    assert len({piece.notes for piece in pieces}) == len(pieces)
    assert {piece.metre for piece in pieces} == {3, 4}
    assert {piece.key.minor for piece in pieces} == {True, False}
    assert all(25 <= piece.seconds <= 35 for piece in pieces)
