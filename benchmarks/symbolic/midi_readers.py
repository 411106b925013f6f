"""Reads a folder of MIDI files with our reader, mido and symusic, and prints how their results compare.

    python benchmarks/symbolic/midi_readers.py FOLDER

Two readers agree on a file if they give the same set of (start, stop, pitch) in ticks. mido and symusic are not
dependencies of music-composer: pip install mido symusic. MIDI files inside of Doom's WAD files are read, too.
"""

from __future__ import annotations

import io
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from music_composer.errors import ScoreError
from music_composer.symbolic.midi.midi_file import parse_midi

SUFFIXES = (".mid", ".midi", ".kar", ".rmi", ".wad")
Notes = Counter[tuple[int, int, int]]


def with_ours(content: bytes) -> Notes:
    score = parse_midi(content).score
    return Counter(tuple(note)[:3] for part in score.parts for note in part.notes.tolist())


def with_mido(content: bytes) -> Notes:
    """Notes by mido's messages: the first note to begin ends first; one without an end lasts to the end of its
    track.
    """
    import mido

    notes: Notes = Counter()
    for track in mido.MidiFile(file=io.BytesIO(content), clip=True).tracks:
        active: dict[tuple[int, int], list[int]] = defaultdict(list)
        now = 0
        for message in track:
            now += message.time
            if message.type == "note_on" and message.velocity:
                active[message.channel, message.note].append(now)
            elif message.type in ("note_on", "note_off") and active[message.channel, message.note]:
                start = active[message.channel, message.note].pop(0)
                notes[start, max(start + 1, now), message.note] += 1
        for (_, pitch), starts in active.items():
            notes.update((start, max(start + 1, now), pitch) for start in starts)
    return notes


def with_symusic(content: bytes) -> Notes:
    import symusic

    score: Any = symusic.Score.from_midi(content)
    notes = ((note.start, max(note.start + 1, note.end), note.pitch) for track in score.tracks for note in track.notes)
    return Counter(notes)


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        content = path.read_bytes()
        if path.suffix.lower() != ".wad":
            yield str(path), content
            continue
        for number, found in enumerate(re.finditer(rb"MThd\x00\x00\x00\x06", content)):
            yield f"{path} {number}", _one_of(content[found.start() :])


def _one_of(content: bytes) -> bytes:
    """The first of several MIDI files that follow one another."""
    end = 14
    while content[end : end + 4] == b"MTrk":
        end += 8 + int.from_bytes(content[end + 4 : end + 8])
    return content[:end]


def main(folder: Path) -> None:
    files = list(contents(folder))
    readers: dict[str, Callable[[bytes], Notes]] = {"ours": with_ours, "mido": with_mido, "symusic": with_symusic}
    found: dict[str, dict[str, Notes]] = {}
    print(f"{len(files)} files, {sum(len(content) for _, content in files) / 1e6:.1f} MB")
    for name, read in readers.items():
        refused: Counter[str] = Counter()
        found[name], started = {}, time.perf_counter()
        for path, content in files:
            try:
                found[name][path] = read(content)
            except ScoreError:
                refused["ScoreError"] += 1
            except Exception as error:
                refused[type(error).__name__] += 1
        spent = time.perf_counter() - started
        notes = sum(note.total() for note in found[name].values())
        print(f"{name:8} {len(found[name]):5} read, {notes:8} notes, {spent:6.1f} s, refused: {dict(refused)}")
    for name in ("mido", "symusic"):
        both = [path for path, _ in files if path in found["ours"] and path in found[name]]
        other = [path for path in both if found["ours"][path] != found[name][path]]
        notes = sum(
            max((found["ours"][path] - found[name][path]).total(), (found[name][path] - found["ours"][path]).total())
            for path in other
        )
        print(f"ours and {name}: {len(both) - len(other)} of {len(both)} files the same, {notes} notes differ")
        for path in other:
            ours, theirs = found["ours"][path], found[name][path]
            print(f"  {path}: {(ours - theirs).total()} only here, {(theirs - ours).total()} only there")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
