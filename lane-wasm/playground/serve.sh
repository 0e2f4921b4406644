#!/usr/bin/env bash
# Builds the playground and serves it on loopback:  lane-wasm/playground/serve.sh [PORT]
#
# Prints the address. Builds the npm package first if it is not there (Rust with the target wasm32-unknown-unknown, Node).
set -euo pipefail
cd "$(dirname "$0")"

[ -f ../pkg/full.js ] || ../build.sh
[ -d node_modules ] && [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --silent --no-audit --no-fund
node_modules/.bin/vite build --logLevel warn
exec node_modules/.bin/vite preview --host 127.0.0.1 --port "${1:-4173}"
