"""Tables with aims: of the players of one album, and of one player on several albums; and who beats the toys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from memory.aims import FIGURES, INF, LONG_FIGURES, Figure, is_narrow
from memory.figures import SPECTRUM, Judge, Row
from music_composer.evaluation.audio.similarity.adherence import adherence_of, distances, share_of_the_way, whitening_of

LEAST_CANDIDATES = 8  # fewer tracks give no verdict on adherence
ADHERENCE = ("nearest", "rank", "own/others", "way rank", "way ratio")
DRAWS = 1000  # of tracks, for an interval of 95 %
TOGETHER = "together"
Rows = Mapping[str, Row]  # by player; the first is real music


def album_table(judge: Judge, rows: Rows, figures: Sequence[Figure] = FIGURES) -> list[str]:
    """A row to each figure that is known, a column to each player."""
    close, real = is_narrow(judge.album.name), rows["real"]
    few = len(judge.cuts) < LEAST_CANDIDATES
    lines = [f"| {judge.album.name} | aim | " + " | ".join(rows) + " |", "|---" * (2 + len(rows)) + "|"]
    for figure in figures:
        judged = not (few and figure.key in ADHERENCE)
        cells = [figure.cell(row, real, close, judged) for row in rows.values()]
        if any(cells):
            lines.append(f"| {figure.name} | {figure.aim_shown(close)} | " + " | ".join(cells) + " |")
    return lines


@dataclass(frozen=True)
class Pooled:
    """Adherence of one player among the held-out tracks of several albums."""

    row: Row
    shown: str  # with intervals


def pooled(judges: Sequence[Judge]) -> dict[str, Pooled]:
    """By player, of those that played all the albums; intervals draw tracks anew."""
    truths = [each for judge in judges for each in judge.characters]
    whitening, rng = whitening_of(truths, SPECTRUM), np.random.default_rng(0)
    names = [name for name in judges[0].made if all(name in judge.made for judge in judges)]
    found = {
        name: adherence_of(distances([each for judge in judges for each in judge.made[name]], truths, whitening))
        for name in names
    }
    picks, real, result = rng.integers(len(truths), size=(DRAWS, len(truths))), found["real"], {}
    for name, adherence in found.items():
        way = share_of_the_way(adherence, real)
        drawn = [(adherence.ranks[p].mean(), adherence.ratios[p].mean(), real.ratios[p].mean()) for p in picks]
        ratios = [(1 - ours) / (1 - theirs) for _, ours, theirs in drawn]
        rank = "{:.2f} to {:.2f}".format(*np.percentile([rank for rank, _, _ in drawn], [2.5, 97.5]))
        ratio = "{:.0%} to {:.0%}".format(*np.percentile(ratios, [2.5, 97.5]))
        cells = [name, f"{adherence.nearest:.0%}", f"{adherence.rank:.2f} ({rank})", f"{adherence.ratio:.2f}"]
        values = (adherence.nearest, adherence.rank, adherence.ratio, way.rank, way.ratio)
        row = dict(zip(ADHERENCE, values, strict=True))
        result[name] = Pooled(row, " | ".join([*cells, f"{way.rank:.0%}", f"{way.ratio:.0%} ({ratio})"]))
    return result


def pooled_table(judges: Sequence[Judge]) -> list[str]:
    tracks = sum(len(judge.cuts) for judge in judges)
    lines = [f"| {tracks} tracks | nearest | rank | own/others | way rank | way ratio |", "|---" * 6 + "|"]
    return lines + [f"| {each.shown} |" for each in pooled(judges).values()]


def summary(name: str, judges: Sequence[Judge], tables: Mapping[str, Rows]) -> list[str]:
    """One player on all albums. Those of fewer than eight candidates are judged together as well.

    There a figure is the mean over the tracks of what is aimed for, and a longest run the longest.
    """
    few = [judge for judge in judges if len(judge.cuts) < LEAST_CANDIDATES and name in tables[judge.album.name]]
    together = few if len(few) > 1 else []
    heads = [judge.album.name for judge in judges] + ([TOGETHER] if together else [])
    lines = [f"| {name} | aim, or of an album | " + " | ".join(heads) + " |", "|---" * (2 + len(heads)) + "|"]
    adherence = pooled(together)[name].row if together and all(name in judge.made for judge in together) else {}
    for figure in FIGURES + LONG_FIGURES:
        cells = []
        for judge in judges:
            rows, judged = tables[judge.album.name], not (judge in few and figure.key in ADHERENCE)
            close = is_narrow(judge.album.name)
            cells.append(figure.cell(rows[name], rows["real"], close, judged) if name in rows else "")
        if together:
            cells.append(_together(figure, together, [tables[judge.album.name] for judge in together], name, adherence))
        if any(cells):
            aims = dict.fromkeys(figure.aim_shown(is_narrow(judge.album.name)) for judge in judges)
            lines.append(f"| {figure.name} | {' / '.join(aims)} | " + " | ".join(cells) + " |")
    return lines


def _together(figure: Figure, judges: Sequence[Judge], tables: Sequence[Rows], name: str, adherence: Row) -> str:
    if figure.key in ADHERENCE:
        return figure.cell(adherence, {}, close=False) if adherence else ""
    values = [figure.value(rows[name], rows["real"]) for rows in tables]
    known = [
        (value, rows["real"].get(figure.key), len(judge.cuts))
        for value, rows, judge in zip(values, tables, judges, strict=True)
        if value is not None and value == value
    ]
    if not known:
        return ""
    mean, weights = [value for value, _, _ in known], [count for _, _, count in known]
    value = max(mean) if figure.key in ("shared", "copy", "longest") else float(np.average(mean, weights=weights))
    rulers = [ruler for _, ruler, _ in known if ruler is not None]
    ruler = float(np.mean(rulers)) if rulers else INF
    plain = Figure(figure.key, figure.name, figure.unit, "", figure.narrow, figure.wide, figure.spare)
    return plain.cell({figure.key: value}, {figure.key: ruler}, close=False)


def beside_toys(name: str, toys: Sequence[str], judges: Sequence[Judge]) -> list[str]:
    """By how much a player is steadier, and turns less often, than each toy, track by track, with intervals."""
    lines, rng = [], np.random.default_rng(0)
    for toy in toys:
        both = [judge for judge in judges if name in judge.tracks and toy in judge.tracks]
        if not both:
            continue
        ours, theirs = (np.array([pair for judge in both for pair in judge.tracks[who]]) for who in (name, toy))
        more = (ours - theirs) * [1.0, -1.0]
        picks = rng.integers(len(more), size=(DRAWS, len(more)))
        low, high = np.percentile(more[picks].mean(axis=1), [2.5, 97.5], axis=0)
        cells = [
            f"{mean:+.{digits}f} ({a:+.{digits}f} to {b:+.{digits}f})"
            for mean, a, b, digits in zip(more.mean(axis=0), low, high, (2, 1), strict=True)
        ]
        lines.append(f"| {toy} | {len(more)} | " + " | ".join(cells) + " |")
    head = [f"| {name} beside | tracks | steadier by | fewer boundaries a minute |", "|---|---|---|---|"]
    return head + lines if lines else []
