#!/usr/bin/env bash
# Builds the npm package into lane-wasm/pkg:  lane-wasm/build.sh
#
# Needs Node with npm, and Rust with the sources of its standard library, which rustup brings if it can. Without them the
# package is a fifth larger, and scripts/size.mjs complains.
set -euo pipefail
cd "$(dirname "$0")"
root="$(cd .. && pwd)"
target="${CARGO_TARGET_DIR:-$root/target}"
out="$target/lane-wasm"

fail() {
    echo "lane-wasm/build.sh: $*" >&2
    exit 1
}

sysroot="$(rustc --print sysroot)"
has_sources() { [ -d "$sysroot/lib/rustlib/src/rust/library" ]; }
has_target() { [ -d "$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null)" ]; }
rustup_adds() { command -v rustup >/dev/null && rustup --quiet "$@"; }

# The engine, compiled for the browser: build FOLDER PROFILE ARGUMENT… All builds give a file of one name, so each has a
# target folder of its own.
build() {
    export CARGO_TARGET_DIR="$1"
    local profile="$2"
    shift 2
    set -- build --quiet --package lane-wasm --profile "$profile" --target wasm32-unknown-unknown "$@"
    if has_sources || { rustup_adds component add rust-src && has_sources; }; then
        # The standard library built for size, and panics as traps without texts: a fifth less to load. These are flags of
        # nightly Rust, which the stable compiler takes when told so; nothing in the sources depends on them.
        RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none" \
            cargo "$@" -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size
    elif has_target || { rustup_adds target add wasm32-unknown-unknown && has_target; }; then
        cargo "$@"
    elif [ -x /usr/bin/cargo ] && [ -x /usr/bin/wasm-ld-19 ] && [ -d /usr/lib/rustlib/src/rust ]; then
        # Debian's rustc-web, cargo-web, rust-web-src and lld-19.
        PATH="/usr/bin:$PATH" RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-19 \
            /usr/bin/cargo "$@" -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size
    else
        fail "Rust has no target wasm32-unknown-unknown: rustup target add wasm32-unknown-unknown
  or, on Debian, apt-get install rustc-web cargo-web rust-web-src lld-19"
    fi
}

[ -d node_modules ] && [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --silent --no-audit --no-fund

mkdir -p "$out"
for entry in lane full mesh; do
    features=small
    profile=wasm
    if [ "$entry" != lane ]; then features="small,$entry"; fi
    if [ "$entry" = full ]; then profile=wasm-quick; fi
    (build "$out/$entry" "$profile" --features "$features")
    cargo run --quiet --package lane-wasm-bindgen --features generate -- \
        "$out/$entry/wasm32-unknown-unknown/$profile/lane_wasm.wasm" "$out/raw" "$entry"
done
node scripts/pack.mjs "$out/raw" pkg
