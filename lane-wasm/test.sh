#!/usr/bin/env bash
# Builds the npm package and tests it:  lane-wasm/test.sh
#
# Needs what build.sh needs, and a chromium (Debian: chromium). The playground has a test.sh of its own.
set -euo pipefail
cd "$(dirname "$0")"

./build.sh
node scripts/size.mjs
# What people write for JavaScript, in Rust; and that the engine answers the same without the index.
cargo test --quiet --package lane-wasm
cargo test --quiet --package lane-tests --no-default-features --test vectors --test differential
node --expose-gc --test tests/api.test.mjs tests/hostile.test.mjs tests/crash.test.mjs
node tests/vectors.node.mjs
node tests/vectors.browser.mjs
node tests/package.mjs
