"""Build what pickles of numpy and of Python itself may ask for: arrays, numbers, text, sets.

Nothing of numpy's own unpickling is called. Each function here is total: it checks all
that it is given by the file, and raises SourceError, without a path, for what does not fit.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    Values = NDArray[np.generic]

T = TypeVar("T")

MAX_DIMENSIONS = 32  # the limit of numpy 1
MAX_LENGTH = 1 << 40  # keeps products of lengths and strides out of overflow
MEMBER_BYTES = 32  # what a member of a set costs, at the least

ADVICE = "re-save the file as a dict of plain tensors or numpy arrays"
DAMAGED = "the pickle contradicts itself: download the file again"

# Numbers of every kind; no objects, records, text or dates.
NUMPY_CODES = {
    *("f2", "f4", "f8", "c8", "c16", "b1"),
    *("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"),
}


class Budget:
    """Bytes that calls may copy: honest files copy each of theirs once or twice, bombs often."""

    def __init__(self, content: bytes) -> None:
        self.left = (16 << 20) + 4 * len(content)

    def spend(self, count: int) -> None:
        """Count a copy."""
        self.left -= count
        if self.left < 0:
            msg = f"the pickle copies its data over and over; {ADVICE}"
            raise SourceError(msg)


@dataclass(frozen=True, slots=True)
class Name:
    """What the pickle would have imported."""

    text: str


@dataclass(slots=True)
class Dtype:
    """A numpy dtype on its way: the byte order comes after the code."""

    code: str
    order: str = "="


@dataclass(slots=True)
class Array:
    """A numpy array on its way: the values come after the object."""

    values: Values | None = None


def native(content: NDArray[np.uint8], dtype: np.dtype[Any]) -> Values:
    """View bytes as numbers, in the byte order of this machine."""
    if dtype.kind == "b" and content.size and content.max() > 1:
        msg = f"an array of truth values holds other bytes than 0 and 1; {DAMAGED}"
        raise SourceError(msg)
    return frozen(content.view(dtype).astype(dtype.newbyteorder("="), copy=False))


def frozen(values: Values) -> Values:
    """Make an array read-only."""
    values.setflags(write=False)
    return values


def expect(value: object, kind: type[T]) -> T:
    """Check the type of what the pickle gives."""
    if not isinstance(value, kind):
        msg = f"a {type(value).__name__} stands where a {kind.__name__} belongs; {DAMAGED}"
        raise SourceError(msg)
    return value


def lengths(value: object) -> tuple[int, ...]:
    """Check a shape, or a tuple of strides."""
    numbers = expect(value, tuple)
    if len(numbers) > MAX_DIMENSIONS or not all(
        isinstance(number, int) and 0 <= number <= MAX_LENGTH for number in numbers
    ):
        msg = f"a size or stride is not a tuple of sensible numbers; {DAMAGED}"
        raise SourceError(msg)
    return numbers


def check_keys(keys: Iterable[object]) -> None:
    """Refuse keys whose hash may take for ever: tuples of tuples of tuples."""
    for key in keys:
        parts = key if isinstance(key, tuple) and len(key) <= MAX_DIMENSIONS else (key,)
        if not all(isinstance(part, (str, bytes, int, float, type(None))) for part in parts):
            msg = f"a {type(key).__name__} is the key of a dict or member of a set; {ADVICE}"
            raise SourceError(msg)


def _from_bytes(raw: object, dtype: Dtype, shape: object, order: object, budget: Budget) -> Values:
    content = raw.encode("latin-1") if isinstance(raw, str) else expect(raw, bytes)
    budget.spend(len(content))
    code = np.dtype(dtype.order.replace("|", "=") + dtype.code)
    if math.prod(lengths(shape)) * code.itemsize != len(content):
        msg = f"an array has {len(content)} bytes, which is not what its shape asks for; {DAMAGED}"
        raise SourceError(msg)
    flat = np.frombuffer(content, np.uint8) if content else np.empty(0, np.uint8)
    return native(flat, code).reshape(lengths(shape), order="F" if order == "F" else "C")


def set_state(budget: Budget, target: object, state: object) -> None:
    """Do what BUILD asks for: complete a dtype or an array."""
    if isinstance(target, OrderedDict) and isinstance(state, dict) and {*state} <= {"_metadata"}:
        return  # the versions of modules that torch adds to a state dict
    parts = expect(state, tuple)
    if isinstance(target, Dtype) and len(parts) > 4 and parts[2:5] == (None, None, None):  # noqa: PLR2004
        if parts[1] not in ("<", ">", "|", "="):
            msg = f"a numpy dtype has no byte order; {DAMAGED}"
            raise SourceError(msg)
        target.order = parts[1]
    elif isinstance(target, Array) and len(parts) == 5 and target.values is None:  # noqa: PLR2004
        _version, shape, dtype, in_columns, raw = parts
        order = "F" if in_columns else "C"
        target.values = _from_bytes(raw, expect(dtype, Dtype), shape, order, budget)
    else:
        msg = f"a {type(target).__name__} is given more than its values; {ADVICE}"
        raise SourceError(msg)


def _build_frombuffer(
    budget: Budget, raw: object, dtype: object, shape: object, *layout: object
) -> Array:
    order, axes = layout if len(layout) > 1 else (*layout, None)
    values = _from_bytes(raw, expect(dtype, Dtype), shape, order, budget)
    if order == "K" and axes is not None:  # some numpy 2: shape is that of the memory
        values = values.transpose(lengths(axes))
    return Array(values)


def _build_reconstruct(_budget: Budget, kind: object, _shape: object, _code: object) -> Array:
    if kind != Name("numpy.ndarray"):
        msg = f"an array is of another class than numpy.ndarray; {ADVICE}"
        raise SourceError(msg)
    return Array()


def _build_dtype(_budget: Budget, code: object, _align: object = 0, _copy: object = 1) -> Dtype:
    text = expect(code, str)
    if text not in NUMPY_CODES:
        msg = f"the numpy dtype {text[:40]!r} is not one of numbers; {ADVICE}"
        raise SourceError(msg)
    return Dtype(text)


def _build_scalar(budget: Budget, dtype: object, raw: object) -> object:
    return _from_bytes(raw, expect(dtype, Dtype), (), "C", budget).item()


def _build_encoded(budget: Budget, text: object, codec: object = "latin1") -> bytes:
    if codec not in ("latin1", "latin-1"):
        msg = f"bytes are encoded in another way than latin1; {ADVICE}"
        raise SourceError(msg)
    budget.spend(len(expect(text, str)))
    return expect(text, str).encode("latin-1")


def _build_bytes(_budget: Budget, content: object = b"") -> bytes:
    return expect(content, bytes)


def _build_set(budget: Budget, members: object = ()) -> set[object]:
    items = list(members) if isinstance(members, tuple) else expect(members, list)
    budget.spend(MEMBER_BYTES * len(items))
    check_keys(items)
    return set(items)


def _build_frozenset(budget: Budget, members: object = ()) -> frozenset[object]:
    return frozenset(_build_set(budget, members))


def _build_complex(_budget: Budget, real: object, imaginary: object) -> complex:
    return complex(expect(real, float), expect(imaginary, float))


def _build_ordered(budget: Budget, items: object = ()) -> OrderedDict[object, object]:
    pairs = list(items) if isinstance(items, tuple) else expect(items, list)
    budget.spend(MEMBER_BYTES * len(pairs))
    check_keys(key for key, _ in pairs)
    return OrderedDict(pairs)


# What a pickle without tensors can call.
BUILDERS: dict[str, Callable[..., object]] = {
    "_codecs.encode": _build_encoded,
    "builtins.bytes": _build_bytes,
    "builtins.bytearray": _build_bytes,
    "builtins.complex": _build_complex,
    "builtins.frozenset": _build_frozenset,
    "builtins.set": _build_set,
    "collections.OrderedDict": _build_ordered,
    "numpy._core.multiarray._reconstruct": _build_reconstruct,
    "numpy._core.multiarray.scalar": _build_scalar,
    "numpy._core.numeric._frombuffer": _build_frombuffer,
    "numpy.dtype": _build_dtype,
}
