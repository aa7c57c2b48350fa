"""The version of this program, which its outputs name."""

from __future__ import annotations

__version__ = "0.1.0"

#: The day of this version: outputs are dated by it, so that they do not depend on the clock.
RELEASED = "2026-11-21"
