"""Whole files: written under a name of their own, synced, then renamed, so that nobody ever reads half of one.

    part file synced -> renamed -> its folder synced

After a power cut a name leads to the old content or to the new, and a name that was said to be written is there.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import platform
import re
import secrets
import shutil
import stat
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from music_composer.errors import MusicComposerError
from music_composer.files import temporary

PART = re.compile(
    r"\.(?P<stem>.*)\.(?P<host>[0-9a-f]{6})-(?P<pid>\d+)-(?P<start>\d+)-[0-9a-f]{8}\.part(?P<suffix>\..*)?", re.DOTALL
)
STEM_LENGTH = 40  # characters of a file's name that its part name keeps: a name is 255 bytes at most
FOREIGN_PART_SECONDS = 86400.0  # after which a part file of another machine's process counts as left behind
END_OF_LISTING = "\n]}\n"
LARGEST_JSON = 64 * 2**20  # bytes
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what a write says without naming a file


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Gives a name to write to. On leaving, the file is synced and gets its real name; on any error it is removed.

    The name is hidden, belongs to this call alone, and keeps its suffix last, since libraries read the format from
    there. Raises MusicComposerError when this file cannot be written; errors of the block about anything else pass.
    """
    part = part_name(path)
    try:
        with temporary.noted(part):
            try:
                make_folder(path.parent)
            except OSError as error:
                raise _refused(path, error) from error
            try:
                yield part
            except OSError as error:
                if _is_about(error, part):
                    raise _refused(path, error) from error
                raise
            try:
                sync(part)
                os.replace(part, path)
                sync_folder(path.parent)
            except OSError as error:
                raise _refused(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def part_name(path: Path) -> Path:
    """A hidden name beside `path` that no other call gets; it says which process it belongs to, and what it becomes.

    That of a part file is one of the same file, so that both are found when they are left behind.
    """
    pid, final = os.getpid(), final_name(path)
    owner = f"{_host()}-{pid}-{started(pid)}-{secrets.token_hex(4)}"
    return path.with_name(f".{final.stem[:STEM_LENGTH]}.{owner}.part{final.suffix}")


def final_name(part: Path) -> Path:
    """The path that an unfinished file is to get, in a folder that may be unfinished too; any other as it is."""
    matches = [(name, PART.fullmatch(name)) for name in part.parts]
    return Path(*(match["stem"] + (match["suffix"] or "") if match else name for name, match in matches))


def remove_torn(folder: Path, stems: Collection[str] | None = None) -> None:
    """Removes part files and folders of processes that are gone. stems: of what they were to become; None: any."""
    wanted = None if stems is None else {stem[:STEM_LENGTH] for stem in stems}
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = PART.fullmatch(entry.name)
            if not match or (wanted is not None and match["stem"] not in wanted):
                continue
            with contextlib.suppress(OSError):
                if not _is_left_behind(match, entry.stat(follow_symlinks=False).st_mtime):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    os.unlink(entry.path)


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it, each synced into the one above. Raises OSError."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        if folder == folder.parent:
            break
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        sync_folder(each.parent)


def sync(path: Path) -> None:
    """Returns when the file's content is on the disk."""
    file = os.open(path, os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def sync_folder(folder: Path) -> None:
    """Returns when the folder's names are on the disk, where the system knows how to do that."""
    if os.name != "posix":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems refuse
            raise
    finally:
        os.close(opened)


def write_json(path: Path, content: Any) -> None:
    with whole_file(path) as part:
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        part.write_text(text, encoding="utf-8", errors="backslashreplace")  # file names need not be Unicode


def write_listing(path: Path, head: Mapping[str, Any], name: str, items: Iterable[Any]) -> None:
    """Writes a JSON object with a very long list in its last field, each item in a line, one after the other."""
    with whole_file(path) as part, part.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        file.write(begin_of_listing(head, name))
        for number, item in enumerate(items):
            file.write(",\n" * (number > 0) + json.dumps(item, ensure_ascii=False))
        file.write(END_OF_LISTING)


def begin_of_listing(head: Mapping[str, Any], name: str) -> str:
    """The first line of such a file."""
    return f'{json.dumps(head)[:-1]}, "{name}": [\n'


def read_json(path: Path, largest: int = LARGEST_JSON, finite: bool = True) -> Any:
    """Raises OSError when it cannot be read; ValueError when it is not JSON, or longer than `largest` bytes.

    finite: NaN and infinity, which JSON does not have, are refused.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("is not a regular file")
    if status.st_size > largest:
        raise ValueError(f"is {status.st_size / 2**20:.0f} MB long")
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant if finite else None)
    except RecursionError:
        raise ValueError("is nested too deep") from None


def reason(error: OSError) -> str:
    """What the operating system says, without Python's decorations."""
    return (error.strerror or str(error)).lower()


def _refused(path: Path, error: OSError) -> MusicComposerError:
    return MusicComposerError(f"{final_name(path)} cannot be written: {reason(error)}")


def _is_about(error: OSError, part: Path) -> bool:
    """Whether an error names the file, or is one of those that a write to it gives without a name."""
    if error.filename is None:
        return error.errno in NO_ROOM
    return os.fsdecode(error.filename) == str(part) if isinstance(error.filename, str | bytes | os.PathLike) else False


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _host() -> str:
    """This machine in six characters; containers that share a folder have names of their own."""
    return hashlib.blake2b(platform.node().encode(errors="replace"), digest_size=3).hexdigest()


def _is_left_behind(part: re.Match[str], changed: float) -> bool:
    """Whether nobody writes to a part file any more, as far as can be known."""
    if part["host"] != _host() or os.name != "posix":
        return time.time() - changed > FOREIGN_PART_SECONDS
    return not is_running(int(part["pid"]), int(part["start"]))


def is_running(pid: int, start: int) -> bool:
    """Whether that process of this machine is alive, and not another one that was given its number (POSIX)."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it is there, and somebody else's
        pass
    return not start or started(pid) in (0, start)


def started(pid: int) -> int:
    """When a process began, in ticks of the system; 0 where it does not say."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0


def reserve(path: Path, size: int) -> None:
    """Makes sure that `size` bytes can be written to a file that is not there yet. Raises OSError where not."""
    if not hasattr(os, "posix_fallocate"):
        return
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
    try:
        os.posix_fallocate(file, 0, max(1, size))
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # file systems that cannot
            raise
    finally:
        os.close(file)
        os.unlink(path)
