"""What many files have in common, in place of the context of one: rules are decided with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .expressions import Expression
from .rulebook import MANY

if TYPE_CHECKING:
    from ..context import Context


class Known:
    """What all files alike have in common, in place of a context; all else it refuses to tell.

    An expression that can be evaluated with it has the same value for each of these files.
    """

    def __init__(self, context: Context, roots: frozenset[str], *, has_keys: bool = False) -> None:
        self._context = context
        self._roots = roots | {"sidecar"} if has_keys else roots
        self.entities = _Entities(context.entities)
        self._sidecar = _Keys(context.sidecar) if has_keys else context.sidecar

    def verdict(self, expression: Expression) -> bool | None:
        """Say whether an expression holds; None where that takes more than is known."""
        try:
            return expression.holds(self)
        except UndecidedError:
            return None

    def __getattr__(self, name: str) -> Any:
        if name not in self._roots:
            raise UndecidedError(name)
        return self._sidecar if name == "sidecar" else getattr(self._context, name)


class UndecidedError(Exception):
    """The value is not the same for all files alike."""


class _Entities(dict[str, str]):
    """Entities whose labels are known but for those that differ from file to file."""

    def get(self, key: str, default: Any = None) -> Any:
        if key in MANY:
            raise UndecidedError(key)
        return super().get(key, default)


class _Keys(dict[str, Any]):
    """A sidecar of which only the keys are known."""

    def get(self, key: str, default: Any = None) -> Any:
        if key in self:
            raise UndecidedError(key)
        return default
