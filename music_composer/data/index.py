"""The index of a cache folder: a JSON file of entries, and a journal of those that were added since it was written.

    index.json     magic, version, options, one entry for each file of the dataset, each in a line of its own
    index.jsonl    the same label in its first line, then an entry a line; only while a cache is made

The journal makes an entry cost the same however many there are, and a process killed at any moment loses none that is
done. Nothing in an index is trusted: entries that cannot be are left out, and what they stood for is made again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Generic, Protocol, TypeVar

from music_composer.errors import CacheError, MusicComposerError, OptionError, RecordError
from music_composer.files.atomic import END_OF_LISTING, begin_of_listing, reason, whole_file, write_listing
from music_composer.records import from_plain

LABEL_BYTES = 200  # at the beginning of a file of ours, in which its magic stands
MOST_BYTES = 2**30  # of an index
CONTENT = re.compile("[0-9a-f]{32}")


class Named(Protocol):
    """An entry. source: path of its file, as seen from the dataset folder."""

    @property
    def source(self) -> str: ...


EntryType = TypeVar("EntryType", bound=Named)


@dataclasses.dataclass(frozen=True)
class Index(Generic[EntryType]):
    """Where an index lies and what is in it.

    label: magic, version and options; an index with other options counts as none. entry: the type of the entries, a
    dataclass that checks its own fields.
    """

    path: Path
    label: dict[str, Any]
    entry: type[EntryType]

    @property
    def journal(self) -> Path:
        return self.path.with_suffix(".jsonl")

    def read(self, say: Callable[[str], None] = lambda line: None) -> dict[str, EntryType]:
        """Entries by source, those of the journal included. What is damaged is left out, and said.

        Raises CacheError where a file of that name is not ours: it is left alone.
        """
        lines_of_index = self._lines()
        entries = self._entries(self._read_index(say) if lines_of_index is None else lines_of_index, say)
        lines = self._text(self.journal).splitlines()
        if lines and self._fits(_parsed(lines[0])):
            entries |= self._entries([plain for line in lines[1:] if (plain := _parsed(line)) is not None], say)
        return entries

    def write(self, entries: Iterable[EntryType]) -> None:
        """Writes the index whole; the journal goes."""
        songs = (dataclasses.asdict(entry) for entry in sorted(entries, key=lambda entry: entry.source))  # type: ignore[call-overload]
        try:
            write_listing(self.path, self.label, "songs", songs)
            self.journal.unlink(missing_ok=True)
        except OSError as error:
            raise CacheError(f"{self.journal} cannot be removed: {reason(error)}") from error
        except MusicComposerError as error:
            raise CacheError(str(error)) from error

    @contextlib.contextmanager
    def adding(self, known: Iterable[EntryType]) -> Iterator[Callable[[EntryType], None]]:
        """Gives a function that adds an entry to the journal, which begins with those that are known."""
        lines = [_line(self.label), *(_line(dataclasses.asdict(entry)) for entry in known)]  # type: ignore[call-overload]
        try:
            with whole_file(self.journal) as part:  # until then the one that a killed process left is there
                part.write_text("".join(lines), encoding="utf-8", errors="backslashreplace")
            file = self.journal.open("a", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise CacheError(f"{self.journal} cannot be written: {reason(error)}") from error
        except MusicComposerError as error:
            raise CacheError(str(error)) from error
        with file:

            def add(entry: EntryType) -> None:
                try:
                    file.write(_line(dataclasses.asdict(entry)))  # type: ignore[call-overload]
                    file.flush()
                except OSError as error:
                    raise CacheError(f"{self.journal} cannot be written: {reason(error)}") from error

            yield add

    def _lines(self) -> Iterator[Any] | None:
        """The entries of an index as `write` writes it, one by one, since all of them as text may take much memory.

        None where it is another.
        """
        begin, end = begin_of_listing(self.label, "songs").encode(), END_OF_LISTING.encode()
        with contextlib.suppress(OSError):
            if not self.path.is_file() or self.path.stat().st_size > MOST_BYTES:
                return None
            with self.path.open("rb") as file:
                begins = file.read(len(begin)) == begin
                file.seek(-len(end), os.SEEK_END)
                if not begins or file.read() != end:
                    return None
            return self._plains()
        return None  # whoever reads it otherwise says why

    def _plains(self) -> Iterator[Any]:
        with self.path.open(encoding="utf-8", errors="replace", newline="\n") as file:
            next(file)
            for line in file:
                if line.strip() and line != END_OF_LISTING.lstrip():  # a list of nothing has an empty line
                    yield _parsed(line.rstrip(",\n"))

    def _read_index(self, say: Callable[[str], None]) -> Any:
        text = self._text(self.path)
        if not text:
            return []
        plain = _parsed(text)
        if isinstance(plain, dict) and plain.get("magic") == self.label["magic"]:
            if self._fits(plain):
                return plain.get("songs")
            say(f"{self.path} was made by another version or with other options: all songs are read again")
            return []
        say(f"{self.path} is damaged: all songs are read again")
        return []

    def _fits(self, plain: Any) -> bool:
        return isinstance(plain, dict) and all(plain.get(name) == value for name, value in self.label.items())

    def _entries(self, plains: Any, say: Callable[[str], None]) -> dict[str, EntryType]:
        entries, damaged = {}, 0
        for plain in plains if isinstance(plains, list | Iterator) else [None]:
            try:
                entry = from_plain(self.entry, plain)
                entries[entry.source] = entry
            except RecordError:
                damaged += 1
        if damaged:
            say(f"{self.path} is damaged: songs whose entries make no sense are read again")
        return entries

    def _text(self, path: Path) -> str:
        """What is in a file of ours, "" where there is none, or nothing in it."""
        try:
            if not path.exists():
                return ""
            if not path.is_file() or path.stat().st_size > MOST_BYTES:
                raise CacheError(f"{path} is not ours, and is left alone: choose another cache folder with -t")
            content = path.read_bytes()
        except OSError as error:
            raise CacheError(f"{path} cannot be read: {reason(error)}") from error
        if not content.strip(b"\0"):  # as a power cut may leave it on some file systems
            return ""
        if self.label["magic"].encode() not in content[:LABEL_BYTES]:
            raise CacheError(f"{path} is not ours, and is left alone: choose another cache folder with -t")
        return content.decode("utf-8", errors="replace")


def require_inside(source: str) -> None:
    """Raises OptionError for a path that does not lead to somewhere in the folder that it starts from."""
    paths = [PurePosixPath(source)] + ([PureWindowsPath(source)] if os.name == "nt" else [])
    if "\0" in source or any(path.is_absolute() or path.drive or ".." in path.parts for path in paths) or not source:
        raise OptionError(f"{source!r} leads out of the dataset")


def require_hash(content: str) -> None:
    """Raises OptionError for what is no hash of a file."""
    if not CONTENT.fullmatch(content):
        raise OptionError(f"{content!r} is no hash")


def _line(plain: dict[str, Any]) -> str:
    return json.dumps(plain, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029") + "\n"


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
