#!/usr/bin/env bash
# Measures the product: `bench.sh spine|replay-views|all [--seed N] [--report FILE]`. Figures go to the report, with the bar and whether it holds.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh dev
PYTHONPATH=. exec .venv/bin/python scripts/bench.py "$@"
