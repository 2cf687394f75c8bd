"""Text columns made of numbers without a Python object per row: ids by hexadecimal digits, names by their place in a list."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def scrambled(numbers: Numbers, salt: int) -> NDArray[np.uint64]:
    """Each number as another one that looks random; distinct numbers stay distinct (splitmix64's last steps)."""
    mixed = numbers.astype(np.uint64) + np.uint64(salt % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def uuids(numbers: Numbers, salt: int) -> pa.Array:
    """36 characters per number, in the shape of a UUID, as trackers send for events and devices."""
    words = np.stack([scrambled(numbers, salt), scrambled(numbers, salt + 1)], axis=1).astype(">u8")
    octets = words.view(np.uint8).reshape(len(numbers), 16)
    digits = np.empty((len(numbers), 32), dtype=np.uint8)
    digits[:, 0::2], digits[:, 1::2] = HEX[octets >> 4], HEX[octets & 15]
    text = np.full((len(numbers), 36), ord("-"), dtype=np.uint8)
    for start, end, at in ((0, 8, 0), (8, 12, 9), (12, 16, 14), (16, 20, 19), (20, 32, 24)):
        text[:, at : at + end - start] = digits[:, start:end]
    return _fixed_width(text)


def user_names(numbers: Numbers) -> pa.Array:
    """`user-` and eight digits; null where the number is negative."""
    digits = np.empty((len(numbers), 13), dtype=np.uint8)
    digits[:, :5] = np.frombuffer(b"user-", dtype=np.uint8)
    rest = np.maximum(numbers, 0)
    for place in range(12, 4, -1):
        digits[:, place] = ord("0") + rest % 10
        rest = rest // 10
    return _fixed_width(digits, numbers >= 0)


def names(places: NDArray[np.integer], values: Sequence[str | None]) -> pa.Array:
    """The value at each place of a list; stored as a dictionary."""
    present = pa.array(values, pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32)), present).dictionary_decode()


def moments(microseconds: Numbers) -> pa.Array:
    """Timestamps without zone from microseconds since 1970."""
    return pa.array(microseconds, pa.timestamp("us"))


def _fixed_width(text: NDArray[np.uint8], valid: NDArray[np.bool_] | None = None) -> pa.Array:
    rows, width = text.shape
    offsets = pa.py_buffer(np.arange(0, (rows + 1) * width, width, dtype=np.int32).tobytes())
    bitmap = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())
    return pa.StringArray.from_buffers(rows, offsets, pa.py_buffer(text.tobytes()), bitmap)
