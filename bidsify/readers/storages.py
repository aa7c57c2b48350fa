"""Build torch's tensors: windows, by offset, size and strides, on storages of bytes.

No torch is needed. What the file says of a window is checked before it is opened.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..errors import SourceError
from .rebuild import DAMAGED, Budget, Name, expect, frozen, lengths, native

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from .rebuild import Values

MAX_ARRAY_BYTES = 1 << 30  # a stride of 0 makes any size out of one element

# torch's dtypes by name, as numpy codes; bfloat16 is the upper half of a float32
TORCH_DTYPES = {
    "float16": "f2", "bfloat16": "u2", "float32": "f4", "float64": "f8",
    "int8": "i1", "int16": "i2", "int32": "i4", "int64": "i8",
    "uint8": "u1", "uint16": "u2", "uint32": "u4", "uint64": "u8",
    "bool": "b1", "complex64": "c8", "complex128": "c16",
}  # fmt: skip
STORAGE_DTYPES = {
    "torch.HalfStorage": "float16", "torch.BFloat16Storage": "bfloat16",
    "torch.FloatStorage": "float32", "torch.DoubleStorage": "float64",
    "torch.CharStorage": "int8", "torch.ShortStorage": "int16", "torch.IntStorage": "int32",
    "torch.LongStorage": "int64", "torch.ByteStorage": "uint8", "torch.BoolStorage": "bool",
    "torch.ComplexFloatStorage": "complex64", "torch.ComplexDoubleStorage": "complex128",
    "torch.storage.UntypedStorage": "uint8", "torch.UntypedStorage": "uint8",
}  # fmt: skip


@dataclass(slots=True)
class Storage:
    """The memory of torch tensors; the legacy format gives its content after the tensors."""

    dtype: str
    nbytes: int
    content: NDArray[np.uint8] | None = None
    by_dtype: dict[str, Values] = field(default_factory=dict)

    def elements(self, dtype: str) -> Values:
        """View the content as one dtype; widened and swapped copies are made once."""
        if self.content is None:
            msg = "a tensor has no data in the file; download it again"
            raise SourceError(msg)
        if dtype not in self.by_dtype:
            self.by_dtype[dtype] = _torch_elements(self.content, dtype)
        return self.by_dtype[dtype]


@dataclass(slots=True)
class Tensor:
    """A window on a storage, opened when the storage has its content."""

    storage: Storage
    dtype: str
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]
    values: Values | None = None

    def open(self) -> Values:
        """Give the array, the same at every call."""
        if self.values is None:
            self.values = _window(self)
        return self.values


def _window(tensor: Tensor) -> Values:
    elements = tensor.storage.elements(tensor.dtype)
    if 0 in tensor.size:
        return frozen(np.empty(tensor.size, elements.dtype))
    if math.prod(tensor.size) * elements.itemsize > MAX_ARRAY_BYTES:
        msg = f"a tensor is larger than {MAX_ARRAY_BYTES >> 20} MiB; save it in parts"
        raise SourceError(msg)
    steps = zip(tensor.size, tensor.stride, strict=True)
    if tensor.offset + sum((count - 1) * step for count, step in steps) >= elements.size:
        msg = "a tensor reaches past the end of its storage; download the file again"
        raise SourceError(msg)
    strides = [step * elements.itemsize for step in tensor.stride]
    return as_strided(elements[tensor.offset :], tensor.size, strides, writeable=False)


def _torch_elements(content: NDArray[np.uint8], dtype: str) -> Values:
    code = np.dtype("<" + TORCH_DTYPES[dtype])
    elements = native(content[: content.size - content.size % code.itemsize], code)
    if dtype == "bfloat16":
        return frozen((elements.astype(np.uint32) << np.uint32(16)).view(np.float32))
    return elements


def _build_size(_budget: Budget, sizes: object) -> tuple[int, ...]:
    return lengths(sizes)


def _build_device(_budget: Budget, kind: object, index: object = None) -> str:
    return expect(kind, str) + ("" if index is None else f":{expect(index, int)}")


def _build_tensor(
    _budget: Budget,
    storage: object,
    offset: object,
    size: object,
    stride: object,
    *rest: object,
    dtype: str = "",
) -> Tensor:
    _requires_grad, _hooks, flags = (*rest, None, None, None)[:3]
    if flags:
        msg = (
            "a tensor is saved as the conjugate or negative of another; "
            "re-save tensor.resolve_conj().resolve_neg()"
        )
        raise SourceError(msg)
    memory = expect(storage, Storage)
    (first,) = lengths((offset,))
    return Tensor(memory, dtype or memory.dtype, first, lengths(size), lengths(stride))


def _build_tensor_v3(budget: Budget, *arguments: object) -> Tensor:
    *head, dtype = arguments[:7]
    name = expect(dtype, Name).text.removeprefix("torch.")
    if name not in TORCH_DTYPES:
        msg = f"a tensor has no dtype but {name[:40]!r}; {DAMAGED}"
        raise SourceError(msg)
    return _build_tensor(budget, *head, *arguments[7:], dtype=name)


def _build_parameter(_budget: Budget, data: object, _grad: object, _hooks: object) -> Tensor:
    return expect(data, Tensor)


# What a pickle with tensors can call besides.
TENSOR_BUILDERS: dict[str, Callable[..., object]] = {
    "torch.Size": _build_size,
    "torch.device": _build_device,
    "torch._utils._rebuild_parameter": _build_parameter,
    "torch._utils._rebuild_tensor": _build_tensor,
    "torch._utils._rebuild_tensor_v2": _build_tensor,
    "torch._utils._rebuild_tensor_v3": _build_tensor_v3,
}
