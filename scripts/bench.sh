#!/usr/bin/env bash
# Measures the product: `bench.sh NAME [--seed N] [--report FILE]`, or `all`; `--help` lists the names. Figures go to the report, with the bar and whether it holds.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh dev
PYTHONPATH=. exec .venv/bin/python scripts/bench.py "$@"
