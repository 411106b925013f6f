"""Which note-off ends which note-on, where some are lost, doubled, or left to "all notes off"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

STRUCK_AGAIN = 16  # quarter notes that a note without an end may wait for the next strike of its pitch
HANGING = 2  # quarter notes that it lasts otherwise
LOST = -1  # stop of a note whose end is not there
PANIC = -1  # velocity of a note-off that is one of many at once
MANY = 48  # keys that are let go of at once by no pianist, but by a sequencer that makes sure that nothing sounds

Strike = tuple[int, int, int]  # order, tick, velocity; 0 ends a note, PANIC all
Note = tuple[int, int, int, int, int]  # order, start, stop or LOST, velocity, next strike or LOST


def paired(keys: np.ndarray, ticks: np.ndarray, velocities: np.ndarray) -> np.ndarray:
    """Notes of on- and off-messages that are given as they come, shape (messages,) each.

    keys: what sounds on its own: a pitch, the lowest seven bits, of a channel of a track. velocities: 0 ends a note.
    Returns int64 (notes, 5): number of the message that begins the note, its start, its stop or LOST, its velocity, and
    when its pitch is struck next, or LOST.

    A pitch may sound several times at once, as in two hands: as many notes end as begin, and what begins first ends
    first. Where ends are missing until there is silence again, every note ends at the next strike or end of its pitch,
    so that a lost end spoils no later note.
    """
    velocities = np.where(_of_panic(keys >> 7, ticks, velocities), PANIC, velocities.astype(np.int64))
    order = np.argsort(keys, kind="stable")
    edges = np.flatnonzero(np.diff(keys[order])) + 1
    notes: list[Note] = []
    for numbers in np.split(order, edges):
        of_key = zip(numbers.tolist(), ticks[numbers].tolist(), velocities[numbers].tolist(), strict=True)
        for cluster, whole in _clusters(of_key):
            notes += _first_in_first_out(cluster) if whole else _until_struck_again(cluster)
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


def _of_panic(voices: np.ndarray, ticks: np.ndarray, velocities: np.ndarray) -> np.ndarray:
    """Which messages end one of MANY notes at once, bool (messages,)."""
    ends = np.flatnonzero(velocities == 0)
    order = ends[np.lexsort((ticks[ends], voices[ends]))]
    fresh = (np.diff(voices[order], prepend=-1) != 0) | (np.diff(ticks[order], prepend=-1) != 0)
    at_once = np.cumsum(fresh) - 1
    found = np.zeros(len(ticks), bool)
    found[order] = np.bincount(at_once)[at_once] >= MANY if len(order) else False
    return found


def _clusters(strikes: Iterator[Strike]) -> Iterator[tuple[list[Strike], bool]]:
    """The messages of a key from silence to silence, and whether there is silence at their end."""
    cluster: list[Strike] = []
    depth = 0
    for strike in strikes:
        if strike[2] <= 0 and not depth:
            continue  # ends nothing
        cluster.append(strike)
        depth += 1 if strike[2] > 0 else -1
        if not depth or strike[2] == PANIC:
            yield cluster, not depth and (strike[2] != PANIC or len(cluster) == 2)
            cluster, depth = [], 0
    if cluster:
        yield cluster, False


def _first_in_first_out(cluster: Sequence[Strike]) -> list[Note]:
    begins = [strike for strike in cluster if strike[2] > 0]
    ends = [strike for strike in cluster if strike[2] <= 0]
    return [(on[0], on[1], off[1], on[2], LOST) for on, off in zip(begins, ends, strict=True)]


def _until_struck_again(cluster: Sequence[Strike]) -> list[Note]:
    notes: list[Note] = []
    active: list[Strike] = []
    for strike in cluster:
        if strike[2] > 0 and active and active[0][1] == strike[1]:  # struck twice at once: they end together
            active.append(strike)
            continue
        stop, following = (LOST, strike[1]) if strike[2] > 0 else (strike[1], LOST)
        notes += [(order, start, stop, velocity, following) for order, start, velocity in active]
        active = [strike] if strike[2] > 0 else []
    return notes + [(order, start, LOST, velocity, LOST) for order, start, velocity in active]
