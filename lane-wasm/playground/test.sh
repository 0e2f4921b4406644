#!/usr/bin/env bash
# Everything that must hold of the playground:  lane-wasm/playground/test.sh [PART OF A CHECK'S NAME]
#
# Types, unit tests, the build and its size, then the built page in Chromium (Debian's `chromium`, or the one that the
# variable CHROMIUM names). Screenshots go to target/playground-screenshots. Builds the npm package if it is not there.
set -euo pipefail
cd "$(dirname "$0")"

[ -f ../pkg/full.js ] || ../build.sh
[ -d node_modules ] && [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --silent --no-audit --no-fund
node_modules/.bin/tsc --noEmit
node_modules/.bin/vitest run
node_modules/.bin/vite build --logLevel warn
node tests/size.mjs
node tests/browser/run.mjs "$@"
