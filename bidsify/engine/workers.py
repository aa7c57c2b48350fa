"""Where work is done: in processes of this machine, or by the workers of a Dask cluster."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TypeAlias

from ..errors import UsageError

#: Without a scheme Dask takes it for tcp://. A host of IPv6 stands in brackets.
_ADDRESS = re.compile(
    r"(?:(?:tcp|tls|wss?|ucx)://)?(?:\[[^\s\[\]/@]+\]|[^\s\[\]:/@]+):(?P<port>[0-9]{1,5})"
)
_MOST_PORTS = 65535


@dataclass(frozen=True, slots=True)
class Cluster:
    """The workers of a Dask scheduler at ``address``, such as ``tcp://host:8786``.

    Source and output must be on a file system that all of them share, under the same paths.

    Raises:
        UsageError: Dask is not installed, or that is no address.
    """

    address: str

    def __post_init__(self) -> None:
        """Say at once what is wrong: a client of Dask would try a bad address for long."""
        if find_spec("distributed") is None:
            msg = "a cluster needs Dask: python -m pip install 'bidsify-datasets[dask]'"
            raise UsageError(msg)
        found = _ADDRESS.fullmatch(self.address)
        if not found or not 0 < int(found["port"]) <= _MOST_PORTS:
            msg = f"{self.address!r} is no address of a scheduler; write tcp://HOST:PORT"
            raise UsageError(msg)


#: A number of processes of this machine, of which 1 is this very process; or a cluster.
Workers: TypeAlias = int | Cluster


class WorkerDiedError(Exception):
    """The process that ran this item was killed, twice; most often for want of memory."""
