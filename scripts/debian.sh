#!/usr/bin/env bash
# Sourced by the other scripts: `debian PACKAGE...` installs Debian packages where that is possible, and tells whether it was.
set -euo pipefail

debian() {
  command -v apt-get >/dev/null || return 1
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || return 1
    sudo=(sudo -n)
  fi
  echo "[setup] installing Debian packages: $*"
  "${sudo[@]}" apt-get update -qq >/dev/null 2>&1 || true
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1
}
