#!/bin/sh
# Build these pages into docs/_build/html; a warning is an error. Usage: sh docs/build.sh [OPTIONS]
# Where the Python at hand (PYTHON=... chooses one) lacks the extra "docs", .venv gets it; with it
# nothing is fetched.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
needed="import click, furo, myst_parser, numpy, nibabel, sphinx_click"
if ! "$python" -c "$needed" 2>/dev/null; then
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    python=.venv/bin/python
    "$python" -c "$needed" 2>/dev/null ||
        "$python" -m pip install --quiet --disable-pip-version-check --editable ".[docs]"
fi
exec "$python" -m sphinx -n -W --keep-going -q -E "$@" docs docs/_build/html
