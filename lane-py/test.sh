#!/usr/bin/env bash
# Builds the wheel and runs everything that must hold of it:
#
#   lane-py/test.sh [all | core | vectors | spark]
#
# `core` leaves out what starts a cluster (Spark, Ray, Dask's processes) and measures nothing; `vectors` runs the shared
# vectors only; `spark` what `core` leaves out. What is needed is installed below the target directory, once.
# Needs Rust, a Python from 3.10 to 3.13 with `venv` as `python3` (or $PYTHON), and for Spark a Java runtime from 17 on.
set -euo pipefail
cd "$(dirname "$0")"

what="${1:-all}"
python="${PYTHON:-python3}"
target="${CARGO_TARGET_DIR:-$PWD/../target}"
mkdir -p "$target/py"
target="$(cd "$target" && pwd)"
version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"

# One environment for each list of requirements: a new list is a new environment, and the old one is thrown away.
stamp="$version-$(sha256sum <tests/requirements.txt | cut -c1-12)"
venv="$target/py/venv"
if [ "$(cat "$venv/stamp" 2>/dev/null)" != "$stamp" ]; then
    echo "== installing what the tests need"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/requirements.txt
    echo "$stamp" >"$venv/stamp"
fi

echo "== building the wheel"
rm -rf "$target/py/wheels"
# Optimised, but not across crates: that takes minutes and is for wheels that are published. Speed is measured as built here.
CARGO_TARGET_DIR="$target/py/build" CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    CARGO_PROFILE_RELEASE_DEBUG=false \
    "$venv/bin/maturin" build --quiet --release --locked --interpreter "$venv/bin/python" --out "$target/py/wheels"
wheel="$(echo "$target"/py/wheels/lane-*.whl)"
"$venv/bin/pip" install --quiet --disable-pip-version-check --force-reinstall --no-deps "$wheel"

# Tests run away from the sources, so that what is tested is what was installed.
run_pytest() { (cd tests && PYTHONPATH=. "$venv/bin/pytest" --quiet -p no:cacheprovider --rootdir . "$@"); }
clusters=(test_spark.py test_recipes.py test_speed.py)

if [ "$what" = vectors ]; then
    run_pytest test_vectors.py
    exit
fi

if [ "$what" != spark ]; then
    echo "== the README in an empty environment"
    block="$target/py/readme.py"
    sed -n '/^```python$/,/^```$/p' README.md | sed '/^```/d' >"$block"
    [ -s "$block" ]
    # One wheel is for every Python from 3.10 on: all that are here say so.
    for each in "$python" python3.10 python3.11 python3.12 python3.13 python3.14; do
        "$each" -c 'import sys, sysconfig; sys.exit(bool(sysconfig.get_config_var("Py_GIL_DISABLED")))' 2>/dev/null || continue
        rm -rf "$target/py/empty"
        "$each" -m venv "$target/py/empty"
        "$target/py/empty/bin/pip" install --quiet --disable-pip-version-check --no-index "$wheel"
        "$target/py/empty/bin/python" "$block"
        "$target/py/empty/bin/lane" check ../examples/permissive.yaml >/dev/null
        echo "$("$target/py/empty/bin/python" --version): $("$target/py/empty/bin/python" -m lane --version)"
    done

    echo "== types and style"
    "$venv/bin/ruff" check --quiet --config pyproject.toml --cache-dir "$target/py/ruff" python tests
    "$venv/bin/ruff" format --quiet --check --config pyproject.toml --cache-dir "$target/py/ruff" python tests
    "$venv/bin/mypy" --config-file pyproject.toml --cache-dir "$target/py/mypy" python/lane
    (cd tests && MYPYPATH=. "$venv/bin/mypy" --config-file ../pyproject.toml --cache-dir "$target/py/mypy-tests" .)
    (cd "$target/py" && "$venv/bin/python" -m mypy.stubtest --concise lane._lane)

    echo "== tests"
    run_pytest -n 2 "${clusters[@]/#/--ignore=}"
fi

if [ "$what" != core ]; then
    echo "== clusters and speed"
    run_pytest -s "${clusters[@]}"
fi
