#!/usr/bin/env bash
# Builds the engine for the Go module, lane.wasm, which is checked in so that a fetched module needs no Rust:
#
#   lane-ffi/go/build-wasm.sh
#
# Needs Rust with the target wasm32-unknown-unknown, and Node with npm (for binaryen, which makes it half as large). Run it
# when the engine, lane-formats or the packed calls change; the module's tests fail where it matters.
set -euo pipefail
cd "$(dirname "$0")"
root="$(cd ../.. && pwd)"
target="${CARGO_TARGET_DIR:-$root/target}"
work="$target/go-wasm"
binaryen=132.0.0

fail() {
    echo "lane-ffi/go/build-wasm.sh: $*" >&2
    exit 1
}

command -v npm >/dev/null || fail "npm is missing: apt-get install npm"
if ! [ -d "$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null)" ]; then
    rustup --quiet target add wasm32-unknown-unknown || fail "Rust has no target wasm32-unknown-unknown: rustup target add wasm32-unknown-unknown"
fi
mkdir -p "$work"
if [ "$(sed -n 's/^ *"version": "\(.*\)",$/\1/p' "$work/node_modules/binaryen/package.json" 2>/dev/null)" != "$binaryen" ]; then
    npm install --silent --no-audit --no-fund --no-save --prefix "$work" "binaryen@$binaryen"
fi
tools="$work/node_modules/binaryen/bin"

# Where sources stand on this machine is nobody's business, and would make every machine's file another one.
flags="--remap-path-prefix=$root= --remap-path-prefix=$(rustc --print sysroot)/lib/rustlib/src/rust=rust"
for registry in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do flags="$flags --remap-path-prefix=$registry="; done
(cd "$root" && RUSTFLAGS="$flags" CARGO_TARGET_DIR="$work" cargo build --quiet --package lane-ffi --lib --features lane-formats/small --profile wasm --target wasm32-unknown-unknown)

# Of the C ABI only the packed calls are kept, and what they use.
features=(--enable-bulk-memory --enable-bulk-memory-opt --enable-call-indirect-overlong --enable-multivalue --enable-mutable-globals
    --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext)
graph='[{"name": "memory", "root": true, "export": "memory"}'
for name in abi compile call free lend return; do
    graph="$graph, {\"name\": \"$name\", \"root\": true, \"export\": \"lane_packed_$name\"}"
done
echo "$graph]" >"$work/exports.json"
"$tools/wasm-metadce" "${features[@]}" --graph-file "$work/exports.json" "$work/wasm32-unknown-unknown/wasm/lane_ffi.wasm" -o "$work/packed.wasm" >/dev/null
"$tools/wasm-opt" "${features[@]}" -O2 --strip-debug --strip-producers --strip-target-features "$work/packed.wasm" -o "$work/lane.wasm"
if grep -aqF "$HOME/" "$work/lane.wasm" || grep -aqF "$root/" "$work/lane.wasm"; then fail "the engine names folders of this machine"; fi
cp "$work/lane.wasm" lane.wasm
echo "lane-ffi/go/lane.wasm: $(wc -c <lane.wasm) bytes"
