#!/usr/bin/env bash
# Builds the npm package into lane-wasm/pkg:  lane-wasm/build.sh
#
# Needs Rust with the target wasm32-unknown-unknown, which rustup brings if it can, and Node with npm.
set -euo pipefail
cd "$(dirname "$0")"
root="$(cd .. && pwd)"
target="${CARGO_TARGET_DIR:-$root/target}"
out="$target/lane-wasm"

fail() {
    echo "lane-wasm/build.sh: $*" >&2
    exit 1
}

has_target() { [ -d "$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null)" ]; }

# The engine, compiled for the browser; arguments go to cargo.
build() {
    if has_target || { command -v rustup >/dev/null && rustup --quiet target add wasm32-unknown-unknown && has_target; }; then
        cargo build --quiet --package lane-wasm --profile wasm --target wasm32-unknown-unknown "$@"
    elif [ -x /usr/bin/cargo ] && [ -x /usr/bin/wasm-ld-19 ] && [ -d /usr/lib/rustlib/src/rust ]; then
        # Debian's rustc-web, cargo-web, rust-web-src and lld-19, which build the standard library as they go.
        PATH="/usr/bin:$PATH" RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-19 \
            /usr/bin/cargo build --quiet --package lane-wasm --profile wasm --target wasm32-unknown-unknown \
            -Zbuild-std=std,panic_abort --target-dir "$out/debian" "$@"
        mkdir -p "$target/wasm32-unknown-unknown/wasm"
        cp "$out/debian/wasm32-unknown-unknown/wasm/lane_wasm.wasm" "$target/wasm32-unknown-unknown/wasm/"
    else
        fail "Rust has no target wasm32-unknown-unknown: rustup target add wasm32-unknown-unknown
  or, on Debian, apt-get install rustc-web cargo-web rust-web-src lld-19"
    fi
}

[ -d node_modules ] && [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --silent --no-audit --no-fund

mkdir -p "$out"
for entry in lane full; do
    if [ "$entry" = full ]; then build --features full; else build; fi
    cargo run --quiet --package lane-wasm-bindgen --features generate -- \
        "$target/wasm32-unknown-unknown/wasm/lane_wasm.wasm" "$out/raw" "$entry"
done
node scripts/pack.mjs "$out/raw" pkg
