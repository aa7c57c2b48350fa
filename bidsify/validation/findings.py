"""Make findings; equal ones are one object, however often they occur."""

from __future__ import annotations

from functools import lru_cache

from . import codes
from .issue import Finding, Severity


@lru_cache(maxsize=65536)
def finding(
    code: str, message: str = "", where: str = "", rule: str = "", severity: Severity | None = None
) -> Finding:
    """Return a finding; severity and message are those of its code where none are given."""
    if not message and (known := codes.find(code)):
        message = known.meaning
    return Finding(code, severity or codes.severity_of(code), message, where, rule)
