#!/usr/bin/env bash
# Proves that lane-core needs no operating system: it is built for a target that has only `core` and `alloc`, so that a
# dependency which quietly wants `std` does not compile. One such target is enough; the first that can be had is taken.
# wasm32-unknown-unknown is built as well: browsers run on it, but it ships a std and proves nothing. The last line says
# what was built.
#
#   tests/no-std.sh [TARGET…]
set -euo pipefail
cd "$(dirname "$0")/.."

# Whether the toolchain has the target, after trying to add it.
has() {
    local libraries
    libraries="$(rustc --print target-libdir --target "$1" 2>/dev/null)" || return 1
    [ -d "$libraries" ] && return 0
    command -v rustup >/dev/null && timeout 120 rustup target add "$1" >/dev/null 2>&1 && [ -d "$libraries" ]
}

# Whether the target's library holds `std`.
with_std() {
    compgen -G "$(rustc --print target-libdir --target "$1")/libstd-*" >/dev/null
}

build() {
    # Into a folder of its own, for lints and features of the host's build do not matter here.
    cargo build --quiet --package lane-core --target "$1" --target-dir "${CARGO_TARGET_DIR:-target}/no-std"
}

proof=""
built=""
if [ $# -gt 0 ]; then targets=("$@"); else targets=(x86_64-unknown-none thumbv7em-none-eabi riscv64gc-unknown-none-elf wasm32-unknown-unknown); fi
for target in "${targets[@]}"; do
    # One bare target proves it.
    if [ -n "$proof" ] && [ "$target" != wasm32-unknown-unknown ]; then continue; fi
    if ! has "$target"; then
        echo "no-std: target $target is not there and cannot be added" >&2
        continue
    fi
    build "$target"
    built="$built $target"
    with_std "$target" || proof="$target"
done
if [ -z "$built" ]; then
    echo "no-std: no target could be had; nothing is proved" >&2
    exit 1
fi
if [ -n "$proof" ]; then
    echo "no-std: lane-core builds for$built; $proof has no std"
else
    # Such a target ships a std, so a dependency that wants one compiles there: better than nothing, and said.
    echo "no-std: lane-core builds for$built, which is no proof: no target without std could be had"
fi
