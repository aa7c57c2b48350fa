"""The command line: parse, call, print, exit. No decision about data is made here.

Results go to stdout, all else to stderr. Heavy imports wait until a command needs them.
"""

from __future__ import annotations

import click

from ..version import __version__
from . import conversion, deidentify, demo, export, labels, preprocess, report, share, validation
from .console import Program, color, common


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bidsify")
@common
@click.pass_context
def main(ctx: click.Context) -> None:
    """Convert public medical-image segmentation datasets to BIDS, and prove it.

    Start with: bidsify demo ./demo
    """
    ctx.color = color()


for _module in (
    conversion,
    validation,
    labels,
    preprocess,
    deidentify,
    export,
    report,
    share,
    demo,
):
    for _command in _module.COMMANDS:
        main.add_command(_command)
