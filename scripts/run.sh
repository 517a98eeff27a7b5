#!/usr/bin/env bash
# Sets up what is missing, then does the main job on the embedded default: video in, accident alerts out.
# Options go to `timetravel run`; `scripts/run.sh --help` lists them.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
"$here/scripts/setup.sh" run
exec "$here/.venv/bin/timetravel" run "$@"
