"""The order in which bars are played: repeats, endings, and jumps such as da capo, up to a maximal number of bars."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

MAX_TIMES = 16  # of a repeat; more is a wrong number
MAX_ORDER = 200  # characters of an order of parts


@dataclasses.dataclass
class Signs:
    """The signs at a bar.

    forward: a repeat begins. times: how often the repeat that ends here is played; 0 without one. ending: the numbers
    of the ending that the bar belongs to. dacapo, dalsegno: at the bar's end, once, back to the beginning or to
    `segno`. Then fine ends the piece after its bar, and the end of the bar with `tocoda` leads to the bar with `coda`.
    part: the name of the part of the music that begins here; "" without one.
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


def playing_order(signs: Sequence[Signs], max_bars: int) -> list[int] | None:
    """Indices of bars in playing order; None if there are more than `max_bars`."""
    order: list[int] = []
    last_pass = _last_passes(signs)
    at = start = 0
    number = 1  # of the pass through the current repeat
    returned = False  # whether da capo or dal segno was taken
    while at < len(signs):
        signs_here = signs[at]
        if signs_here.forward and start != at:
            start, number = at, 1
        # An ending of another pass is skipped, unless no later pass follows.
        if signs_here.ending and not returned and number not in signs_here.ending and number <= last_pass[at]:
            at += 1
            continue
        # After a jump only the last ending is played.
        if signs_here.ending and returned and last_pass[at] not in signs_here.ending:
            at += 1
            continue
        order.append(at)
        if len(order) > max_bars:
            return None
        times = max(signs_here.times, last_pass[at]) if signs_here.ending and signs_here.times else signs_here.times
        if times and not returned:
            if number < min(times, MAX_TIMES):
                at, number = start, number + 1
                continue
            # After a repeat the next one may begin without a sign of its own.
            start, number = at + 1, 1
        elif signs_here.ending and not _same_group(signs, at):
            start, number = at + 1, 1
        if returned and signs_here.fine:
            break
        if returned and signs_here.tocoda:
            # The next coda; a score may have only one, before the sign.
            codas = [i for i, bar_signs in enumerate(signs) if bar_signs.coda]
            at = next((i for i in codas if i > at), codas[0] if codas else at + 1)
            if order[-1] >= at:
                break
            continue
        if (signs_here.dacapo or signs_here.dalsegno) and not returned:
            returned = True
            at = next((i for i, bar_signs in enumerate(signs) if bar_signs.segno), 0) if signs_here.dalsegno else 0
            continue
        at += 1
    return order


def order_of_parts(signs: Sequence[Signs], text: str, max_bars: int) -> list[int] | None:
    """The same, with the parts of the music in a given order, "A(AB)2", each with its own repeats.

    Where the text names a missing part, or nothing, bars are played in written order.
    """
    begins = [i for i, bar_signs in enumerate(signs) if bar_signs.part]
    spans = {signs[i].part[:1]: range(i, end) for i, end in zip(begins, [*begins[1:], len(signs)], strict=False)}
    names = _written_out(text, max_bars)
    if not names or not set(names) <= set(spans):
        return playing_order(signs, max_bars)
    orders = {name: playing_order([signs[i] for i in spans[name]], max_bars) for name in set(names)}
    if any(order is None for order in orders.values()):
        return None
    order = [spans[name][i] for name in names for i in orders[name] or ()]
    return order if len(order) <= max_bars else None


def _written_out(text: str, max_bars: int) -> str:
    """ "A(AB)2" as "AABAB"; "" for invalid text, or one that gets too long."""
    text = re.sub(r"[\s.]", "", text[:MAX_ORDER])
    # The innermost group or number is expanded first.
    while found := re.search(r"\(([A-Z]*)\)(\d*)|([A-Z])(\d+)", text):
        inner = found[1] if found[3] is None else found[3]
        times = int((found[2] if found[3] is None else found[4])[:4] or 1)
        if times > MAX_TIMES or len(text) + times * len(inner) > max_bars:
            return ""
        text = text[: found.start()] + times * inner + text[found.end() :]
    return text if re.fullmatch("[A-Z]*", text) else ""


def _same_group(signs: Sequence[Signs], at: int) -> bool:
    """Whether the next bar belongs to an ending, too."""
    return at + 1 < len(signs) and bool(signs[at + 1].ending)


def _last_passes(signs: Sequence[Signs]) -> list[int]:
    """For each bar of an ending, the highest number of all endings in its group; 0 for other bars.

    If a group is one ending with a repeat, and the music after it begins no repeat, that music counts as the last
    ending.
    """
    found = [0] * len(signs)
    first = 0
    while first < len(signs):
        last = first
        while last < len(signs) and signs[last].ending:
            last += 1
        # All endings of a group know its last pass.
        highest = max((max(bar_signs.ending) for bar_signs in signs[first:last]), default=0)
        alone = last > first and all(bar_signs.ending == signs[first].ending for bar_signs in signs[first:last])
        if alone and last < len(signs) and signs[last - 1].times and not signs[last].forward:
            highest += 1
        found[first:last] = [highest] * (last - first)
        first = max(last, first + 1)
    return found
