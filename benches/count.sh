#!/bin/sh
# Instructions a decision against the record: more than 5 % growth fails. LANE_UPDATE=1 writes the record anew.
set -eu
cd "$(dirname "$0")/.."
record=benches/record/instructions.txt
now=$(mktemp)
trap 'rm -f "$now"' EXIT
cargo run --quiet --release -p lane-benches --bin count > "$now"
if [ "${LANE_UPDATE:-}" = 1 ]; then
    cat "$now" > "$record"
    cat "$record"
    exit 0
fi
awk '
    NR == FNR { recorded[$1 " " $2] = $3; next }
    {
        name = $1 " " $2
        at[name] = $3
        seen[name] = 1
        if (!(name in recorded)) { printf "new      %-28s %8d, not in the record\n", name, $3; failed = 1; next }
        growth = ($3 / recorded[name] - 1) * 100
        word = growth > 5 ? "GREW" : growth < -5 ? "fell" : "same"
        if (word == "GREW") failed = 1
        printf "%-8s %-28s %8d, recorded %8d (%+.1f %%)\n", word, name, $3, recorded[name], growth
    }
    END {
        for (name in recorded) if (!(name in seen)) { printf "gone     %s\n", name; failed = 1 }
        split("onehost manyhosts tagonly core", mixes, " ")
        for (i = 1; i <= 4; i++) printf "growth   %s from 10 to 100,000 rules: %.2f\n", mixes[i], at[mixes[i] " 100000"] / at[mixes[i] " 10"]
        if (failed) print "update the record where this is meant: LANE_UPDATE=1 benches/count.sh"
        exit failed
    }
' "$record" "$now"
