"""What somebody says of the terms of data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .licences import STRICTNESS, Redistribution, is_public_domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What somebody says of the terms; see ``schemas/terms.schema.json``."""

    licence: str
    summary: str
    redistribution: Redistribution
    evidence: str
    dataset: str = ""
    route: str = ""
    spdx: str = ""
    share_alike: bool = False
    registration_required: bool = False
    terms_url: str = ""

    @property
    def document(self) -> dict[str, Any]:
        """Return it as JSON, without what is not stated."""
        return {name: value for name, value in sorted(asdict(self).items()) if value}

    @property
    def is_public_domain(self) -> bool:
        """Say whether it asks for nothing at all."""
        return self.redistribution == "allowed" and is_public_domain(self.licence, self.spdx)

    @property
    def strictness(self) -> tuple[int, bool, bool]:
        """Return what statements are compared by; the greater is the stricter."""
        return (
            STRICTNESS.index(self.redistribution),
            self.share_alike,
            not self.is_public_domain,
        )
