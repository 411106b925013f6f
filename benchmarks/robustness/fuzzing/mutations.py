"""Damage to files: bytes, spans, numbers and tokens. The same generator state gives the same damage."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

MOST_MUTATIONS = 6  # in one file
INTEGERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
NUMBERS = (
    b"0", b"-1", b"1", b"1e308", b"-1e308", b"1e999", b"NaN", b"Infinity", b"null", b"true", b"[]", b"{}", b'""',
    b"0.5", b"255", b"65536", b"2147483648", b"9223372036854775808", b"99999999999999999999999999", b'"../x"',
)  # fmt: skip
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
Mutation = Callable[[bytes, np.random.Generator], bytes]
TOKEN = re.compile(rb"[A-Za-z_]+|[^\sA-Za-z_]+|\s+")


def mutated(content: bytes, others: Sequence[bytes], rng: np.random.Generator, text: bool) -> bytes:
    """A damaged copy of `content`. others: files of the same kind, to splice from. text: damage tokens too."""
    kinds = [_flip, _overwrite, _delete, _repeat, _insert, _truncate, _swap]
    if text:
        kinds += [_number, _number, _number, _token]
    for _ in range(int(rng.integers(1, MOST_MUTATIONS + 1))):
        if not content:
            break
        content = (
            _splice(content, others, rng) if rng.random() < 0.05 else kinds[rng.integers(len(kinds))](content, rng)
        )
    return content


def _place(content: bytes, rng: np.random.Generator) -> int:
    """Anywhere, but half of the time among the first hundred bytes, where headers are."""
    reach = min(len(content), 100) if rng.random() < 0.5 else len(content)
    return int(rng.integers(reach))


def _flip(content: bytes, rng: np.random.Generator) -> bytes:
    at = _place(content, rng)
    return content[:at] + bytes([content[at] ^ 1 << rng.integers(8)]) + content[at + 1 :]


def _overwrite(content: bytes, rng: np.random.Generator) -> bytes:
    """One to eight bytes become a number at an edge of its range, in either order of bytes."""
    at, size = _place(content, rng), int(rng.choice([1, 2, 4, 8]))
    value = int(rng.choice(INTEGERS)) & (1 << 8 * size) - 1
    return content[:at] + value.to_bytes(size, "little" if rng.random() < 0.5 else "big") + content[at + size :]


def _span(content: bytes, rng: np.random.Generator) -> tuple[int, int]:
    at = _place(content, rng)
    return at, at + int(rng.integers(1, 1 + min(len(content), 2 ** int(rng.integers(1, 12)))))


def _delete(content: bytes, rng: np.random.Generator) -> bytes:
    first, last = _span(content, rng)
    return content[:first] + content[last:]


def _repeat(content: bytes, rng: np.random.Generator) -> bytes:
    first, last = _span(content, rng)
    return content[:last] + content[first:last] * int(rng.integers(1, 20)) + content[last:]


def _insert(content: bytes, rng: np.random.Generator) -> bytes:
    at = _place(content, rng)
    return content[:at] + rng.bytes(int(rng.integers(1, 64))) + content[at:]


def _truncate(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(len(content)))]


def _swap(content: bytes, rng: np.random.Generator) -> bytes:
    first, last = _span(content, rng)
    size = last - first
    return content[:first] + content[last : last + size] + content[first:last] + content[last + size :]


def _splice(content: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    other = others[int(rng.integers(len(others)))]
    return content[: int(rng.integers(len(content) + 1))] + other[int(rng.integers(len(other) + 1)) :]


def _number(content: bytes, rng: np.random.Generator) -> bytes:
    found = list(NUMBER.finditer(content))
    if not found:
        return content
    match = found[int(rng.integers(len(found)))]
    return content[: match.start()] + NUMBERS[int(rng.integers(len(NUMBERS)))] + content[match.end() :]


def _token(content: bytes, rng: np.random.Generator) -> bytes:
    """A word goes, comes twice, or takes the place of another."""
    words = TOKEN.findall(content)
    one, other, what = int(rng.integers(len(words))), int(rng.integers(len(words))), int(rng.integers(3))
    words[one] = (b"", words[one] * 2, words[other])[what]
    return b"".join(words)
