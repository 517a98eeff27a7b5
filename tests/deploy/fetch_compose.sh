#!/usr/bin/env bash
# Unpacks Debian trixie's docker-compose into the folder named, from the mirror this machine's apt already uses. Nothing is installed.
set -euo pipefail
folder=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# apt fills the address in, not the shell
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 -E '/debian/?$')
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/got" "$folder"
chmod -R a+rX "$work"
chmod 777 "$work/got"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$work/sources.list"
options=(-qq -o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15 -o Acquire::Retries=1
  -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$work/lists"
  -o Dir::Cache="$work/cache" -o Dir::State::status=/dev/null)
apt-get "${options[@]}" update
(cd "$work/got" && apt-get "${options[@]}" download docker-compose)
for package in "$work"/got/*.deb; do dpkg-deb -x "$package" "$folder"; done
