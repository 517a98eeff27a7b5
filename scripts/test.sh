#!/usr/bin/env bash
# Sets up what is missing, then runs every check: style, types, import contracts, tests. Options go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh dev

if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null && ! command -v google-chrome >/dev/null; then
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "[test] installing chromium for the tests of the page"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk; } >/dev/null 2>&1 ||
      echo "[test] chromium could not be installed: the tests of the page will be skipped"
  else
    echo "[test] no chromium here: the tests of the page will be skipped"
  fi
fi

make --no-print-directory check PYTEST_ARGS="$*"
