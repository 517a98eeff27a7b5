#!/usr/bin/env bash
# Starts a VLM server in a container from one of vlm_server/profiles: `vlm.sh --profile NAME`; `--list` names them, `--dry-run` only prints the command.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)

# The environment of the project first; a system's Python will do when it has what the launcher reads profiles with.
for python in "$here/.venv/bin/python" python3.13 python3.12 python3.11 python3; do
  if "$python" -c 'import sys, pydantic, rich, yaml; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    PYTHONPATH="$here" exec "$python" -m vlm_server.launch "$@"
  fi
done
echo "[vlm] Python 3.11 or newer with the project's packages is needed: run scripts/setup.sh first" >&2
exit 1
