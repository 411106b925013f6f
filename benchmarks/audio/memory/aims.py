"""The figures that a continuation is judged by, each with its aim: what is printed, and whether it is reached."""

from dataclasses import dataclass

from memory.figures import Row

NARROW = ("piano", "strings", "demo")  # names of albums with closer aims: little is played in them at a time
INF = float("inf")
REACHED, MISSED = "✓", "✗"


@dataclass(frozen=True)
class Figure:
    """One row of a table of players. over: "real" divides by real music, "less" subtracts it, "" is as it stands.

    narrow, wide: the least and the most that are aimed at; () without an aim. real_times: the most is 1.25 x that of
    real music, and so much more.
    """

    key: str
    name: str
    unit: str = ""  # x, %, dB, s, /min
    over: str = ""
    narrow: tuple[float, ...] = ()
    wide: tuple[float, ...] = ()
    spare: float | None = None  # of what real music allows

    def aim(self, close: bool) -> tuple[float, ...]:
        return self.narrow if close or not self.wide else self.wide

    def aim_shown(self, close: bool) -> str:
        if self.spare is not None:
            return f"<= 1.25x real + {self._form(self.spare)}"
        low, high = self.aim(close) or (-INF, INF)
        if low == -high:
            return f"within {high:g} dB" if high < INF else ""
        if high == INF:
            return f">= {self._form(low)}"
        return f"<= {self._form(high)}" if low == -INF else f"{self._form(low)} to {self._form(high)}"

    def value(self, row: Row, real: Row) -> float | None:
        """What the aim is for; None where it is not known."""
        value, ruler = row.get(self.key), real.get(self.key)
        if value is None or not self.over:
            return value
        if ruler is None:
            return None
        if self.over == "real":
            return value / ruler if ruler else float("nan")
        return value - ruler

    def reached(self, value: float | None, real: Row, close: bool) -> bool | None:
        """None without an aim or without a value."""
        if value is None or value != value:
            return None
        if self.spare is not None:
            ruler = real.get(self.key)
            return None if ruler is None else value <= 1.25 * ruler + self.spare
        if not (aim := self.aim(close)):
            return None
        return aim[0] <= value <= aim[1]

    def cell(self, row: Row, real: Row, close: bool, judged: bool = True) -> str:
        """The figure with its mark; real music as it stands, without one."""
        value = row.get(self.key) if row is real else self.value(row, real)
        if value is None or value != value:
            return ""
        if row is real:
            return self._form(value, self.unit if self.unit != "x" or not self.over else "")
        mark = self.reached(value, real, close) if judged else None
        return self._form(value) + ("" if mark is None else f" {REACHED if mark else MISSED}")

    def _form(self, value: float, unit: str | None = None) -> str:
        unit = self.unit if unit is None else unit
        if unit == "%":
            return f"{100 * value:.0f} %"
        if unit == "dB":
            return f"{value:+.1f} dB" if self.over == "less" else f"{value:.1f} dB"
        digits = 1 if abs(value) >= 10 else 2
        return f"{value:.{digits}f}" + {"x": "x", "s": " s", "/min": "/min"}.get(unit, "")


FIGURES = (
    Figure("distance", "distance over real (below 0.7: see what is copied)", "x", "real", (-INF, 1.2), (-INF, 1.5)),
    Figure("change", "change from frame to frame", "x", "real", (0.95, 1.05), (0.9, 1.1)),
    Figure("level", "level", "dB", "less", (-1.0, 1.0), (-2.0, 2.0)),
    Figure("nearest", "own track nearest", "%"),
    Figure("rank", "mean rank of the own track"),
    Figure("own/others", "own over others"),
    Figure("way rank", "way from chance to real, by rank", "%", "", (0.85, INF)),
    Figure("way ratio", "the same, by own over others", "%", "", (0.75, INF)),
    Figure("pulse", "clarity of the pulse", "x", "real"),
    Figure("steady", "steadiness of the pulse", "x", "real", (0.8, 1.25)),
    Figure("bounds", "boundaries a minute", "x", "real", (-INF, 1.25)),
    Figure("jumps better", "better at jumps than splices", "%", "", (0.9, INF)),
    Figure("jumps", "jumps", "/min"),
    Figure("cut better", "better at the cut than splices", "%"),
    Figure("shared", "longest run of training music over held-out tracks'", "x", "", (-INF, 1.0)),
    Figure("copy", "the same", "s"),
    Figure("copied", "in runs of training music of a second or more", "%"),
    Figure("train again", "heard again from training music, as it is", "%"),
    Figure("longest", "longest such run", "s"),
    Figure("own copied", "in runs of the prompt of a second or more", "%", "", (-INF, 0.5)),
    Figure("own again", "heard again from the prompt, as it is", "%", "", (-INF, 0.5)),
    Figure("back", "4 s that come back", "%", "", spare=0.01),
    Figure("clicks", "clicks", "/min", "", spare=1.0),
    Figure("speed", "one sample, times real time by CPU seconds", "x", "", (5.0, INF)),
    Figure("first", "first sound, CPU seconds", "s", "", (-INF, 1.0)),
    Figure("speed, clock", "one sample, times real time by the clock", "x"),
    Figure("first, clock", "first sound by the clock", "s"),
)
LONG_FIGURES = (
    Figure("stuck", "ten minutes: stuck", "%", "", (-INF, 0.05)),
    Figure("stable", "ten minutes: stable", "%", "", (0.95, INF)),
    Figure("worst minute", "ten minutes: worst minute over the first", "x", "", (-INF, 1.25)),
)


def is_narrow(album: str) -> bool:
    return album in NARROW
