"""Read a pickle of arrays, numbers, text and plain containers without running any of it.

A pickle is a program that imports what it names and calls it. Nothing is imported here: a name
becomes an inert ``Name``, a call is a look-up in a table, other opcodes than those of plain
data are refused, and their number is limited.
"""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import SourceError
from .rebuild import ADVICE, BUILDERS, Array, Budget, Dtype, Name, check_keys, set_state
from .storages import STORAGE_DTYPES, TENSOR_BUILDERS, TORCH_DTYPES, Storage, Tensor
from .stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_OPCODES = 500_000  # an empty set is one byte of file and 216 bytes of memory
MAX_VALUES = 500_000  # lists that hold another one twice double at each level
MAX_DEPTH = 64

# Names without a builder: they only ever stand as arguments of one.
_TOKENS = {
    "numpy.ndarray",
    *STORAGE_DTYPES,
    *(f"torch.{dtype}" for dtype in TORCH_DTYPES),
}
# Python 2 and numpy 1 call the same things by other names.
_ALIASES = {
    "__builtin__": "builtins",
    "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
}


class Opcodes:
    """The handlers of the opcodes that plain data needs, given out a limited number of times."""

    def __init__(self) -> None:
        self.left = MAX_OPCODES

    def __getitem__(self, code: int) -> Callable[[Any], None]:
        self.left -= 1
        if self.left < 0:
            msg = f"the pickle has more than {MAX_OPCODES} opcodes; {ADVICE}"
            raise SourceError(msg)
        if code not in _HANDLERS:
            name = _OPCODE_NAMES.get(code, hex(code))
            msg = f"the pickle uses the opcode {name}, which is not one of plain data; {ADVICE}"
            raise SourceError(msg)
        return _HANDLERS[code]


# The C unpickler's memo is an array: an index of 2**31 in a file of ten bytes asks for 32 GiB.
class Unpickler(pickle._Unpickler):  # noqa: SLF001 - the Python one keeps its memo in a dict
    """The unpickler of the standard library with its ways out closed."""

    # Of the base class, which leaves them undeclared.
    stack: list[Any]
    append: Callable[[object], None]
    read: Callable[[int], bytes]
    pop_mark: Callable[[], list[Any]]

    def __init__(
        self,
        stream: Stream,
        *,
        more: Mapping[str, Callable[..., object]] = MappingProxyType({}),
        storage: Callable[[str, str, int], Storage] | None = None,
    ) -> None:
        super().__init__(stream, encoding="latin-1")
        self.budget = Budget(stream.content)
        self.builders = {**BUILDERS, **TENSOR_BUILDERS, **more}
        self.storage = storage

    @property
    def dispatch(self) -> Opcodes:  # type: ignore[override]  # the base class asks once a pickle
        """Give the opcodes of one pickle."""
        return Opcodes()

    def find_class(self, module: str, name: str) -> Name:
        """Give the inert name instead of what it names."""
        text = f"{_ALIASES.get(module, module)}.{name}"
        if text not in self.builders and text not in _TOKENS:
            _refuse(text)
        return Name(text)

    def persistent_load(self, pid: object) -> Storage:
        """Give the storage that torch keeps beside the pickle."""
        match pid:
            case ("storage", Name(text), str(key), _, int(count), *view) if (
                self.storage is not None and text in STORAGE_DTYPES and view in ([], [None])
            ):
                return self.storage(key, STORAGE_DTYPES[text], count)
        msg = f"the pickle refers to data outside of it in a way that torch.save does not; {ADVICE}"
        raise SourceError(msg)

    def load_reduce(self) -> None:
        """Call a builder."""
        arguments, function = self.stack.pop(), self.stack.pop()
        if not isinstance(function, Name) or function.text not in self.builders:
            _refuse(function.text if isinstance(function, Name) else type(function).__name__)
        if not isinstance(arguments, tuple):
            _refuse(f"{function.text} of {type(arguments).__name__}")
        self.append(self.builders[function.text](self.budget, *arguments))

    def load_build(self) -> None:
        """Complete an array or dtype."""
        state = self.stack.pop()
        set_state(self.budget, self.stack[-1], state)

    def load_bytearray8(self) -> None:
        """Give bytes, and make no room for them before they are there."""
        (count,) = struct.unpack("<Q", self.read(8))
        self.append(self.read(count))

    def load_append(self) -> None:
        """Append to a list and to nothing else."""
        value = self.stack.pop()
        self._top(list).append(value)

    def load_appends(self) -> None:
        """Extend a list and nothing else."""
        values = self.pop_mark()
        self._top(list).extend(values)

    def load_setitem(self) -> None:
        """Set an item of a dict and of nothing else."""
        value, key = self.stack.pop(), self.stack.pop()
        check_keys((key,))
        self._top(dict, OrderedDict)[key] = value

    def load_setitems(self) -> None:
        """Set items of a dict and of nothing else."""
        items = self.pop_mark()
        check_keys(items[::2])
        self._top(dict, OrderedDict).update(zip(items[::2], items[1::2], strict=True))

    def load_additems(self) -> None:
        """Add to a set and to nothing else."""
        members = self.pop_mark()
        check_keys(members)
        self._top(set).update(members)

    def load_frozenset(self) -> None:
        """Make a frozenset of members that are quick to hash."""
        members = self.pop_mark()
        check_keys(members)
        self.append(frozenset(members))

    def _top(self, *kinds: type) -> Any:
        if type(self.stack[-1]) not in kinds:
            _refuse(f"item of {type(self.stack[-1]).__name__}")
        return self.stack[-1]


def _refuse(name: str) -> NoReturn:
    msg = f"the pickle asks for {name[:80]!r}, which is not data; {ADVICE}"
    raise SourceError(msg)


def plain(root: object) -> object:
    """Put the arrays in place, and make a tree of bounded size and depth of what refers to all."""
    left = MAX_VALUES

    def walk(value: object, depth: int) -> object:
        nonlocal left
        left -= 1
        if left < 0 or depth > MAX_DEPTH:
            msg = f"lists and dicts hold one another too often or too deep; {ADVICE}"
            raise SourceError(msg)
        if isinstance(value, dict):
            return {key: walk(item, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)([walk(item, depth + 1) for item in value])
        return _resolve(value)

    return walk(root, 0)


def _resolve(value: object) -> object:
    if isinstance(value, Tensor):
        return value.open()
    if isinstance(value, Array) and value.values is not None:
        return value.values
    if isinstance(value, Name) and value.text.removeprefix("torch.") in TORCH_DTYPES:
        return value.text
    if isinstance(value, (Name, Dtype, Array, Storage)):
        what = repr(value.text) if isinstance(value, Name) else f"a bare {type(value).__name__}"
        msg = f"{what} stands where an array or a number belongs; {ADVICE}"
        raise SourceError(msg)
    return value


_OPCODE_NAMES = {
    code[0]: name for name, code in vars(pickle).items() if isinstance(code, bytes) and code
}
_SAFE = (
    pickle.PROTO, pickle.FRAME, pickle.STOP, pickle.MARK, pickle.POP, pickle.POP_MARK,
    pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE, pickle.BININT, pickle.BININT1, pickle.BININT2,
    pickle.LONG1, pickle.BINFLOAT, pickle.BINSTRING, pickle.SHORT_BINSTRING, pickle.BINUNICODE,
    pickle.SHORT_BINUNICODE, pickle.BINUNICODE8, pickle.BINBYTES, pickle.SHORT_BINBYTES,
    pickle.BINBYTES8, pickle.TUPLE, pickle.EMPTY_TUPLE, pickle.TUPLE1, pickle.TUPLE2,
    pickle.TUPLE3, pickle.EMPTY_LIST, pickle.EMPTY_DICT, pickle.EMPTY_SET, pickle.BINGET,
    pickle.LONG_BINGET, pickle.BINPUT, pickle.LONG_BINPUT, pickle.MEMOIZE, pickle.GLOBAL,
    pickle.STACK_GLOBAL, pickle.BINPERSID,
)  # fmt: skip
_HANDLERS: dict[int, Callable[[Any], None]] = {
    **{code[0]: pickle._Unpickler.dispatch[code[0]] for code in _SAFE},  # noqa: SLF001
    pickle.REDUCE[0]: Unpickler.load_reduce,
    pickle.BUILD[0]: Unpickler.load_build,
    pickle.BYTEARRAY8[0]: Unpickler.load_bytearray8,
    pickle.APPEND[0]: Unpickler.load_append,
    pickle.APPENDS[0]: Unpickler.load_appends,
    pickle.SETITEM[0]: Unpickler.load_setitem,
    pickle.SETITEMS[0]: Unpickler.load_setitems,
    pickle.ADDITEMS[0]: Unpickler.load_additems,
    pickle.FROZENSET[0]: Unpickler.load_frozenset,
}
