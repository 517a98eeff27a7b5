#!/usr/bin/env bash
# Sets up what is missing, then runs every check: style, types, import contracts, tests. Options go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/debian.sh
scripts/setup.sh dev

command -v make >/dev/null || debian make || { echo "[test] make is needed. On Debian or Ubuntu: sudo apt-get install make" >&2; exit 1; }
if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null && ! command -v google-chrome >/dev/null; then
  debian chromium fonts-noto-cjk || echo "[test] chromium could not be installed: the tests of the page will be skipped"
fi

make --no-print-directory check PYTEST_ARGS="$*"
