"""What is right for each file in `tests/cases/`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from music_composer.errors import ScoreError
from music_composer.symbolic.midi.midi_file import read_midi
from music_composer.symbolic.notation.score_file import read_score
from tests.command import assert_accepted, installed

pytestmark = pytest.mark.journey

CASES = Path(__file__).parents[1] / "cases"
PITCHES = [60, 62, 64, 65, 67, 69, 71, 72]


def scale(first: int = 0, length: int = 480, shift: int = 0, count: int = 8) -> list[tuple[int, int, int]]:
    """(start, stop, pitch) of the scale that the cases are made of."""
    return [(first + i * length, first + (i + 1) * length, PITCHES[i % 8] + shift) for i in range(count)]


def notes_of(path: Path) -> list[tuple[int, int, int]]:
    parts = read_midi(path).score.parts
    return sorted((int(n["start"]), int(n["stop"]), int(n["pitch"])) for part in parts for n in part.notes)


ODD = (
    "01_keysig_bad_sharps", "02_keysig_bad_mode", "03_keysig_empty", "04_alien_chunk", "05_alien_chunk_end",
    "06_more_tracks_said", "18_no_eot", "23_tempo_zero", "24_tempo_short", "25_timesig_denom_255",
    "26_timesig_denom_64bits", "27_timesig_zero", "28_timesig_two_bytes", "29_smpte_offset_bad",
    "30_channel_prefix_empty", "67_undefined_f4",
)  # fmt: skip
PLAIN = ("00_plain", "44_header_len_8")
TWO_TRACKS = sorted(scale() + scale(shift=-12))


@pytest.mark.parametrize("name", [*PLAIN, *ODD])
def test_one_odd_thing_costs_no_note(name):
    reading = read_midi(CASES / "midi" / f"{name}.mid")
    assert notes_of(CASES / "midi" / f"{name}.mid") == scale()
    assert (reading.score.tempos, reading.score.metres) == (((0, 120.0),), ((0, 4, 4),))
    assert bool(reading.remarks) == (name in ODD)


@pytest.mark.parametrize(
    ("name", "notes"),
    [
        ("07_fewer_tracks_said", sorted(scale(count=4) + scale(shift=-12))),
        ("08_truncated", sorted(scale() + scale(shift=-12, count=7))),
        ("09_track_length_too_long", TWO_TRACKS),
        ("20_sysex_mid_running", [(0, 480, 60), (480, 960, 64), (960, 1440, 67)]),
        ("31_double_on_one_off", [(0, 480, 60), (480, 960, 60), (960, 1440, 64), (8640, 9120, 67)]),
    ],
)
def test_all_notes_that_are_there_are_read(name, notes):
    path = CASES / "midi" / f"{name}.mid"
    assert notes_of(path)[: len(notes)] == notes
    assert len(notes_of(path)) - len(notes) in ((0, 1) if "truncated" in name else (0,))
    assert read_midi(path).remarks


def test_a_lost_note_off_costs_no_later_note():
    first, *later = notes_of(CASES / "midi" / "one_lost_note_off_then_8_clean.mid")
    assert len(later) >= 8
    assert {stop - start for start, stop, _ in later[-8:]} == {240}
    assert first[1] <= later[0][0]


@pytest.mark.parametrize("name", ["denominator_2_to_33_like_lakh", "metre"])
def test_a_nonsense_metre_is_left_out(name):
    reading = read_midi(CASES / "midi" / f"{name}.mid")
    assert reading.score.metres == ((0, 4, 4),)
    assert reading.score.count
    assert reading.remarks


@pytest.mark.parametrize("name", ["ticks", "long4", "long120", "long2h"])
def test_a_note_hours_away_is_refused_or_cut(name):
    path = CASES / "midi" / f"{name}.mid"
    try:
        reading = read_midi(path)
    except ScoreError as error:
        assert str(path) in str(error)
    else:
        assert reading.remarks or reading.score.ticks < 3 * 3600 * 2 * reading.score.resolution


def test_a_hanging_note_lasts_a_few_beats():
    score = read_midi(CASES / "midi" / "37_hang_eot_huge.mid").score
    assert 4 <= score.ticks / score.resolution / 2 <= 6


def test_all_notes_off_ends_notes():
    assert notes_of(CASES / "midi" / "72_cc123_all_notes_off.mid")[0] == (0, 480, 60)


def test_programs_of_another_track_hold():
    score = read_midi(CASES / "midi" / "33_programs_in_track0.mid").score
    assert [part.program for part in score.parts if len(part.notes)] == [73, 32]


@pytest.mark.parametrize("name", ["11_riff.rmi", "12_riff_named.mid", "13_macbinary.mid", "50_lyrics_sjis.kar"])
def test_containers_of_midi_are_opened(name):
    assert notes_of(CASES / "midi" / name) == scale()


@pytest.mark.parametrize("path", sorted((CASES / "trust").glob("*.[amx]*")), ids=lambda path: path.name)
def test_notation_that_explodes_is_read_or_refused(path):
    pytest.importorskip("music21")
    if path.suffix in (".musicxml", ".abc", ".mxl"):
        try:
            score = read_score(path).score
        except ScoreError as error:
            assert str(path) in str(error)
        else:
            assert score.count < 100_000


def test_a_folder_of_all_of_them_is_prepared(tmp_path):
    (tmp_path / "all").symlink_to(CASES / "midi", target_is_directory=True)
    done = installed("midi", "prepare", "-d", "all", cwd=tmp_path)
    assert_accepted(done, "15_html.mid", "52_drums_only.mid", "45_triplets.mid")
    assert "78 read" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("name", "words"), [("34_tempo_in_track2", "5.0 s"), ("71_tempo_everywhere", "43.3 s")])
def test_lengths_follow_every_tempo(name, words, tmp_path):
    done = installed("midi", "info", CASES / "midi" / f"{name}.mid", cwd=tmp_path)
    assert_accepted(done)
    assert words in done.stdout


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """The cases that are listened to, as mono samples by name."""
    folder = tmp_path_factory.mktemp("rendered")
    names = ("37_hang_eot_huge", "61_pedal", "62_bend", "63_volume0")
    done = installed(
        "midi", "render", *(CASES / "midi" / f"{n}.mid" for n in names), "-o", "out", "--voice", "flute", cwd=folder
    )
    assert_accepted(done)
    return {name: soundfile.read(folder / "out" / f"{name}.wav")[0].mean(axis=1) for name in names}


def level(sound, start, stop):
    """Root mean square of some seconds."""
    return float(np.sqrt(np.mean(sound[round(start * 44100) : round(stop * 44100)] ** 2)))


def strongest(sound, start, stop, lowest=100.0):
    """The frequency with the most power, Hz."""
    piece = sound[round(start * 44100) : round(stop * 44100)]
    power = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 2**18)) ** 2
    hertz = np.fft.rfftfreq(2**18, 1 / 44100)
    power[hertz < lowest] = 0
    return float(hertz[power.argmax()])


def test_a_hanging_note_is_no_drone(rendered):
    assert len(rendered["37_hang_eot_huge"]) / 44100 < 8


def test_bent_notes_sound_bent(rendered):
    assert strongest(rendered["62_bend"], 0.5, 1.5) == pytest.approx(293.66, abs=1)
    assert strongest(rendered["62_bend"], 2.5, 3.5) == pytest.approx(261.63, abs=1)


def test_the_pedal_holds_notes_until_it_lifts(rendered):
    sound = rendered["61_pedal"]
    assert level(sound, 1.4, 1.9) > 10 * level(sound, 2.8, 3.2)


def test_a_part_of_no_volume_is_not_heard(rendered):
    """The scale is played from 60 and, on a channel of no volume, nothing is: from 36 alone it sounds."""
    assert strongest(rendered["63_volume0"], 0.05, 0.45, lowest=50) == pytest.approx(65.41, abs=1)
