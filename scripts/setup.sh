#!/usr/bin/env bash
# Makes .venv from the hash-locked requirements. `setup.sh` installs what the programs run on, `setup.sh dev` also what checks and tests need.
# Can be run again: does nothing when .venv is current. As root or with sudo it adds missing Debian packages; otherwise it says which.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/debian.sh

say() { printf '\033[2m[setup]\033[0m %s\n' "$*"; }
fail() { printf '\033[31m[setup]\033[0m %s\n' "$*" >&2; exit 1; }

case "${1:-run}" in
  run) lock=requirements.lock ;;
  dev) lock=requirements-dev.lock ;;
  *) fail "usage: scripts/setup.sh [run|dev]" ;;
esac

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3; do
    if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

python=$(find_python) || { debian python3 python3-venv && python=$(find_python); } ||
  fail "Python 3.11 or newer is needed. On Debian or Ubuntu: sudo apt-get install python3 python3-venv"

stamp=".venv/.installed-$(sha256sum "$lock" requirements-setup.lock | sha256sum | cut -c1-16)"
if [ -f "$stamp" ] && .venv/bin/python -c '' 2>/dev/null; then
  exit 0
fi

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  say "making .venv with $("$python" --version)"
  rm -rf .venv
  "$python" -m venv .venv 2>/dev/null ||
    { debian python3-venv && "$python" -m venv .venv; } ||
    fail "Python's venv module is missing. On Debian or Ubuntu: sudo apt-get install python3-venv"
fi

say "installing $(grep -c '==' "$lock") packages from $lock (about a minute on a first run)"
export PIP_DISABLE_PIP_VERSION_CHECK=1 UV_COMPILE_BYTECODE=1 UV_SYSTEM_CERTS=1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if .venv/bin/python -m pip install -q --require-hashes -r requirements-setup.lock >"$log" 2>&1 &&
  .venv/bin/uv pip install -q --python .venv/bin/python --require-hashes -r "$lock" >>"$log" 2>&1; then
  :
else
  say "the fast installer did not work here, trying pip"
  .venv/bin/python -m pip install -q --no-deps --require-hashes -r "$lock" >>"$log" 2>&1 || { tail -n 15 "$log" >&2; fail "installing failed; the lines above say why"; }
fi

cat >.venv/bin/timetravel <<SH
#!/bin/sh
PYTHONPATH="$PWD\${PYTHONPATH:+:\$PYTHONPATH}" exec "$PWD/.venv/bin/python" -m extension "\$@"
SH
chmod +x .venv/bin/timetravel
touch "$stamp"
say "ready"
