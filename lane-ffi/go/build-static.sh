#!/usr/bin/env bash
# Builds the static library for the cgo transport into lane-ffi/go/lib, where `go build -tags lane_cgo` looks for it:
#
#   lane-ffi/go/build-static.sh [CARGO ARGUMENTS…]     for example --release
set -euo pipefail
cd "$(dirname "$0")"
root="$(cd ../.. && pwd)"
profile=debug
for argument in "$@"; do if [ "$argument" = --release ]; then profile=release; fi; done
(cd "$root" && cargo build --quiet --package lane-ffi --lib "$@")
mkdir -p lib
# Only the archive: beside a shared library of the same name the linker would take that one.
cp "${CARGO_TARGET_DIR:-$root/target}/$profile/liblane_ffi.a" lib/
