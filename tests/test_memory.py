"""Memory that is freed is kept for the next volume, where the C library can."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys

import pytest

from bidsify.engine import memory

#: Prints how many fresh pages a volume of 100 MB takes after one of its size was freed.
FAULTS = """
import resource, sys
from bidsify.engine import memory
getattr(memory, sys.argv[1])()
for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    volume = bytearray(100 << 20)
    volume[::4096] = b"x" * 25600
    del volume
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
@pytest.mark.parametrize(("how", "is_kept"), [("keep_memory", True), ("keep_small_memory", False)])
def test_a_volume_takes_the_pages_of_the_one_before(how: str, *, is_kept: bool) -> None:
    said = subprocess.check_output([sys.executable, "-c", FAULTS, how], text=True)
    assert (int(said) < 5000) is is_kept


def test_a_c_library_without_these_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    memory.keep_memory.__wrapped__()
    memory.give_back()
