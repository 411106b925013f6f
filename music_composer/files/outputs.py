"""Whose output is whose: a file is ours if the JSON beside it has our magic and names it and its size.

    out-0.json   magic, files: {"out-0.wav": 1234, "out-0.png": 567}, and how they were made

What is ours is replaced. What is not, or was changed by somebody since, is refused by name unless it is to be
overwritten. The files of one output are written under hidden names until all are whole. Then the JSON names them, and
then each gets its name: whatever moment the power is cut at, a file of ours is never taken for somebody else's, nor the
other way round.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from music_composer.errors import OptionError, OutputError
from music_composer.files.atomic import part_name, read_json, reason, remove_torn, sync, sync_folder, write_json
from music_composer.files.destinations import make_output_folder, require_writable
from music_composer.files.temporary import noted

MAGIC = "music-composer output"
DEFAULT_NAME = "output"
GROWING = "growing"  # in place of a size: the number that the file system gave to a file that is still written
LEGACY_CARD = "scorecard.json"  # which had no magic
SHOWN, SHOWN_NAME = 3, 40  # names in a message, and characters of one that is too long
NAME_BYTES = 255  # that a file system takes


@dataclasses.dataclass(frozen=True)
class Output:
    """Files that belong together, and the JSON that names them; names may lead into subfolders of its folder."""

    manifest: Path
    names: tuple[str, ...]

    @property
    def paths(self) -> list[Path]:
        return [self.manifest.parent / name for name in self.names]


def beside(path: Path, *suffixes: str) -> Output:
    """The output whose main file is `path`, with files of other suffixes beside it, and its JSON."""
    return Output(path.with_suffix(".json"), (path.name, *(path.with_suffix(suffix).name for suffix in suffixes)))


def numbered(name: str, count: int, suffix: str) -> list[Path]:
    """NAME-0.wav, NAME-1.wav, ...; a name that ends with a separator is a folder of output-0.wav, output-1.wav, ..."""
    if not name:
        raise OptionError("-o/--output-music-name is empty: give a name, or a folder that ends with /")
    path, separators = Path(name), (os.sep, os.altsep or os.sep)
    if name.endswith(separators) or path.name in ("", ".."):
        path /= DEFAULT_NAME
    return [path.with_name(f"{path.name}-{number}{suffix}") for number in range(count)]


def is_ours(path: Path, manifest: Path | None = None) -> bool:
    """Whether this program wrote a file, and nobody changed its size since. manifest: the JSON, if not its namesake."""
    owned = _owned(manifest or path.with_suffix(".json"))
    return owned is not None and owned.has(path)


def said_by(manifest: Path) -> dict[str, Any]:
    """What a JSON of ours says of how its files were made; nothing where there is none, or it is somebody else's."""
    owned = _owned(manifest)
    return _without_label(owned.plain) if owned else {}


def is_free_or_ours(manifest: Path) -> bool:
    """Whether a JSON is not there, or was written by this program."""
    return _owned(manifest) is not None


def require_free(outputs: Iterable[Output], overwrite: bool = False, sources: Iterable[Path] = ()) -> None:
    """Raises OutputError where a file is in the way that is not ours, or its folder cannot be written to.

    overwrite: such files may be replaced. sources: files that are read for it, which are never replaced.
    """
    outputs = list(outputs)
    read = [source for source in sources if source.exists()]
    for path in [path for output in outputs for path in (*output.paths, output.manifest)]:
        if len(os.fsencode(path.name)) > NAME_BYTES:
            raise OutputError(f"{path.name[:SHOWN_NAME]}... is more than {NAME_BYTES} bytes long: give a shorter name")
        if path.is_dir():
            raise OutputError(f"{path} is a folder: give another name with -o")
        if any(_is_same(path, source) for source in read):
            raise OutputError(f"{path} would be replaced by what is made from it: give another name with -o")
    for path in [path for output in outputs for path in output.paths if path.parent != output.manifest.parent]:
        if path.parent.is_symlink():
            raise OutputError(f"{path.parent} is a link, and is left alone: give another name with -o")
    for folder in dict.fromkeys(path.parent for output in outputs for path in (output.manifest, *output.paths)):
        require_writable(folder)
    if overwrite:
        return
    foreign = [path for output in outputs for path in _foreign(output)]
    if foreign:
        more = f" and {len(foreign) - SHOWN} more" if len(foreign) > SHOWN else ""
        raise OutputError(
            f"{', '.join(map(str, foreign[:SHOWN]))}{more}: already there, and not written by this program or changed "
            "since: give another name with -o, or --overwrite to replace"
        )


class Staged:
    """Files of an output while they are written, each under a hidden name until all are whole."""

    def __init__(self, manifest: Path, overwrite: bool = False) -> None:
        self.manifest, self._overwrite = manifest, overwrite
        self._parts: dict[str, Path] = {}
        self._noted = contextlib.ExitStack()

    def file(self, name: str) -> Path:
        """Where to write the file that will have this name beside the JSON, or in a subfolder. Raises OutputError."""
        if name not in self._parts:
            path = self.manifest.parent / name
            make_output_folder(path.parent)
            self._parts[name] = self._noted.enter_context(noted(part_name(path)))
        return self._parts[name]

    def place(self, path: Path) -> Path:
        """The same for the path that the file will have."""
        return self.file(path.relative_to(self.manifest.parent).as_posix())

    def commit(self, plain: Mapping[str, Any] | None = None) -> list[Path]:
        """Gives all files that were written their names, and the JSON its content beside magic and sizes.

        plain: None leaves the content of a JSON of ours as it is. Raises OutputError.
        """
        parts = {name: part for name, part in self._parts.items() if part.exists()}
        require_free([Output(self.manifest, tuple(parts))], self._overwrite)
        before = _owned(self.manifest) or _Owned(self.manifest.parent, {})
        content = before.plain if plain is None else dict(plain)
        kept = {name: size for name, size in _kept(self.manifest, before).items() if name not in parts}
        new = {name: part.stat().st_size for name, part in parts.items()}
        olds = {name: _size(path) for name in parts if before.has(path := self.manifest.parent / name)}
        both = {name: [size, olds[name]] if name in olds else size for name, size in new.items()}
        write_json(self.manifest, {"magic": MAGIC, "files": {**kept, **both}, **_without_label(content)})
        for name, part in parts.items():
            path = self.manifest.parent / name
            try:
                sync(part)
                os.replace(part, path)
                sync_folder(path.parent)
            except OSError as error:
                raise OutputError(f"{path} cannot be written: {reason(error)}") from error
        if olds:
            write_json(self.manifest, {"magic": MAGIC, "files": {**kept, **new}, **_without_label(content)})
        return [self.manifest.parent / name for name in parts]

    def discard(self) -> None:
        """Removes what was not committed."""
        for part in self._parts.values():
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        self._noted.close()


@contextlib.contextmanager
def staged(manifest: Path, overwrite: bool = False) -> Iterator[Staged]:
    """Files to be written and committed in the block; what was not is gone after it."""
    make_output_folder(manifest.parent)
    made = Staged(manifest, overwrite)
    try:
        yield made
    finally:
        made.discard()


def clean(outputs: Iterable[Output]) -> None:
    """Removes what killed processes left unfinished of these outputs."""
    stems: dict[Path, set[str]] = {}
    for output in outputs:
        for path in (*output.paths, output.manifest):
            stems.setdefault(path.parent, set()).add(path.stem)
    for folder, wanted in stems.items():
        remove_torn(folder, wanted)


def claim_growing(path: Path, number: int, overwrite: bool = False) -> None:
    """Names a file that is about to get its name and to grow under it. number: of the open file (`st_ino`)."""
    output = beside(path)
    require_free([output], overwrite)
    before = _owned(output.manifest) or _Owned(path.parent, {})
    old = [_size(path)] if before.has(path) else []
    files = {**_kept(output.manifest, before), path.name: [{GROWING: number}, *old]}
    write_json(output.manifest, {"magic": MAGIC, "files": files, **_without_label(before.plain)})


def close_grown(path: Path, plain: Mapping[str, Any], others: Sequence[Path] = ()) -> None:
    """Names a file that has grown to its end, and others beside it, with their sizes."""
    manifest = path.with_suffix(".json")
    before = _owned(manifest) or _Owned(path.parent, {})
    files = {**_kept(manifest, before), **{each.name: _size(each) for each in (path, *others)}}
    write_json(manifest, {"magic": MAGIC, "files": files, **_without_label(plain)})


@dataclasses.dataclass(frozen=True)
class _Owned:
    """What a JSON of a folder says: names and sizes; the rest of it; and whether it is of a version that named none."""

    folder: Path
    files: dict[str, Any]
    plain: dict[str, Any] = dataclasses.field(default_factory=dict)
    legacy: bool = False

    def has(self, path: Path) -> bool:
        try:
            status = path.stat()
        except (OSError, ValueError):  # a name that no file can have
            return False
        if self.legacy:
            return True
        said = self.files.get(path.relative_to(self.folder).as_posix(), ())
        sizes = said if isinstance(said, list) else [said]
        return any(size in (status.st_size, {GROWING: status.st_ino}) and size is not True for size in sizes)


def _owned(manifest: Path) -> _Owned | None:
    """None where the JSON is somebody else's. Where there is none, nothing is ours."""
    try:
        plain = read_json(manifest, finite=False)
    except FileNotFoundError:
        return _Owned(manifest.parent, {})
    except (OSError, ValueError):
        return None
    if not isinstance(plain, dict):
        return None
    if plain.get("magic") == MAGIC and isinstance(plain.get("files"), dict):
        return _Owned(manifest.parent, plain["files"], plain)
    return _Owned(manifest.parent, {}, plain, legacy=True) if _is_legacy(manifest, plain) else None


def _is_legacy(manifest: Path, plain: dict[str, Any]) -> bool:
    """Whether it was written by a version that named no files; then all beside it with its name are taken for ours."""
    if manifest.name == LEGACY_CARD:
        return "copying" in plain and "magic" not in plain
    options, versions = plain.get("options"), plain.get("versions")
    if not isinstance(options, dict) or not isinstance(versions, dict) or "music_composer" not in versions:
        return False
    return manifest.stem == f"{Path(str(options.get('name'))).name}-{plain.get('number', 0)}"


def _kept(manifest: Path, owned: _Owned) -> dict[str, Any]:
    """What the JSON says of files that are still there as it says."""
    names = [path.name for path in manifest.parent.iterdir() if path.stem == manifest.stem] if owned.legacy else []
    names += [name for name in owned.files if not Path(name).is_absolute() and ".." not in Path(name).parts]
    paths = {name: manifest.parent / name for name in names if name != manifest.name}
    return {name: owned.files.get(name, _size(path)) for name, path in paths.items() if owned.has(path)}


def _foreign(output: Output) -> list[Path]:
    owned = _owned(output.manifest)
    if owned is None:
        return [output.manifest]
    return [path for path in output.paths if os.path.lexists(path) and not owned.has(path)]


def _without_label(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in plain.items() if name not in ("magic", "files")}


def _size(path: Path) -> int:
    return path.stat().st_size


def _is_same(path: Path, other: Path) -> bool:
    with contextlib.suppress(OSError):
        return path.exists() and path.samefile(other)
    return False
