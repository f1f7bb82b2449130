#!/usr/bin/env bash
# `make test-container`: the Dockerfile's own steps in clean Debian roots, then the service in them, as a container
# engine would run it. Needs root and debootstrap (apt-get install debootstrap); no container engine.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
command -v debootstrap >/dev/null || { echo "debootstrap is missing: apt-get install debootstrap"; exit 1; }
[ "$(id -u)" = 0 ] || { echo "this needs root (chroot)"; exit 1; }
exec python3 "$here/build.py" "$@"
