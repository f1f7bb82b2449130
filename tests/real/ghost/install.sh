#!/bin/bash
# A real Ghost from npm, with its own Node, in the folder given (about 3 minutes and 900 MB; done once).
#   tests/real/ghost/install.sh .cache/ghost
set -euo pipefail
GHOST=6.65.0
NODE=22.23.3
mkdir -p "${1:?a folder for Ghost}"
cd "$1"
HOME_OF_GHOST=$PWD
STAMP="installed-$GHOST-$NODE"
[ -e "$STAMP" ] && exit 0
rm -rf node package installed-*
npm install --no-save --no-audit --no-fund --prefix "$HOME_OF_GHOST/node" "node@$NODE"
PATH="$HOME_OF_GHOST/node/node_modules/node/bin:$PATH"
export PATH
# The headers came with it, so that nothing has to be downloaded to build the database driver.
npm_config_nodedir=$(dirname "$(find "$HOME_OF_GHOST/node" -path '*/include/node/common.gypi' -print -quit)")/../..
export npm_config_nodedir
archive=$(npm pack --silent "ghost@$GHOST")
tar xzf "$archive"
rm "$archive"
cd package
# `npm install ghost` fails on its bundled components, and building re2 and dtrace takes minutes that nothing here needs.
npm install --omit=dev --no-audit --no-fund --legacy-peer-deps --ignore-scripts
npm --prefix node_modules/better-sqlite3 run install
touch "../$STAMP"
