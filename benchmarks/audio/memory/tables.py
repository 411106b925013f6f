"""Rows of figures as Markdown, a trial to a line."""

from collections.abc import Sequence

import numpy as np

from memory.figures import Row

COLUMNS = {
    "distance": "x real",
    "change": "x real",
    "level": "dB off",
    "nearest": "%",
    "rank": "",
    "own/others": "",
    "way rank": "%",
    "way ratio": "%",
    "pulse": "x real",
    "steady": "x real",
    "bounds": "x real",
    "own copied": "%",
    "own again": "%",
    "train again": "%",
    "longest": "s",
    "copied": "%",
    "copy": "s",
    "shared": "x",
    "back": "%",
    "clicks": "/min",
}


def shown(name: str, rows: Sequence[Row], real: Row) -> str:
    """The mean of the rows of several seeds, and half of what lies between the least and the most."""
    cells = []
    for column, unit in COLUMNS.items():
        values, form = np.array([row[column] for row in rows]), "{:.2f}"
        if unit == "x real" and rows[0] is not real:
            values, form = values / (real[column] or float("nan")), "{:.2f}x"
        elif unit == "dB off" and rows[0] is not real:
            values, form = values - real[column], "{:+.1f} dB"
        elif unit == "%":
            values, form = 100 * values, "{:.0f} %"
        elif abs(values.mean()) >= 10:
            form = "{:.1f}"
        spread = form.replace("+", "").format(np.ptp(values) / 2) if len(rows) > 1 else ""
        cells.append(form.format(values.mean()) + (f" ±{spread}" if spread else ""))
    return "| " + " | ".join([name, *cells]) + " |"


def header() -> str:
    return "| | " + " | ".join(COLUMNS) + " |\n|" + "---|" * (1 + len(COLUMNS))
