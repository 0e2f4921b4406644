#!/bin/sh
# Measures everything and writes benches/record/DATE.md and plot.svg: some minutes, on a machine with little else to do.
set -eu
cd "$(dirname "$0")/.."
record="benches/record/$(date +%Y-%m-%d).md"
new=$(mktemp)
trap 'rm -f "$new"' EXIT
cargo build --quiet --release -p lane-benches
cargo build --quiet --release --manifest-path benches/peers/Cargo.toml
{
    echo "# Measured on $(date +%Y-%m-%d), engine at $(git describe --always --dirty 2>/dev/null || echo unknown), $(rustc --version)"
    echo
    echo "What the workloads are and how it is measured stands in [benches](../README.md); what each peer leaves out, in [peers](../peers/README.md)."
    echo
    echo '# Goals'
    echo
    echo '```'
    cargo run --quiet --release -p lane-benches --bin ratios || true
    cargo run --quiet --release --manifest-path benches/peers/Cargo.toml || true
    echo '```'
    echo
    echo '# With peers'
    echo
    cargo run --quiet --release --manifest-path benches/peers/Cargo.toml benches/record
    echo
    echo '# By the index and without it'
    echo
    cargo run --quiet --release -p lane-benches --bin bench -- "$@"
} > "$new"
cat "$new" > "$record"
echo "written: $record, benches/record/plot.svg"
