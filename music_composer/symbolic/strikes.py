"""Which note-off ends which note-on, where some are lost, doubled, or left to "all notes off"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

STRUCK_AGAIN = 16  # quarter notes that a note without an end may wait for the next strike of its pitch
HANGING = 2  # quarter notes that it lasts otherwise
LOST = -1  # stop of a note whose end is not there

Strike = tuple[int, int, int]  # order, tick, velocity; 0 ends
Note = tuple[int, int, int, int, int]  # order, start, stop or LOST, velocity, next strike or LOST


def paired(keys: np.ndarray, ticks: np.ndarray, velocities: np.ndarray) -> np.ndarray:
    """Notes of on- and off-messages that are given as they come, shape (messages,) each.

    keys: what sounds on its own: a pitch of a channel of a track. velocities: 0 ends a note. Returns int64 (notes, 5):
    number of the message that begins the note, its start, its stop or LOST, its velocity, and when its pitch is struck
    next, or LOST.
    """
    order = np.argsort(keys, kind="stable")
    edges = np.flatnonzero(np.diff(keys[order])) + 1
    notes: list[Note] = []
    for numbers in np.split(order, edges):
        of_key = zip(numbers.tolist(), ticks[numbers].tolist(), velocities[numbers].tolist(), strict=True)
        for cluster, whole in _clusters(of_key):
            notes += _first_in_first_out(cluster) if whole and _overlaps(cluster) else _until_struck_again(cluster)
    return np.array(notes, np.int64).reshape(-1, 5)


def ended(notes: np.ndarray, silenced: np.ndarray, resolution: int, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """When notes stop, int64 (notes,), and which of them never did by themselves, bool.

    notes: of `paired`. silenced: when all notes of their channel were ended next, a large number where never. end: of
    their tracks.
    """
    start, stop, next_strike = notes[:, 1], notes[:, 2], notes[:, 4]
    lost = stop == LOST
    again = np.minimum(np.where(next_strike == LOST, silenced, next_strike), silenced)
    near = again <= start + STRUCK_AGAIN * resolution
    last = start + HANGING * resolution
    last = np.where(end > start, np.minimum(last, end), last)
    stop = np.where(lost, np.where(near, again, last), np.minimum(stop, silenced))
    return stop, lost & (silenced > stop)


def _clusters(strikes: Iterator[Strike]) -> Iterator[tuple[list[Strike], bool]]:
    """The messages of a key from silence to silence, and whether there is silence at their end."""
    cluster: list[Strike] = []
    depth = 0
    for strike in strikes:
        if not strike[2] and not depth:
            continue  # ends nothing
        cluster.append(strike)
        depth += 1 if strike[2] else -1
        if not depth:
            yield cluster, True
            cluster = []
    if cluster:
        yield cluster, False


def _overlaps(cluster: Sequence[Strike]) -> bool:
    """Whether a pitch is meant to sound several times at once, as in two hands or in a legato: then as many notes end
    as begin, and either all begin before any ends, or they overlap for less than half of the time.

    Otherwise an end was lost at some time, and a needless one came later.
    """
    if len(cluster) < 6:
        return True
    twice = depth = 0
    turns = sum(1 for one, other in zip(cluster, cluster[1:], strict=False) if not one[2] and other[2])
    for strike, following in zip(cluster, cluster[1:], strict=False):
        depth += 1 if strike[2] else -1
        twice += (following[1] - strike[1]) * (depth > 1)
    return not turns or 2 * twice < cluster[-1][1] - cluster[0][1]


def _first_in_first_out(cluster: Sequence[Strike]) -> list[Note]:
    begins = [strike for strike in cluster if strike[2]]
    ends = [strike for strike in cluster if not strike[2]]
    return [(on[0], on[1], off[1], on[2], LOST) for on, off in zip(begins, ends, strict=True)]


def _until_struck_again(cluster: Sequence[Strike]) -> list[Note]:
    notes: list[Note] = []
    sounding: list[Strike] = []
    for strike in cluster:
        if strike[2] and sounding and sounding[0][1] == strike[1]:  # struck twice at once: they end together
            sounding.append(strike)
            continue
        stop, following = (LOST, strike[1]) if strike[2] else (strike[1], LOST)
        notes += [(order, start, stop, velocity, following) for order, start, velocity in sounding]
        sounding = [strike] if strike[2] else []
    return notes + [(order, start, LOST, velocity, LOST) for order, start, velocity in sounding]
