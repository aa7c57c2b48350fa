"""What can go wrong with somebody's data, as opposed to what is wrong with this program.

Everything else is a bug and must escape with its traceback. A message says what is wrong,
where, and what to do: offending path first, values with ``!r``.
"""

from __future__ import annotations


class BidsifyError(Exception):
    """Root of all errors that a user can mend."""


class DeclarationError(BidsifyError):
    """A dataset declaration contradicts itself or the BIDS schema: its author's fault."""


class UsageError(BidsifyError):
    """The command cannot start: dataset not recognised, output folder not ours."""


class SourceError(BidsifyError):
    """A source file is not what it claims to be."""


class ClusterError(BidsifyError):
    """A Dask cluster cannot be reached, is gone, or has a worker that is not fit for the run."""


class SchemaError(BidsifyError):
    """One of our own JSON documents does not fit its schema."""


class TermsError(BidsifyError):
    """The terms of the data do not allow what was asked; the message has the clause."""
