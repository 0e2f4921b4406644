#!/usr/bin/env bash
# Compares the transports: a decision, a compilation, and a reverse proxy with and without decisions.
#
#   lane-ffi/go/bench.sh [ARGUMENTS OF go test…]
#
# Two runs take turns on one machine, so only ratios within one output mean something.
set -euo pipefail
cd "$(dirname "$0")"
export GOTOOLCHAIN=local
./build-static.sh --release
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
CGO_ENABLED=1 go test -c -o "$work/wasm" .
CGO_ENABLED=1 go test -c -tags lane_cgo -o "$work/cgo" .
for _ in 1 2 3; do
    for transport in wasm cgo; do
        "$work/$transport" -test.run '^$' -test.bench . -test.benchtime 0.3s "$@" | tee -a "$work/out" | grep '^Benchmark'
    done
done
echo "== the best of three"
awk '/^Benchmark/ { if (!($1 in best) || $3 < best[$1]) best[$1] = $3; if (!($1 in order)) { order[$1] = ++n; names[n] = $1 } }
    END { for (i = 1; i <= n; i++) printf "%-50s %12.0f ns\n", names[i], best[names[i]] }' "$work/out"
