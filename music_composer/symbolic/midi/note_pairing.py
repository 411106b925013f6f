"""Pairs note-on with note-off messages, where some are missing, doubled, or replaced by "all notes off"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

MAX_WAIT = 16  # quarter notes: a note without an end lasts to the next onset of its pitch if that comes so soon
DEFAULT_LENGTH = 2  # quarter notes of other notes without an end
LOST = -1  # the stop of a note without an end
PANIC = -1  # the velocity of a note-off that is one of many at once
PANIC_NOTES = 48  # notes that end at once: sequencers send note-off for all keys to silence a channel

NoteMessage = tuple[int, int, int]  # index, tick, velocity; 0 ends a note, PANIC all notes
Note = tuple[int, int, int, int, int]  # index, start, stop or LOST, velocity, next onset or LOST


def paired(keys: np.ndarray, ticks: np.ndarray, velocities: np.ndarray) -> np.ndarray:
    """Pairs the note messages of a file, (messages,) each, in their order.

    keys: a number for each pitch of a channel of a track; its lowest seven bits are the pitch. velocities: 0 ends a
    note.
    Returns int64 (notes, 5): index of the message that begins the note, start, stop or LOST, velocity, and the next
    onset of its pitch or LOST.

    A pitch may sound several times at once, as in two hands: the first to begin is the first to end. Where ends are
    missing until the next silence of a pitch, each of its notes ends at the next message of the pitch, so that a lost
    end does not spoil later notes.
    """
    velocities = np.where(_ends_panic(keys >> 7, ticks, velocities), PANIC, velocities.astype(np.int64))
    # Grouped by key, in order of time within each.
    order = np.argsort(keys, kind="stable")
    edges = np.flatnonzero(np.diff(keys[order])) + 1
    notes: list[Note] = []
    for numbers in np.split(order, edges):
        of_key = zip(numbers.tolist(), ticks[numbers].tolist(), velocities[numbers].tolist(), strict=True)
        for cluster, whole in _clusters(of_key):
            notes += _first_in_first_out(cluster) if whole else _until_next_onset(cluster)
    return np.array(notes, np.int64).reshape(-1, 5)


def ended(notes: np.ndarray, silenced: np.ndarray, resolution: int, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ticks at which notes stop, int64 (notes,), and which of them have no end of their own, bool.

    notes: from `paired`. silenced: the next "all notes off" of each note's channel, a large number for never. end: of
    each note's track.
    """
    start, stop, next_onset = notes[:, 1], notes[:, 2], notes[:, 4]
    lost = stop == LOST
    again = np.minimum(np.where(next_onset == LOST, silenced, next_onset), silenced)
    near = again <= start + MAX_WAIT * resolution
    last = start + DEFAULT_LENGTH * resolution
    last = np.where(end > start, np.minimum(last, end), last)
    stop = np.where(lost, np.where(near, again, last), np.minimum(stop, silenced))
    return stop, lost & (silenced > stop)


def _ends_panic(channels: np.ndarray, ticks: np.ndarray, velocities: np.ndarray) -> np.ndarray:
    """Which messages end one of PANIC_NOTES notes at once, bool (messages,)."""
    ends = np.flatnonzero(velocities == 0)
    order = ends[np.lexsort((ticks[ends], channels[ends]))]
    fresh = (np.diff(channels[order], prepend=-1) != 0) | (np.diff(ticks[order], prepend=-1) != 0)
    at_once = np.cumsum(fresh) - 1
    found = np.zeros(len(ticks), bool)
    found[order] = np.bincount(at_once)[at_once] >= PANIC_NOTES if len(order) else False
    return found


def _clusters(messages: Iterator[NoteMessage]) -> Iterator[tuple[list[NoteMessage], bool]]:
    """The messages of a key from silence to silence, and whether silence is reached."""
    cluster: list[NoteMessage] = []
    depth = 0
    for message in messages:
        if message[2] <= 0 and not depth:
            continue  # a note-off without a note
        cluster.append(message)
        # The number of active notes of the key.
        depth += 1 if message[2] > 0 else -1
        if not depth or message[2] == PANIC:
            # A panic is one of many ends: with a single note before it, it is that note's end.
            yield cluster, not depth and (message[2] != PANIC or len(cluster) == 2)
            cluster, depth = [], 0
    if cluster:
        yield cluster, False


def _first_in_first_out(cluster: Sequence[NoteMessage]) -> list[Note]:
    begins = [message for message in cluster if message[2] > 0]
    ends = [message for message in cluster if message[2] <= 0]
    return [(on[0], on[1], off[1], on[2], LOST) for on, off in zip(begins, ends, strict=True)]


def _until_next_onset(cluster: Sequence[NoteMessage]) -> list[Note]:
    notes: list[Note] = []
    active: list[NoteMessage] = []
    for message in cluster:
        if message[2] > 0 and active and active[0][1] == message[1]:  # two onsets at one tick: the notes end together
            active.append(message)
            continue
        stop, following = (LOST, message[1]) if message[2] > 0 else (message[1], LOST)
        notes += [(order, start, stop, velocity, following) for order, start, velocity in active]
        active = [message] if message[2] > 0 else []
    return notes + [(order, start, LOST, velocity, LOST) for order, start, velocity in active]
