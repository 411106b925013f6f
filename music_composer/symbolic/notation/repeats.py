"""In which order bars are played: repeats, endings, and jumps such as da capo; with a limit to how long that is."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

MOST_TIMES = 16  # that a stretch is repeated; beyond that it is a wrong number
LONGEST_ORDER = 200  # characters that say in which order parts are played


@dataclasses.dataclass
class Signs:
    """What stands at a bar.

    forward: a repeat begins. times: how often what ends here is played, 0 where no repeat ends. ending: the numbers of
    the ending that the bar belongs to. dacapo and dalsegno: from its end, once, back to the beginning, or to the bar
    that has `segno`; then fine ends the piece after its bar, and from the end of the bar that has `tocoda` it goes on
    at the one that has `coda`. part: the name of the part of the music that begins here, "" where none does.
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
    part: str = ""


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


def order_of_parts(signs: Sequence[Signs], words: str, most: int) -> list[int] | None:
    """The same, with the parts of the music in the order of the words, "A(AB)2": each with its own repeats.

    Where the words name a part that is not there, or nothing, bars are played as they stand.
    """
    begins = [i for i, each in enumerate(signs) if each.part]
    spans = {signs[i].part[:1]: range(i, end) for i, end in zip(begins, [*begins[1:], len(signs)], strict=False)}
    names = _written_out(words, most)
    if not names or not set(names) <= set(spans):
        return playing_order(signs, most)
    orders = {name: playing_order([signs[i] for i in spans[name]], most) for name in set(names)}
    if any(order is None for order in orders.values()):
        return None
    order = [spans[name][i] for name in names for i in orders[name] or ()]
    return order if len(order) <= most else None


def _written_out(words: str, most: int) -> str:
    """ "A(AB)2" as "AABAB"; "" where it makes no sense, is longer than that, or repeats more than MOST_TIMES."""
    text = re.sub(r"[\s.]", "", words[:LONGEST_ORDER])
    while found := re.search(r"\(([A-Z]*)\)(\d*)|([A-Z])(\d+)", text):
        inner = found[1] if found[3] is None else found[3]
        times = int((found[2] if found[3] is None else found[4])[:4] or 1)
        if times > MOST_TIMES or len(text) + times * len(inner) > most:
            return ""
        text = text[: found.start()] + times * inner + text[found.end() :]
    return text if re.fullmatch("[A-Z]*", text) else ""


def _same_group(signs: Sequence[Signs], at: int) -> bool:
    """Whether the next bar belongs to an ending too."""
    return at + 1 < len(signs) and bool(signs[at + 1].ending)


def _last_passes(signs: Sequence[Signs]) -> list[int]:
    """For each bar of an ending, the highest number of all endings that it stands with. Where one alone leads back and
    is followed by music that begins no repeat, that music is the last ending.
    """
    found = [0] * len(signs)
    first = 0
    while first < len(signs):
        last = first
        while last < len(signs) and signs[last].ending:
            last += 1
        highest = max((max(each.ending) for each in signs[first:last]), default=0)
        alone = last > first and all(each.ending == signs[first].ending for each in signs[first:last])
        if alone and last < len(signs) and signs[last - 1].times and not signs[last].forward:
            highest += 1
        found[first:last] = [highest] * (last - first)
        first = max(last, first + 1)
    return found
