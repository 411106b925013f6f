"""The JSON of a scorecard: its keys are read by others and stay."""

import json
from dataclasses import replace
from typing import Any

from music_composer.evaluation.audio.report import summary_of, tables_of
from music_composer.evaluation.audio.scorecard_records import FolderFacts, Scorecard, plain_of
from music_composer.records import from_plain

DISTANCES: dict[str, Any] = {
    "music": "real, held out", "windows": 200, "discrepancy": 0.25, "low": -0.05, "high": 1.5, "frechet": 3.0,
    "timbre": 137.0, "at_windows": 200, "change_db": 4.0, "onset_db": 24.0,
}  # fmt: skip
MUSIC = {**DISTANCES, "recordings": 4, "turns_per_second": 1.5, "loudness_db": -24.0, "side_db": -15.0}
MADE = {**MUSIC, "music": "continuations", "discrepancy": 0.5, "change_db": 3.0, "loudness_db": -26.0}
COPY = {
    "recording": "a.wav", "file": "made/a.wav", "seconds": 2.0, "at": 10.0, "source": "b.wav", "source_at": 0.25,
    "semitones": -1,
}  # fmt: skip
ORDER = {
    "music": "real, held out", "pieces": 4, "pulse": 0.5, "steadiness": None, "boundaries_per_minute": 10.0,
    "prompt_again": None, "training_again": 0.25, "training_longest_s": 1.5, "clicks_per_minute": 2.0,
}  # fmt: skip
CONTINUITY = {
    "cuts": 6, "better": 0.5, "level": 0.5, "spectrum": 0.75, "key": 0.25, "pulse": None, "harmonic_change": 0.25,
}  # fmt: skip
PLAIN: dict[str, Any] = {
    "windows_compared": 200,
    "distance": [MUSIC, MADE],
    "ladder": [{**DISTANCES, "music": "no damage"}],
    "ladder_not_in_order": ["discrepancy (white noise)"],
    "minutes": [
        {
            "minute": 1, "discrepancy": 2.0, "frechet": 20.0, "timbre": 300.0, "change_db": 2.0, "loudness_db": -30.0,
            "quietest_db": -31.0, "loudest_db": -29.0, "flatness_db": -19.0, "high_ratio_db": -22.0,
        }
    ],
    "survival": {
        "recordings": 1, "survive": 0.0, "stretches_outside": 1.0, "loop": 1.0, "caught": 1.0, "most_in_a_row": 23,
        "most_repeated": 23, "most_repeated_in_music": 1, "silent": 0.0, "longest_silence_s": 0.5,
        "slope_db_per_minute": -0.25, "steepest_db_per_minute": -0.5,
    },
    "copying": {"real": [COPY], "made": [{**COPY, "seconds": 0.0, "source": ""}, COPY]},
    "adherence": {
        "tracks": 4, "prompt_seconds": 10.0, "part_seconds": 7.0, "verdict": False,
        "rows": [
            {
                "music": "continuations", "nearest": 0.25, "rank": 2.75, "own_over_others": 1.25, "way_rank": None,
                "way_ratio": 0.5,
            }
        ],
    },
    "order": [ORDER, {**ORDER, "music": "continuations", "pulse": 0.25}],
    "prompt": {"continuations": {**CONTINUITY, "harmonic_change": 0.125}, "real, held out": CONTINUITY},
    "yardstick": {"recordings": 3, "windows": 95},
    "facts": {
        "model": "model",
        "model_options": {
            "neurons": 8, "layers": 1, "head": "regression", "stack": 3, "components": 192, "head_width": 32,
            "head_blocks": 3, "dropout": 0.1, "tilt": 0.5, "training_noise": 2.0, "reach": 2,
        },
        "versions": {"python": "3.11.7"},
        "epochs": 1, "training_seconds": 6.5, "seconds_an_epoch": 6.5,
        "generating": [{"seconds": 7.0, "count": 4, "spent": 14.0, "x_real_time": 2.0}],
        "peak_memory_mb": 953, "first_sound_seconds": 0.125, "codec_error_db": 4.0, "judging_seconds": 212.0,
    },
}  # fmt: skip


def read(plain: dict[str, Any]) -> Scorecard:
    return from_plain(Scorecard, json.loads(json.dumps(plain)))


def test_the_keys_and_values_of_the_file_stay() -> None:
    assert plain_of(read(PLAIN)) == PLAIN


def test_what_memory_plays_has_no_codec_and_folders_have_no_model() -> None:
    facts = {name: value for name, value in PLAIN["facts"].items() if name != "codec_error_db"}
    without = {**PLAIN, "facts": {**facts, "epochs": 0, "seconds_an_epoch": None}}
    assert plain_of(read(without)) == without
    folders = {**PLAIN, "facts": {"generated": "made", "judging_seconds": 1.0}, "adherence": None, "prompt": None}
    assert plain_of(read(folders)) == folders


def test_the_tables_say_what_the_figures_are() -> None:
    card = read(PLAIN)
    tables = {table.title: table for table in tables_of(card)}
    names = ["Distance", "Known damage", "Minute by minute", "Stability", "Adherence", "In the right order", "Copying"]
    assert list(tables) == [*names, "Continuity with the prompt", "Speed"]
    assert tables["Distance"].rows[1][3:5] == ["0.50", "-0.05 to 1.50"]
    assert tables["Distance"].rows[1][7:9] == ["0.75 x", "-2.0 dB"]
    assert "4.0 dB from the true ones" in tables["Distance"].words
    assert tables["In the right order"].rows[0][2:4] == ["0.50", "-"]
    assert tables["In the right order"].rows[1][2] == "0.25 (0.50 x)"
    assert tables["Copying"].rows[0][3] == "a.wav at 10.0 s is b.wav at 0.2 s"
    assert tables["Continuity with the prompt"].rows[0][-1] == "0.50 x"
    assert str(card).startswith("Distance: ")
    assert "2.00 x as far" in summary_of(card)


def test_what_was_not_measured_has_no_table() -> None:
    card = replace(
        read(PLAIN), minutes=None, stability=None, adherence=None, continuity=None, facts=FolderFacts("made")
    )  # fmt: skip
    titles = [table.title for table in tables_of(card)]
    assert titles == ["Distance", "Known damage", "In the right order", "Copying"]
