#!/usr/bin/env bash
# Starts Qwen3-VL-8B in vLLM on port 38011. Options are those of vlm.sh, `--profile` included; `--dry-run` only prints the docker command.
set -euo pipefail
exec "$(dirname "$0")/vlm.sh" --profile qwen3-vl-8b "$@"
