#!/bin/sh
# Set up, make a small synthetic dataset in its native layout, convert it, verify it, validate it,
# look at it, and let the official BIDS validator say the same. Usage: sh examples/demo.sh [DATASET]
set -eu
cd "$(dirname "$0")/.."
[ -x .venv/bin/python ] || "${PYTHON:-python3}" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check . "bids-validator-deno>=3.0.2"
.venv/bin/bidsify demo demo --dataset "${1:-ivdm3seg}"
.venv/bin/bids-validator-deno "demo/bids/${1:-ivdm3seg}" --max-rows -1
