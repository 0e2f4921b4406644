#!/usr/bin/env bash
# The module inside real Envoys: 1.40 in every form, older versions with the filter. What is missing is installed under target/.
#
#   lane-ffi/proxies/envoy/test.sh [arguments of `python3 -m unittest`]
#
# LANE_ENVOY_VERSIONS (default: "1.38.3 1.39.3 1.40.0") says which Envoys.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
cd "$here/../../.."
target="${CARGO_TARGET_DIR:-$PWD/target}"
read -ra versions <<<"${LANE_ENVOY_VERSIONS:-1.38.3 1.39.3 1.40.0}"

# Copies, so that whoever builds meanwhile does not change what is tested. The second module can be made to panic.
modules="$(mktemp -d)"
trap 'rm -rf "$modules"' EXIT
mkdir "$modules/plain" "$modules/probe"
cargo build --quiet -p lane-envoy --features probe
cp "$target/debug/liblane_envoy.so" "$modules/probe/"
cargo build --quiet -p lane-envoy
cp "$target/debug/liblane_envoy.so" "$modules/plain/"

envoys=""
for version in "${versions[@]}"; do
    path="$("$here/envoys.sh" "$version")"
    envoys="$envoys${envoys:+, }\"$version\": \"$path\""
done

export LANE_ENVOYS="{$envoys}" LANE_ENVOY_MODULES="$modules/plain" LANE_ENVOY_PROBES="$modules/probe"
cd "$here/tests"
if [ $# -eq 0 ]; then set -- test_lanes test_operations test_readme test_vectors; fi
python3 -W error -m unittest --verbose "$@"
