"""Texts that may identify a person: keys of sidecars, and text fields of NIfTI headers."""

from __future__ import annotations

from collections.abc import Iterator

from ...identifying import identifying_keys, traces
from ..context import Context
from .labels import listed
from .registry import Fault, header_check, is_image, is_json


@header_check("SIDECAR_IDENTIFYING_KEY", on=is_json)
def sidecars_identify_nobody(context: Context) -> Iterator[Fault]:
    """No sidecar has a key that identifies a person and a value that does."""
    label = context.entities.get("sub", "")
    if found := list(identifying_keys(context.json, label)):
        yield Fault(f"with a value: {', '.join(found)}", found[0])


@header_check("NIFTI_HEADER_TEXT", on=is_image)
def headers_identify_nobody(context: Context) -> Iterator[Fault]:
    """No text field of a header holds a name, a date or a user's folder."""
    if context.header is None:
        return
    for field, text in context.header.texts.items():
        if text and (found := traces(text)):
            yield Fault(f"{field} looks as if it held {listed(found)}: {text!r}", field)
