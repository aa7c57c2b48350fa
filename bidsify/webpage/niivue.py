"""NiiVue as viewer: its code, taken out of the wheel of ipyniivue, without running any of it.

The wheel has the module as text within the script of a widget. Nothing here imports ipyniivue.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote

from ..errors import UsageError

#: What the policy of a page must allow besides its scripts: NiiVue is loaded from memory (blob:),
#: and has decoders in WebAssembly. It still may ask the network for nothing.
POLICY: Mapping[str, str] = MappingProxyType(
    {
        "script-src": "blob: 'wasm-unsafe-eval'",
        "img-src": "data: blob:",
        "connect-src": "data: blob:",
    }
)
_SCRIPT = "static/widget.js"
_LONGEST = 64 << 20
# A string of a million characters as encodeURIComponent writes them.
_MODULE = re.compile(r'"((?:[A-Za-z0-9_.!~*\'()-]|%[0-9A-F]{2}){1000000,})"')
_EXPORTS = re.compile(r"export\s*\{[^}]*\bNVImage\b[^}]*\bNiivue\b")


def module() -> str:
    """Return the source of NiiVue as a module of JavaScript.

    Raises:
        UsageError: ipyniivue is not installed, or has NiiVue in another way than known here.
    """
    found = importlib.util.find_spec("ipyniivue")
    if found is None or found.origin is None:
        msg = (
            "the viewer niivue needs ipyniivue; install it: pip install 'bidsify-datasets[niivue]'"
        )
        raise UsageError(msg)
    return _module(Path(found.origin).parent / _SCRIPT)


def _module(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as stream:
            script = stream.read(_LONGEST)
    except (OSError, UnicodeDecodeError):
        script = ""
    source = unquote(max(_MODULE.findall(script), key=len, default=""))
    if not _EXPORTS.search(source):
        msg = (
            f"ipyniivue has no NiiVue in {_SCRIPT} where bidsify looks for it; install a version "
            "between 2.4 and 3, or take --viewer canvas"
        )
        raise UsageError(msg)
    return source
