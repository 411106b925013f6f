"""The JSON of a scorecard of notes: its keys are read by others and stay."""

import json
from typing import Any

from music_composer.evaluation.symbolic.report import summary_of, tables_of
from music_composer.evaluation.symbolic.scorecard_records import Scorecard, plain_of
from music_composer.records import from_plain

COUNTS = {"made": 3, "training": 7, "held_out": 1}
METRIC = {
    "metric": "polyphony", "made": 3.5, "training": None, "held_out": 3.25, "overlap_made": 0.5,
    "overlap_training": 1.0,
}  # fmt: skip
FOLDERS: dict[str, Any] = {
    "pieces": COUNTS,
    "stretches": {"made": 6, "training": 28, "held_out": 4},
    "metrics": [METRIC, {**METRIC, "metric": "range", "overlap_made": 0.9}],
    "copying": {
        "made": {"share": 0.0, "low": 0.0, "high": 0.0, "longest_steps": 0},
        "held_out": {
            "share": 0.5, "low": 0.25, "high": 0.75, "longest_steps": 16, "piece": "a.mid", "at": 80, "source": "b.mid",
            "source_at": 0,
        },
    },
}  # fmt: skip
FACTS = {
    "model": "pianoroll", "temperature": 1.0, "top_k": 0, "top_p": 0.8, "conservativity": 0.8, "seconds": 42,
    "spent": 7.0, "x_real_time": 6.0,
}  # fmt: skip
LIKELIHOOD = {"training": {"a_step": 4.0, "a_note": 5.0}, "held out": {"a_step": 11.0, "a_note": 12.5}}
RUN = {**FOLDERS, "facts": FACTS, "likelihood": LIKELIHOOD}


def read(plain: dict[str, Any]) -> Scorecard:
    return from_plain(Scorecard, json.loads(json.dumps(plain)))


def test_the_keys_and_values_of_the_file_stay() -> None:
    for plain in (FOLDERS, RUN):
        assert plain_of(read(plain)) == plain


def test_the_tables_say_what_the_figures_are() -> None:
    measures, copying, model = tables_of(read(RUN))
    assert measures.rows[0] == ["polyphony", "3.50", "-", "3.25", "0.50", "1.00", "0.50 x"]
    assert copying.rows[1] == [
        "held out",
        "50.0 %",
        "25.0 to 75.0 %",
        "16 steps",
        "a.mid at step 80 is b.mid at step 0",
    ]
    assert copying.rows[0][-1] == ""
    assert ["top-p", "0.8"] in model.rows
    assert ["likelihood, held out", "-11.000 nats a step, -12.500 a note"] in model.rows
    assert "By 1 of 2 measures the 3 pieces" in summary_of(read(RUN))
    assert [table.title for table in tables_of(read(FOLDERS))] == ["Measures", "Copying"]
