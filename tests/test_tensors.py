"""Files of torch.save and pickles: the right numbers from honest ones, refusals for the others."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from bidsify.errors import SourceError
from bidsify.readers.rebuild import NUMPY_CODES
from bidsify.readers.tensors import load

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
FILES = Path(__file__).parent / "data" / "torch_files"
CANARY = "canary-of-the-tensor-tests"


def equal(found: object, wanted: object) -> None:
    """Compare nested values, the arrays with their dtypes."""
    if isinstance(wanted, np.ndarray):
        assert isinstance(found, np.ndarray)
        assert found.dtype == wanted.dtype.newbyteorder("=")
        assert found.dtype.isnative
        assert not found.flags.writeable
        assert found.shape == wanted.shape
        np.testing.assert_array_equal(found, wanted)
    elif isinstance(wanted, dict):
        assert type(found) is dict
        assert list(found) == list(wanted)
        for key in wanted:
            equal(found[key], wanted[key])
    elif isinstance(wanted, (list, tuple)):
        assert type(found) is type(wanted)
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            equal(one, other)
    else:
        assert type(found) is type(wanted)
        assert found == wanted


# --- files made by torch, read without it -------------------------------------------------------


def expected_dtypes() -> dict[str, Any]:
    step = np.arange(6)
    arrays = {
        "float16": (step / 4 - 0.5).astype("f2"),
        "bfloat16": (step / 4 - 0.5).astype("f4"),
        "float32": (step / 4 - 0.5).astype("f4"),
        "float64": step / 4 - 0.5,
        "complex64": (step * (1 - 0.5j)).astype("c8"),
        "complex128": step * (1 - 0.5j),
    }
    for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"):
        low, high = int(np.iinfo(name).min), int(np.iinfo(name).max)
        arrays[name] = np.array([low + index * ((high - low) // 5) for index in range(6)], name)
    arrays["bool"] = step % 3 == 0
    return {name: array.reshape(2, 3) for name, array in arrays.items()}


def expected_strided() -> dict[str, Any]:
    whole = np.arange(24, dtype="i2").reshape(2, 3, 4)
    return {
        "whole": whole,
        "transposed": whole.transpose(2, 0, 1),
        "every other": whole[:, ::2, 1::2],
        "diagonal": np.array([0, 5, 10], "i2"),
        "row": np.array([16, 17, 18, 19], "i2"),
        "expanded": np.tile(np.arange(4, dtype="i2"), (5, 1)),
        "number": np.array(2.5, "f4"),
        "empty": np.empty((0, 3), "f4"),
        "half": np.arange(6, dtype="f4").reshape(2, 3).T,
    }


def expected_numpy() -> dict[str, Any]:
    return {
        "C": np.arange(200, dtype="u1").reshape(2, 100),
        "F": np.arange(6, dtype="f4").reshape(2, 3),
        "big-endian": np.arange(6, dtype="i4"),
        "number": np.array(1.5),
        "empty": np.empty((0, 2)),
        "bool": np.array([True, False]),
        "scalar": float(np.float32(0.1)),
        "tensor": np.arange(3, dtype="i8"),
    }


def expected_nested() -> dict[Any, Any]:
    pair = np.array([0, 1], "i8")
    return {
        "list": [1, -2, 2**40, 0.5, None, True, "\u00fc", b"\x00\xff", b""],
        "tuple": (pair, {"a": (pair, [])}),
        "ordered": {"b": 1, "a": 2},
        "state": {"weight": np.array([[0.25]], "f4")},
        "size": (2, 3),
        "device": "cpu",
        "dtype": "torch.float32",
        "parameter": np.ones(2, "f4"),
        "set": {1, 2},
        "frozenset": frozenset(["a"]),
        "complex": 1 - 2j,
        3: "three",
    }


@pytest.mark.parametrize("form", ["", "_legacy"])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dtypes", expected_dtypes),
        ("strided", expected_strided),
        ("numpy", expected_numpy),
        ("nested", expected_nested),
    ],
)
def test_files_made_by_torch(name: str, expected: Callable[[], object], form: str) -> None:
    content = (FILES / f"{name}{form}.pt").read_bytes()
    equal(load(content, name), expected())


def test_conjugate_tensor_is_refused() -> None:
    with pytest.raises(SourceError, match=r"^a/b.pt: a tensor is saved as the conjugate.*resolve"):
        load((FILES / "conjugate.pt").read_bytes(), "a/b.pt")


@pytest.mark.parametrize("form", ["", "_legacy"])
def test_tensors_are_views_of_the_file(form: str) -> None:
    content = (FILES / f"strided{form}.pt").read_bytes()
    whole = np.frombuffer(content, np.uint8)
    found: Any = load(content, "strided.pt")
    assert np.shares_memory(found["whole"], whole)
    assert np.shares_memory(found["transposed"], found["whole"])


# --- pickles of numpy ---------------------------------------------------------------------------

LAYOUTS = {
    "C": np.arange(24).reshape(2, 3, 4) % 2,
    "F": np.asfortranarray(np.arange(24).reshape(2, 3, 4) % 2),
    "K": np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1) % 5,
    "strided": np.arange(24)[::3],
    "reversed": np.arange(24)[::-1],
    "number": np.array(3),
    "empty": np.empty((3, 0)),
    "one": np.array([7]),
}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_numpy_pickles(layout: str, order: str, protocol: int) -> None:
    base = LAYOUTS[layout]
    arrays = {code: base.astype(order + code, order="K") for code in sorted(NUMPY_CODES)}
    equal(load(pickle.dumps(arrays, protocol), "a.pkl"), arrays)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_python_values(protocol: int) -> None:
    shared = [1.5, "x"]
    value = {
        "shared": (shared, shared),
        "bytes": (b"", b"a", bytes(range(256))),
        "text": ("", "\u00e9\u4e00", "x" * 300),
        "numbers": [0, 1, 255, 256, 65536, -1, 2**31, -(2**70), 1e300, False, None, 2j],
        "tuples": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
        "sets": [set(), {1, 2}, frozenset({"a", ("b", 1)})],
        ("a", 1): {},
    }
    equal(load(pickle.dumps(value, protocol), "a.pkl"), value)
    assert load(pickle.dumps(bytearray(b"ab"), protocol), "a.pkl") == b"ab"


@pytest.mark.parametrize("scalar", [np.float32(0.1), np.int64(-3), np.bool_(1), np.complex64(1j)])
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_numpy_scalars_become_numbers(scalar: Any, protocol: int) -> None:
    equal(load(pickle.dumps([scalar], protocol), "a.pkl"), [scalar.item()])


@pytest.mark.parametrize(("old", "new"), [(b"numpy._core.", b"numpy.core."), (b"", b"")])
def test_both_names_of_numpys_modules(old: bytes, new: bytes) -> None:
    names = (old, new) if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else (new, old)
    array = np.arange(6.0).reshape(2, 3)
    equal(load(pickle.dumps(array, 2).replace(*names), "a.pkl"), array)


def test_python_2_arrays() -> None:
    content = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x02\x85cnumpy\ndtype\nU\x02i2K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xff"
        b"J\xff\xff\xff\xffK\x00tb\x89U\x04\x01\x00\xff\xfftb."
    )
    equal(load(content, "a.pkl"), np.array([1, -1], "i2"))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (np.array([None]), "dtype 'O8' is not one of numbers"),
        (np.array(["a"]), "dtype 'U1'"),
        (np.array(["2020-01-01"], "M8[D]"), "dtype 'M8'"),
        (np.zeros(2, [("a", "f4")]), "dtype 'V4'"),
        (np.dtype("f4"), "a bare Dtype"),
        (np.ma.zeros(2), "asks for 'numpy.ma.core._mareconstruct'"),
        (Path("a"), "asks for 'pathlib"),
        (range(3), "asks for 'builtins.range'|asks for 'builtins.xrange'"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_values_that_are_not_data(value: object, protocol: int, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        load(pickle.dumps(value, protocol), "a.pkl")


# --- against torch ------------------------------------------------------------------------------


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed: the made files stand in")


def saved(torch: Any, value: object, **options: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream, **options)
    return stream.getvalue()


def as_numpy(torch: Any, value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        wide = value.float() if value.dtype is torch.bfloat16 else value
        return wide.detach().numpy()
    if isinstance(value, dict):
        return {key: as_numpy(torch, item) for key, item in value.items()}
    return value


@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}])
@pytest.mark.parametrize("dtype", list(expected_dtypes()))
def test_equal_to_torch(torch: Any, dtype: str, options: dict[str, Any]) -> None:
    content = torch.arange(240 * 16, dtype=torch.int32).mul(7919).to(torch.uint8)
    if dtype == "bool":
        content %= 2
    whole = content.view(getattr(torch, dtype)).reshape(-1, 3, 4)
    value = {
        "whole": whole,
        "permuted": whole.permute(2, 0, 1),
        "window": whole[3:7:2, 1:, ::3],
        "number": whole[1, 1, 1],
        "empty": whole[:, :0],
        "expanded": whole[:1].expand(7, 3, 4),
    }
    for protocol in (2, 4, 5):
        stored = saved(torch, value, pickle_protocol=protocol, **options)
        equal(load(stored, "a.pt"), as_numpy(torch, value))
        if options and dtype in ("uint16", "uint32", "uint64"):
            continue  # torch 2.13 writes these and cannot read them
        reference = torch.load(io.BytesIO(stored), weights_only=False)
        equal(load(stored, "a.pt"), as_numpy(torch, reference))


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_tensors_pickled_without_torch_save(torch: Any, protocol: int) -> None:
    value = {"a": torch.arange(6).reshape(2, 3).T, "b": torch.ones(2, dtype=torch.bfloat16)}
    equal(load(pickle.dumps(value, protocol), "a.pkl"), as_numpy(torch, value))


@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}])
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda torch: torch.ones(2, 2).to_sparse(), "_rebuild_sparse_tensor"),
        (lambda torch: torch.nn.Linear(1, 1), "'torch.nn.modules.linear.Linear'"),
        (lambda torch: torch.ones(2).to(torch.float8_e5m2), "'torch.float8_e5m2'"),
        (lambda torch: torch.ones(2, dtype=torch.complex64).conj().imag, "conjugate or negative"),
        (lambda torch: torch.ones(2, device="meta"), "_rebuild_meta_tensor_no_storage"),
        (lambda torch: torch.ones(2).untyped_storage(), "a bare Storage"),
    ],
)
def test_torch_objects_that_are_not_data(
    torch: Any, make: Callable[[Any], object], reason: str, options: dict[str, Any]
) -> None:
    with pytest.raises(SourceError, match=reason):
        load(saved(torch, {"a": make(torch)}, **options), "a.pt")


# --- hostile files ------------------------------------------------------------------------------


def call(module: str, name: str, argument: str) -> bytes:
    """A pickle that calls module.name(argument)."""
    texts = [b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name, argument)]
    return b"\x80\x04" + texts[0] + texts[1] + b"\x93" + texts[2] + b"\x85R."


def archive(data: bytes, members: dict[str, bytes] | None = None, **options: Any) -> bytes:
    """A file like those of torch.save."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", **options) as out:
        out.writestr("a/data.pkl", data)
        out.writestr("a/byteorder", "little")
        for name, content in (members or {}).items():
            out.writestr(f"a/{name}", content)
    return stream.getvalue()


def encrypted(content: bytes) -> bytes:
    """The archive with the mark of an encrypted member in its directory."""
    at = content.index(b"PK\1\2") + 8
    return content[:at] + b"\1" + content[at + 1 :]


def twice(first: bytes, second: bytes) -> bytes:
    """A file like those of torch.save with two members named data.pkl."""
    return archive(first, {"data.pkX": second}).replace(b"a/data.pkX", b"a/data.pkl")


def tensor(offset: int, size: tuple[int, ...], stride: tuple[int, ...], count: int) -> bytes:
    """A pickle of one tensor of float32 on storage 0."""

    def number(value: int) -> bytes:
        return b"\x8a\x08" + struct.pack("<q", value)

    def numbers(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(map(number, values)) + b"t"

    return (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage"
        b"\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu" + number(count) + b"tQ" + number(offset)
    ) + (numbers(size) + numbers(stride) + b"\x89}tR.")


def laughs(levels: int) -> bytes:
    """A list of two lists of two lists ..., each written once."""
    out = b"\x80\x02]q\x00"
    for level in range(levels):
        index = bytes([level])
        out += b"](h" + index + b"h" + index + b"eq" + bytes([level + 1])
    return out + b"."


def dtype(code: bytes) -> bytes:
    return b"cnumpy\ndtype\nX" + struct.pack("<I", len(code)) + code + b"\x89\x88\x87R"


STATE = b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
FOUR = {"data/0": bytes(16)}
ASKS = "a.pt: the pickle asks for "
TOO_LONG = "ends in the middle of its data; download it again"
OPEN = f"open('{CANARY}','w').close()"
LONG_TEXT = b"\x80\x02X" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20) + b"q\x000"
LEGACY_CALL = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}." + call(
    "os", "system", f"touch {CANARY}"
)
HOSTILE: dict[str, tuple[bytes, str]] = {
    # code
    "os.system": (call("os", "system", f"touch {CANARY}"), f"{ASKS}'os.system', which is not data"),
    "posix.system": (call("posix", "system", f"touch {CANARY}"), "'posix.system'"),
    "eval": (call("builtins", "eval", OPEN), "'builtins.eval'"),
    "exec": (call("builtins", "exec", OPEN), "'builtins.exec'"),
    "getattr": (call("builtins", "getattr", "os"), "'builtins.getattr'"),
    "import": (call("builtins", "__import__", "this"), "'builtins.__import__'"),
    "subprocess": (call("subprocess", "getoutput", f"touch {CANARY}"), "'subprocess.getoutput'"),
    "dotted numpy": (call("numpy", "f2py.crackfortran.myeval", OPEN), "'numpy.f2py.crackfortran"),
    "dotted allowed": (call("numpy", "dtype.__class__", OPEN), "'numpy.dtype.__class__'"),
    "numpy.load": (call("numpy", "load", "/etc/passwd"), "'numpy.load'"),
    "dotted os": (call("zipfile", "os.system", f"touch {CANARY}"), "'zipfile.os.system'"),
    "torch.load": (call("torch.serialization", "load", "x"), "'torch.serialization.load'"),
    "pip": (call("pip", "main", "touch"), "'pip.main'"),
    "timeit": (call("timeit", "timeit", OPEN), "'timeit.timeit'"),
    "runpy": (call("runpy", "_run_code", OPEN), "'runpy._run_code'"),
    "bdb": (call("bdb", "Bdb.run", OPEN), "'bdb.Bdb.run'"),
    "torch.float32()": (call("torch", "float32", "x"), f"{ASKS}'torch.float32'"),
    "text()": (b"\x80\x02X\x01\x00\x00\x00a)R.", f"{ASKS}'str'"),
    "arguments": (b"\x80\x02ctorch\nSize\n]R.", "'torch.Size of list'"),
    "in a zip": (archive(call("os", "system", f"touch {CANARY}")), "'os.system'"),
    "in a storage": (
        b"\x80\x04ctorch.storage\n_load_from_bytes\nC"
        + bytes([len(LEGACY_CALL)])
        + LEGACY_CALL
        + b"\x85R.",
        "'os.system'",
    ),
    "in a legacy file": (LEGACY_CALL, "'os.system'"),
    "INST": (b"\x80\x02(S'touch'\nios\nsystem\n.", "opcode STRING"),
    "INST only": (b"\x80\x02(ios\nsystem\n.", "opcode INST"),
    "OBJ": (b"\x80\x02(cnumpy\nndarray\no.", "opcode OBJ"),
    "NEWOBJ": (b"\x80\x02cnumpy\nndarray\n)\x81.", "opcode NEWOBJ,"),
    "NEWOBJ_EX": (b"\x80\x04cnumpy\nndarray\n)}\x92.", "opcode NEWOBJ_EX"),
    "EXT1": (b"\x80\x02\x82\x01.", "opcode EXT1"),
    "EXT4": (b"\x80\x02\x84\x01\x00\x00\x00.", "opcode EXT4"),
    "NEXT_BUFFER": (b"\x80\x05\x97.", "opcode NEXT_BUFFER"),
    "PERSID": (b"\x80\x02Pos.system\n.", "opcode PERSID"),
    "BINPERSID": (b"\x80\x02X\x01\x00\x00\x00aQ.", "refers to data outside"),
    "no opcode": (b"\x80\x02\xff.", "opcode 0xff"),
    "BUILD on a name": (b"\x80\x02cnumpy\nndarray\n}X\x01\x00\x00\x00aK\x01sb.", "stands where"),
    "BUILD on a dict": (b"\x80\x02}K\x01\x85b.", "a dict is given more than its values"),
    "SETITEM on a list": (b"\x80\x02]K\x00K\x01s.", "'item of list'"),
    "APPEND to a dict": (b"\x80\x02}K\x00a.", "'item of dict'"),
    "ADDITEMS to a list": (b"\x80\x04](K\x00\x90.", "'item of list'"),
    "a name as data": (b"\x80\x02cnumpy\nndarray\n.", "'numpy.ndarray' stands where"),
    "codec": (b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00zip\x86R.", "latin1"),
    "not latin1": (b"\x80\x02c_codecs\nencode\nX\x02\x00\x00\x00\xc4\x80\x85R.", "damaged"),
    # dtypes and arrays
    "object dtype": (b"\x80\x02" + dtype(b"O8") + b".", "dtype 'O8' is not one of numbers"),
    "dtype with fields": (
        b"\x80\x02" + dtype(b"f8") + b"(K\x03X\x01\x00\x00\x00<N}}" + STATE + b".",
        "a Dtype is given more than its values",
    ),
    "dtype order": (
        b"\x80\x02" + dtype(b"f8") + b"(K\x03X\x01\x00\x00\x00ONNN" + STATE + b".",
        "no byte order",
    ),
    "array too short": (
        pickle.dumps(np.zeros((2, 3)), 2).replace(b"K\x02K\x03\x86", b"K\x02K\x04\x86"),
        "48 bytes, which is not what its shape asks for",
    ),
    "array dimensions": (
        pickle.dumps(np.zeros((2, 3)), 2).replace(b"K\x02K\x03\x86", b"(" + b"K\x01" * 40 + b"t"),
        "not a tuple of sensible numbers",
    ),
    "truth": (pickle.dumps(np.array([True] * 8), 2).replace(b"\x01" * 8, b"\x02" * 8), "0 and 1"),
    # sizes
    "memo": (b"\x80\x02}r" + struct.pack("<I", 0x7FFFFFFF) + b"]a.", "'item of dict'"),
    "BINBYTES8": (b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"abc.", TOO_LONG),
    "BYTEARRAY8": (b"\x80\x05\x96" + struct.pack("<Q", 1 << 36) + b"abc.", TOO_LONG),
    "BYTEARRAY8 2**64": (b"\x80\x05\x96" + b"\xff" * 8 + b"abc.", TOO_LONG),
    "FRAME": (b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + b"}.", TOO_LONG),
    "BINUNICODE": (b"\x80\x02X\xff\xff\xff\x7fabc.", TOO_LONG),
    "deep lists": (b"\x80\x02" + b"]" * 200_000 + b"a" * 199_999 + b".", "too deep"),
    "deep tuples": (b"\x80\x02)" + b"\x85" * 200_000 + b".", "too deep"),
    "endless list": (b"\x80\x02]q\x00h\x00a.", "too deep"),
    "billion laughs": (laughs(40), "too often"),
    "billion laughs in a key": (
        b"\x80\x02})" + b"".join(b"q%ch%c\x86" % (level, level) for level in range(60)) + b"Ns.",
        "a tuple is the key of a dict",
    ),
    "list as a key": (b"\x80\x02}]Ns.", "a list is the key of a dict"),
    "empty sets": (b"\x80\x04" + b"\x8f" * 5_000_000 + b".", "more than 500000 opcodes"),
    "copies": (
        LONG_TEXT + b"](" + b"c_codecs\nencode\nh\x00\x85R" * 10_000 + b"e.",
        "copies its data over and over",
    ),
    "sets of one list": (
        b"\x80\x02]q\x00(" + b"".join(b"M" + struct.pack("<H", i) for i in range(60_000)) + b"e0]("
        b"" + b"c__builtin__\nset\nh\x00\x85R" * 10_000 + b"e.",
        "copies its data over and over",
    ),
    # tensors
    "count": (archive(tensor(0, (4096,), (1,), 1 << 39), FOUR), "storage '0' is missing or too s"),
    "negative count": (archive(tensor(0, (4,), (1,), -4), FOUR), "senseless size"),
    "size": (archive(tensor(0, (1 << 20,), (1,), 4), FOUR), "past the end of its storage"),
    "offset": (archive(tensor(4, (1,), (1,), 4), FOUR), "past the end of its storage"),
    "stride": (archive(tensor(0, (2, 2), (3, 1), 4), FOUR), "past the end of its storage"),
    "huge stride": (archive(tensor(0, (2,), (1 << 62,), 4), FOUR), "not a tuple of sensible"),
    "negative stride": (archive(tensor(3, (4,), (-1,), 4), FOUR), "not a tuple of sensible"),
    "negative offset": (archive(tensor(-8, (4,), (1,), 4), FOUR), "not a tuple of sensible"),
    "zero stride": (archive(tensor(0, (1 << 40,), (0,), 4), FOUR), "larger than 1024 MiB"),
    "two zero strides": (archive(tensor(0, (1 << 39,) * 2, (0, 0), 4), FOUR), "larger than 1024"),
    "no storage": (archive(tensor(0, (4,), (1,), 4)), "storage '0' is missing"),
    "storage outside": (tensor(0, (4,), (1,), 4), "refers to data outside of it"),
    # containers
    "two data.pkl": (
        twice(call("os", "system", f"touch {CANARY}"), tensor(0, (4,), (1,), 4)),
        "names a member twice",
    ),
    "two archives": (archive(b"\x80\x02N.", {"b/data.pkl": b""}), "with 2 'data.pkl'"),
    "not torch": (archive(b"").replace(b"data.pkl", b"data.csv"), "with 0 'data.pkl'"),
    "deflated bomb": (
        archive(b"\x80\x02N.", {"data/0": bytes(1 << 28)}, compression=zipfile.ZIP_DEFLATED),
        "overlap or are compressed",
    ),
    "deflated": (
        archive(b"\x80\x02N.", {"data/0": bytes(100)}, compression=zipfile.ZIP_DEFLATED),
        "is compressed or encrypted",
    ),
    "encrypted": (encrypted(archive(b"\x80\x02N.")), "is compressed or encrypted"),
    "big-endian": (archive(b"\x80\x02N.").replace(b"little", b"biggie"), "big-endian machine"),
    "half a zip": ((FILES / "dtypes.pt").read_bytes()[:3000], r"damaged \(BadZipFile\)"),
    "half a legacy file": ((FILES / "dtypes_legacy.pt").read_bytes()[:-9], TOO_LONG),
    "legacy and more": ((FILES / "dtypes_legacy.pt").read_bytes() + b"abc", "3 bytes follow"),
    "two pickles": (b"\x80\x02N.\x80\x02N.", "4 bytes follow the end of its data"),
    "half a pickle": (pickle.dumps({"a": "b" * 99}, 2)[:60], TOO_LONG),
    "half a name": (b"\x80\x02cnumpy", TOO_LONG),
    "empty": (b"", "a.pt: the file is empty; download it again"),
    "text": (b"a,b\n1,2\n", "neither a file of torch.save nor a pickle"),
    "protocol 0": (pickle.dumps({"a": 1}, 0), "protocol 2 or later"),
    "stack": (b"\x80\x02.", r"damaged \(IndexError\); download it again"),
}


def test_the_corpus_would_hurt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pickle.loads(HOSTILE["eval"][0])
    assert Path(CANARY).exists()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    content, reason = HOSTILE[name]
    started = time.perf_counter()
    with pytest.raises(SourceError, match=reason) as caught:
        load(content, "a.pt")
    assert time.perf_counter() - started < 60  # unbounded, it would take hours
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250
    assert list(tmp_path.iterdir()) == []


def mutants(seed: int, count: int) -> list[bytes]:
    """Damaged copies of honest files, a third of them with the damage in a zip's pickle only."""
    chance = random.Random(seed)
    value = {"image": np.arange(12, dtype="f4").reshape(3, 4), "s": np.float64(3), "k": {1: [b"a"]}}
    whole = [pickle.dumps(value, protocol) for protocol in (2, 3, 4, 5)]
    whole += [path.read_bytes() for path in sorted(FILES.glob("*.pt"))]
    inner = []
    for path in sorted(FILES.glob("*[!y].pt")):
        with zipfile.ZipFile(path) as out:
            members = {name.partition("/")[2]: out.read(name) for name in out.namelist()}
        inner.append((members.pop("data.pkl"), {k: v for k, v in members.items() if "/" in k}))
    damaged = []
    for index in range(count):
        if index % 3:
            damaged.append(mutant(chance, chance.choice(whole)))
        else:
            data, members = chance.choice(inner)
            damaged.append(archive(mutant(chance, data), members))
    return damaged


def mutant(chance: random.Random, content: bytes) -> bytes:
    """Change a byte, cut some out, put some in, or repeat a piece; up to three times."""
    out = bytearray(content)
    for _ in range(chance.randint(1, 3)):
        kind, place, length = chance.randrange(6), chance.randrange(len(out)), chance.randint(1, 4)
        if kind == 0:
            del out[place : place + length]
        elif kind == 1:
            out[place:place] = chance.randbytes(length)
        elif kind == 2:
            out[place:place] = out[chance.randrange(len(out)) :][: 5 * length]
        else:
            out[place] = chance.randrange(256)
    return bytes(out)


def assert_data(value: object) -> None:
    """Nothing but arrays of numbers, Python's own values and containers."""
    if isinstance(value, np.ndarray):
        assert value.dtype.kind in "biufc"
        assert not value.flags.writeable
    elif type(value) in (list, tuple, set, frozenset):
        for item in value:  # type: ignore[attr-defined]
            assert_data(item)
    elif type(value) is dict:
        for key, item in value.items():
            assert_data(key)
            assert_data(item)
    else:
        assert type(value) in (bool, int, float, complex, str, bytes, type(None))


def test_mutants_give_data_or_source_error() -> None:
    loaded, reasons = 0, set()
    for content in mutants(seed=20, count=4000):
        try:
            value = load(content, "a.pt")
        except SourceError as error:
            reasons.add(str(error))
            continue
        loaded += 1
        assert_data(value)
    assert loaded > 100
    assert len(reasons) > 100


# The corpus in a process of its own: every audit event during load is noted, memory is limited.
WATCH = """
import json, pathlib, resource, sys
from bidsify.errors import SourceError
from bidsify.readers.tensors import load
contents = {path.name: path.read_bytes() for path in sorted(pathlib.Path(sys.argv[1]).iterdir())}
"".encode("cp437")  # zipfile imports the codec when it meets its first old name
pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + (256 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
events, messages, watching = [], {}, False
sys.addaudithook(lambda event, arguments: events.append(event) if watching else None)
for name, content in contents.items():
    watching = True
    try:
        load(content, "a.pt")
        messages[name] = ""
    except SourceError as error:
        messages[name] = str(error)
    watching = False
print(json.dumps({"events": sorted(set(events)), "messages": messages}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and RLIMIT_AS")
def test_nothing_is_imported_opened_or_run(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "files", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    hostile = [content for content, _ in HOSTILE.values()]
    for index, content in enumerate([*hostile, *mutants(seed=21, count=500)]):
        (folder / f"{index:04}").write_bytes(content)
    result = subprocess.run(
        [sys.executable, "-c", WATCH, str(folder)],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert set(report["events"]) <= {"marshal.loads"}
    assert len(report["messages"]) == len(HOSTILE) + 500
    assert all(report["messages"][f"{index:04}"] for index in range(len(HOSTILE)))
    assert not [text for text in report["messages"].values() if "MemoryError" in text]
    assert list(elsewhere.iterdir()) == []
