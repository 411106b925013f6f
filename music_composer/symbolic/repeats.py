"""In which order bars are played: repeats, endings, and jumps such as da capo; with a limit to how long that is."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

MOST_TIMES = 16  # that a stretch is repeated; beyond that it is a wrong number


@dataclasses.dataclass
class Signs:
    """What stands at a bar.

    forward: a repeat begins. times: how often what ends here is played, 0 where no repeat ends. ending: the numbers of
    the ending that the bar belongs to. dacapo and dalsegno: from its end, once, back to the beginning, or to the bar
    that has `segno`; then fine ends the piece after its bar, and from the end of the bar that has `tocoda` it goes on
    at the one that has `coda`.
    """

    forward: bool = False
    times: int = 0
    ending: tuple[int, ...] = ()
    dacapo: bool = False
    dalsegno: bool = False
    segno: bool = False
    fine: bool = False
    tocoda: bool = False
    coda: bool = False


def playing_order(signs: Sequence[Signs], most: int) -> list[int] | None:
    """Numbers of bars as they are played; None where those are more than `most`."""
    order: list[int] = []
    last_pass = _last_passes(signs)
    at = start = 0
    number = 1  # of the pass through the current repeat
    returned = False  # after da capo or dal segno
    while at < len(signs):
        here = signs[at]
        if here.forward and start != at:
            start, number = at, 1
        if here.ending and not returned and number not in here.ending and number <= last_pass[at]:
            at += 1
            continue
        if here.ending and returned and last_pass[at] not in here.ending:
            at += 1
            continue
        order.append(at)
        if len(order) > most:
            return None
        times = max(here.times, last_pass[at]) if here.ending and here.times else here.times
        if times and not returned:
            if number < min(times, MOST_TIMES):
                at, number = start, number + 1
                continue
            start, number = at + 1, 1
        elif here.ending and not _same_group(signs, at):
            start, number = at + 1, 1
        if returned and here.fine:
            break
        if returned and here.tocoda:
            codas = [i for i, each in enumerate(signs) if each.coda]
            at = next((i for i in codas if i > at), codas[0] if codas else at + 1)
            if order[-1] >= at:
                break
            continue
        if (here.dacapo or here.dalsegno) and not returned:
            returned = True
            at = next((i for i, each in enumerate(signs) if each.segno), 0) if here.dalsegno else 0
            continue
        at += 1
    return order


def _same_group(signs: Sequence[Signs], at: int) -> bool:
    """Whether the next bar belongs to an ending too."""
    return at + 1 < len(signs) and bool(signs[at + 1].ending)


def _last_passes(signs: Sequence[Signs]) -> list[int]:
    """For each bar of an ending, the highest number of all endings that it stands with."""
    found = [0] * len(signs)
    first = 0
    while first < len(signs):
        last = first
        while last < len(signs) and signs[last].ending:
            last += 1
        highest = max((max(each.ending) for each in signs[first:last]), default=0)
        found[first:last] = [highest] * (last - first)
        first = max(last, first + 1)
    return found
