"""The weights of a network in Keras' own HDF5 file, with a checksum after its end.

HDF5 has none of its own, and its library may crash on a damaged file: what the checksum does not fit is not opened.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from music_composer.errors import RunFolderError
from music_composer.files.atomic import reserve, whole_file

LABEL = b"\nmusic-composer blake2b "
DIGEST = 16  # bytes of the checksum
BLOCK = 2**22
SUPERBLOCK = 56  # bytes that an HDF5 file begins with: from the 24th on its base, free space, end, and driver
UNDEFINED = b"\xff" * 8  # an address of HDF5
OVERHEAD = 16384  # bytes of HDF5 for each array, at most
ROOM = 6  # times the network's size that the arrays of a file may take: an optimizer has up to 3 for each weight


def save_weights(model: Any, path: Path) -> None:
    """Raises MusicComposerError when the disk refuses."""
    with whole_file(path) as part:
        named = part.with_name(part.stem + ".weights.h5")  # Keras insists on the suffix
        try:
            # HDF5 cannot close a file that it could not write, and crashes at exit: the room is there beforehand.
            reserve(part, _bytes_of_file(model))
            model.save_weights(named)
            with named.open("ab") as file:
                file.write(LABEL + _digest(named, named.stat().st_size))
            named.replace(part)
        except RuntimeError as error:  # h5py
            raise RunFolderError(f"{path} cannot be written: {str(error)[:120]}") from error
        except OSError as error:
            if error.filename == str(named):
                error.filename = str(part)
            raise
        finally:
            named.unlink(missing_ok=True)


def load_weights(model: Any, path: Path, command: str = "music-composer") -> None:
    """The inverse. Raises RunFolderError when the file is missing, damaged, or of another shape.

    command: whose `train` makes such a file, for messages.
    """
    if not path.exists():
        raise RunFolderError(f"{path} is missing: run `{command} train` to the end of an epoch first")
    try:
        _check_sum(path)
        _check_size(path, sum(map(_bytes, model.weights)))
        model.load_weights(path)
    except Exception as error:  # HDF5 and Keras have a dozen kinds for a file that is not what they expect
        first = (str(error).strip() or type(error).__name__).split("\n")[0][:120]
        raise RunFolderError(
            f"{path} is damaged or of another model ({first}): "
            f"`{command} train` writes it again from checkpoint.npz, or train anew with --fresh"
        ) from error


def _bytes_of_file(model: Any) -> int:
    """At most. Keras keeps the variables of a compiled model's optimizer too."""
    optimizer = getattr(model, "optimizer", None)
    return sum(_bytes(each) + OVERHEAD for each in [*model.weights, *(optimizer.variables if optimizer else [])])


def _bytes(array: Any) -> int:
    size = 1
    for each in array.shape:
        size *= int(each)
    return size * 8 if "64" in str(array.dtype) else size * 4


def _check_sum(path: Path) -> None:
    """Raises ValueError where the file has a checksum that it does not fit. Older files have none, but a beginning."""
    length = len(LABEL) + DIGEST
    size = path.stat().st_size - length
    with path.open("rb") as file:
        begin = file.read(SUPERBLOCK)
        file.seek(max(0, size))
        end = file.read(length)
    if not end.startswith(LABEL):
        # HDF5 takes gigabytes for a beginning that makes no sense.
        if begin[24:] != bytes(8) + UNDEFINED + path.stat().st_size.to_bytes(8, "little") + UNDEFINED:
            raise ValueError("it does not begin as its length wants")
    elif end[len(LABEL) :] != _digest(path, size):
        raise ValueError("its checksum is wrong")


def _digest(path: Path, size: int) -> bytes:
    """BLAKE2 of the first `size` bytes."""
    digest = hashlib.blake2b(digest_size=DIGEST)
    with path.open("rb") as file:
        while size > 0 and (block := file.read(min(BLOCK, size))):
            digest.update(block)
            size -= len(block)
    return digest.digest()


def _check_size(path: Path, expected: int) -> None:
    """Raises ValueError where the arrays would take far more memory than the network does."""
    import h5py

    total = 0

    def add(name: str, found: Any) -> None:
        nonlocal total
        if isinstance(found, h5py.Dataset):
            total += found.size * found.dtype.itemsize if found.size else 0

    with h5py.File(path, "r") as file:
        file.visititems(add)
    if total > ROOM * expected + 2**20:
        raise ValueError(f"its arrays take {total / 2**20:.0f} MB, the network {expected / 2**20:.0f} MB")
