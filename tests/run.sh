#!/bin/sh
# Set up a virtual environment and run the tests. Usage: sh tests/run.sh [PYTEST OPTIONS]
set -eu
cd "$(dirname "$0")/.."
[ -x .venv/bin/python ] || "${PYTHON:-python3}" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[test]"
exec .venv/bin/python -m pytest -n auto "$@"
