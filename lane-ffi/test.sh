#!/usr/bin/env bash
# Everything that is about C:
#
#   lane-ffi/test.sh [STEP…]       STEP: header vectors sanitize threads install valgrind life proxy nginx
#
# Without a step all of them, in this order. What they need: Rust by rustup, and Debian's gcc g++ make pkg-config cmake
# valgrind curl libjansson-dev nginx-light libnginx-mod-http-lua.
#
# The library itself is built with the sanitizers, not just the C around it; `wrong.c` holds programs with one fault each,
# and a sanitizer that does not report its fault was not on.
set -euo pipefail
cd "$(dirname "$0")"
here="$PWD"
target="${CARGO_TARGET_DIR:-$here/../target}"
mkdir -p "$target/ffi"
target="$(cd "$target" && pwd)"
export CARGO_TARGET_DIR="$target"
out="$target/ffi"
triple="$(rustc -vV | sed -n 's/^host: //p')"

needs=(-lpthread -ldl -lm)
warn=(-pedantic -Wall -Wextra -Werror -Wno-overlength-strings)
c99=(gcc -std=c99 -D_POSIX_C_SOURCE=200809L -g -O1 "${warn[@]}" -Iinclude)

fail() {
    echo "lane-ffi/test.sh: $*" >&2
    exit 1
}

# The command must fail, and say this.
must_report() {
    local wanted="$1" said
    shift
    if said="$("$@" 2>&1)"; then fail "a fault was not reported: $*"; fi
    grep -q -- "$wanted" <<<"$said" || fail "not reported as \`$wanted\`: $*: $said"
}

# The last of all: what was started is stopped, also when a step fails.
started=()
scratch="$(mktemp -d)"
stop() {
    local pid
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$scratch"
}
trap stop EXIT

plain_library() { (cd .. && cargo build --quiet --package lane-ffi --lib); }
release_library() { make --no-print-directory --silent all; }

# The header as C and as C++, old and new; then what is in it against the sources and the table of NULLs.
step_header() {
    cat >"$scratch/use.c" <<'C'
#include "lane.h"
int main(void) {
    lane_request request = lane_request_new();
    lane_decision decision = lane_decision_new();
    lane_changes changes = lane_changes_new(0, 0, 0, 0);
    lane_options options = lane_options_new();
    return lane_check() || !request.struct_size || !decision.struct_size || !changes.struct_size || !options.struct_size || lane_string(0).len;
}
C
    local std
    for std in c99 c11 c17; do gcc "-std=$std" "${warn[@]}" -Iinclude -fsyntax-only "$scratch/use.c"; done
    for std in c++98 c++11 c++20; do g++ "-std=$std" "${warn[@]}" -Iinclude -x c++ -fsyntax-only "$scratch/use.c"; done
    (cd .. && cargo test --quiet --package lane-ffi --test header)
    echo "header: C99 to C17 and C++98 to C++20 without a warning"
}

step_vectors() {
    plain_library
    "${c99[@]}" -fsanitize=address,undefined -fno-sanitize-recover=all tests/c/vectors.c -o "$out/vectors" "$target/debug/liblane_ffi.a" -ljansson "${needs[@]}"
    "$out/vectors" ../tests/vectors
}

# AddressSanitizer in the library and in the C, UndefinedBehaviorSanitizer in the C, LeakSanitizer over both.
step_sanitize() {
    (cd .. && RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address" CARGO_PROFILE_DEV_OPT_LEVEL=0 cargo rustc --quiet --package lane-ffi --lib \
        --crate-type staticlib --target "$triple" --target-dir "$out/asan")
    local library="$out/asan/$triple/debug/liblane_ffi.a" program how
    for program in vectors misuse life threads wrong; do
        "${c99[@]}" -fsanitize=address,undefined -fno-sanitize-recover=all "tests/c/$program.c" -o "$out/asan-$program" "$library" -ljansson "${needs[@]}"
    done
    must_report "heap-buffer-overflow" "$out/asan-wrong" over-read
    must_report "heap-use-after-free" "$out/asan-wrong" use-after-free
    must_report "LeakSanitizer: detected memory leaks" "$out/asan-wrong" leak
    must_report "signed integer overflow" "$out/asan-wrong" overflow
    "$out/asan-vectors" ../tests/vectors
    "$out/asan-misuse" >"$scratch/null.md"
    diff <(grep '^| `' docs/null.md) "$scratch/null.md" || fail "docs/null.md is not what the functions do"
    "$out/asan-life" 2000
    "$out/asan-threads" 20
    echo "sanitize: vectors, misuse ($(wc -l <"$scratch/null.md") cells of NULL), life, threads under ASan, UBSan and LSan"
}

# ThreadSanitizer in the library, in Rust's standard library and in the C.
step_threads() {
    [ -d "$(rustc --print sysroot)/lib/rustlib/src/rust/library" ] || rustup component add rust-src
    (cd .. && RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=thread" CARGO_PROFILE_DEV_OPT_LEVEL=0 cargo rustc --quiet --package lane-ffi --lib \
        --no-default-features --crate-type staticlib --target "$triple" -Zbuild-std=std,panic_unwind --target-dir "$out/tsan")
    gcc -std=c99 -O1 -fno-builtin "${warn[@]}" -c tests/c/tsan_names.c -o "$out/tsan_names.o"
    local program
    for program in threads wrong; do
        "${c99[@]}" -fsanitize=thread "tests/c/$program.c" "$out/tsan_names.o" -o "$out/tsan-$program" "$out/tsan/$triple/debug/liblane_ffi.a" "${needs[@]}"
    done
    must_report "ThreadSanitizer: data race" "$out/tsan-wrong" race
    "$out/tsan-threads" 50
    echo "threads: clean under ThreadSanitizer"
}

# Installed as a user installs it, found by cc, pkg-config and CMake.
step_install() {
    local prefix="$scratch/usr" version symbols
    make --no-print-directory --silent install PREFIX="$prefix"
    version="$(sed -n 's/^version = "\(.*\)"/\1/p' ../Cargo.toml | head -n 1)"
    readelf -d "$prefix/lib/liblane.so" | grep -q 'SONAME.*\[liblane.so.1\]' || fail "the SONAME is not liblane.so.1"
    symbols="$(nm -D --defined-only "$prefix/lib/liblane.so" | awk '{print $3}')"
    if grep -v '^lane_' <<<"$symbols"; then fail "the library exports what is not lane_*"; fi
    # Every function of the header, and nothing but what a header declares.
    diff <(grep -ohE '\blane_[a-z_]+\(' include/lane.h $(find . -path ./examples -prune -o -name '*packed*.h' -print) | grep -v '^//' | tr -d '(' | sort -u | grep -vxE 'lane_(string|check|(request|decision|changes|options)_new)') \
        <(sort -u <<<"$symbols") || fail "what the library exports is not what the headers declare"

    # The README's program, with one line.
    sed -n '/^```c$/,/^```$/p' README.md | sed '1d;/^```$/,$d' >"$scratch/readme.c"
    diff "$scratch/readme.c" examples/c/twenty.c || fail "the README's program is not examples/c/twenty.c"
    (cd "$scratch" && cc readme.c -I "$prefix/include" -L "$prefix/lib" -llane -Wl,-rpath,"$prefix/lib" -o readme)
    [ "$("$scratch/readme")" = "200: web.svc in lane v2" ] || fail "the README's program says something else"
    export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
    [ "$(pkg-config --modversion lane)" = "$version" ] || fail "pkg-config says another version"
    cc "$scratch/readme.c" $(pkg-config --cflags --libs lane) -Wl,-rpath,"$prefix/lib" -o "$scratch/by-pkg-config" && "$scratch/by-pkg-config" >/dev/null
    cc "$scratch/readme.c" $(pkg-config --cflags lane) "$prefix/lib/liblane.a" $(sed -n 's/^Libs.private: //p' "$prefix/lib/pkgconfig/lane.pc") -o "$scratch/static"
    "$scratch/static" >/dev/null

    mkdir -p "$scratch/cmake"
    cat >"$scratch/cmake/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.16)
project(readme C)
find_package(Lane ${version%.*} REQUIRED)
add_executable(shared ../readme.c)
target_link_libraries(shared Lane::lane)
add_executable(static ../readme.c)
target_link_libraries(static Lane::static)
CMAKE
    cmake -S "$scratch/cmake" -B "$scratch/cmake/build" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
    cmake --build "$scratch/cmake/build" >/dev/null
    "$scratch/cmake/build/shared" >/dev/null && "$scratch/cmake/build/static" >/dev/null

    # For packagers: DESTDIR before everything, the prefix inside the files.
    make --no-print-directory --silent install PREFIX=/usr DESTDIR="$scratch/stage"
    grep -q '^prefix=/usr$' "$scratch/stage/usr/lib/pkgconfig/lane.pc" || fail "DESTDIR got into lane.pc"
    make --no-print-directory --silent uninstall PREFIX=/usr DESTDIR="$scratch/stage"
    [ -z "$(find "$scratch/stage" -type f -o -type l)" ] || fail "uninstall left something"
    echo "install: cc, pkg-config, CMake, static; $(wc -l <<<"$symbols") functions exported, all lane_*"
}

# The library as it is shipped, under valgrind.
step_valgrind() {
    release_library
    # What is still reachable at the end is made once: the shapes of configurations.
    local check=(valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=definite,indirect,possible --errors-for-leak-kinds=definite,indirect,possible) program
    for program in vectors misuse life wrong; do
        "${c99[@]}" "tests/c/$program.c" -o "$out/plain-$program" "$target/release/liblane_ffi.a" -ljansson "${needs[@]}"
    done
    must_report "are definitely lost" "${check[@]}" "$out/plain-wrong" leak
    must_report "Invalid read" "${check[@]}" "$out/plain-wrong" over-read
    "${check[@]}" "$out/plain-vectors" ../tests/vectors
    "${check[@]}" "$out/plain-misuse" >/dev/null
    "${check[@]}" "$out/plain-life" 300
    echo "valgrind: vectors, misuse, life: no error, no leak"
}

# A million routers made, asked and freed, with the leak checker of gcc at the end and an eye on the process's size.
step_life() {
    release_library
    "${c99[@]}" -O2 -fsanitize=leak tests/c/life.c -o "$out/life" "$target/release/liblane_ffi.a" "${needs[@]}"
    "${c99[@]}" -O2 -fsanitize=leak tests/c/wrong.c -o "$out/leak-wrong" "$target/release/liblane_ffi.a" "${needs[@]}"
    must_report "LeakSanitizer: detected memory leaks" "$out/leak-wrong" leak
    "$out/life" 1000000 steady
}

# Two versions of a service and one of anything else: they say who they are and which headers came.
backends() {
    mkdir -p "$scratch/backends"
    cat >"$scratch/backends/nginx.conf" <<'CONF'
daemon off;
error_log stderr error;
pid backends.pid;
events {}
http {
    access_log off;
    server { listen 127.0.0.1:19001; location / { return 200 "v1 version=$http_version baggage=$http_baggage\n"; } }
    server { listen 127.0.0.1:19002; location / { return 200 "v2 version=$http_version baggage=$http_baggage\n"; } }
    server { listen 127.0.0.1:19003; location / { return 200 "other version=$http_version\n"; } }
}
CONF
    chmod 755 "$scratch" "$scratch/backends"
    nginx -p "$scratch/backends" -c nginx.conf &
    started+=("$!")
    backends_pid="$!"
    answers 19001 && answers 19003
}

# Whether somebody listens there, within some seconds.
answers() {
    local try
    for try in $(seq 100); do
        if curl --silent --output /dev/null --max-time 1 "http://127.0.0.1:$1/"; then return 0; fi
        sleep 0.1
    done
    fail "nobody answers at port $1"
}

# GET of web.example, or of $host, with further arguments of curl.
get() {
    local port="$1"
    shift
    curl --silent --show-error --max-time 5 -H "host: ${host:-web.example}" "$@" "http://127.0.0.1:$port/"
}

# The first is the second.
is() { [ "$1" = "$2" ] || fail "\`$2\` was expected, not \`$1\`"; }

# What holds for a gateway in front of the backends, whoever it is.
gateway_holds() {
    local port="$1" client
    is "$(get "$port" -H 'x-user-group: qa')" "v2 version=v2 baggage=version=v2"
    is "$(get "$port" -H 'x-user-group: qa' -H 'version: v1' -H 'baggage: a=1,version=v1')" "v2 version=v2 baggage=version=v2,a=1"
    is "$(get "$port" -H 'x-user-group: qa' --data 'a body')" "v2 version=v2 baggage=version=v2"
    is "$(host=closed.example get "$port" -o /dev/null -w '%{http_code}')" "404"
    # A new client gets a cookie, and stays where it is with it.
    get "$port" -o "$scratch/first" -D "$scratch/head"
    client="$(sed -n 's/^[Ss]et-[Cc]ookie: \(lane-id=[0-9a-f]*\).*/\1/p' "$scratch/head")"
    [ -n "$client" ] || fail "no cookie was set"
    for _ in 1 2 3; do is "$(get "$port" -H "cookie: $client")" "$(cat "$scratch/first")"; done
    # Both lanes are met.
    for _ in $(seq 40); do get "$port"; done | sort | uniq -c >"$scratch/shares"
    is "$(wc -l <"$scratch/shares")" 2
}

# examples/c/proxy.c: what a gateway does, the fallback when a version stops, and the reload.
step_proxy() {
    plain_library
    [ "$(wc -l <examples/c/proxy.c)" -lt 200 ] || fail "examples/c/proxy.c is no longer under 200 lines"
    gcc -g -O1 -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all -Iinclude examples/c/proxy.c -o "$out/proxy" "$target/debug/liblane_ffi.a" "${needs[@]}"
    backends
    cp proxies/nginx/lanes.json "$scratch/lanes.json"
    "$out/proxy" 18081 "$scratch/lanes.json" edge web.svc/v1=127.0.0.1:19001 web.svc/v2=127.0.0.1:19002 &
    started+=("$!")
    local proxy="$!"
    answers 18081
    gateway_holds 18081
    is "$(host=stranger.example get 18081 -o /dev/null -w '%{http_code}')" "404"
    is "$(printf 'no http\r\n\r\n' | curl --silent --max-time 5 "telnet://127.0.0.1:18081" | head -c 12)" "HTTP/1.1 400"
    # Reload: a wrong configuration changes nothing, a right one does.
    echo '{' >"$scratch/lanes.json"
    kill -HUP "$proxy"
    sleep 1.5
    is "$(get 18081 -H 'x-user-group: qa')" "v2 version=v2 baggage=version=v2"
    sed 's/"exact": "qa"/"exact": "staff"/; s/"weight": 1}\]/"weight": 0}]/' proxies/nginx/lanes.json >"$scratch/lanes.json"
    kill -HUP "$proxy"
    sleep 1.5
    is "$(get 18081 -H 'x-user-group: qa')" "v1 version=v1 baggage=version=v1"
    is "$(get 18081 -H 'x-user-group: staff')" "v2 version=v2 baggage=version=v2"
    # v2 has no endpoint any more: v1 serves, and the request still belongs to v2.
    "$out/proxy" 18082 "$scratch/lanes.json" edge web.svc/v1=127.0.0.1:19001 web.svc/v2=127.0.0.1:19009 &
    started+=("$!")
    answers 18082
    is "$(get 18082 -H 'x-user-group: staff')" "v1 version=v2 baggage=version=v2"
    kill "$backends_pid"
    wait "$backends_pid" || true
    is "$(get 18081 -o /dev/null -w '%{http_code}' -H 'x-user-group: staff')" "503"
    echo "proxy: lanes, cookies, fallback and reload through examples/c/proxy.c"
}

# proxies/nginx in a real nginx, from the file that is shown to users.
step_nginx() {
    release_library
    local home="$scratch/gateway"
    mkdir -p "$home"
    backends
    cp proxies/nginx/lanes.json proxies/nginx/lane.lua "$home/"
    sed -e "s|/usr/share/lane/|$home/|; s|/etc/nginx/lanes.json|$home/lanes.json|; s|127.0.0.1:8080|127.0.0.1:18083|; s|127.0.0.1:900|127.0.0.1:1900|" \
        -e "s|modules/|$(nginx -V 2>&1 | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p')/|" proxies/nginx/nginx.conf >"$home/nginx.conf"
    printf 'daemon off;\nerror_log error.log error;\npid gateway.pid;\nenv LANE_LIBRARY;\n' | cat - "$home/nginx.conf" >"$home/whole.conf"
    chmod 755 "$home"
    LANE_LIBRARY="$target/release/liblane_ffi.so" nginx -p "$home" -c whole.conf &
    started+=("$!")
    local nginx="$!"
    answers 18083
    gateway_holds 18083
    is "$(host=stranger.example get 18083 -H 'version: v2')" "other version="
    sed 's/"exact": "qa"/"exact": "staff"/; s/"weight": 1}\]/"weight": 0}]/' proxies/nginx/lanes.json >"$home/lanes.json"
    kill -HUP "$nginx"
    sleep 2
    is "$(get 18083 -H 'x-user-group: qa')" "v1 version=v1 baggage=version=v1"
    # A wrong configuration is refused with its place; what runs goes on.
    echo '{"version": 1, "groups": 3}' >"$home/lanes.json"
    kill -HUP "$nginx"
    sleep 2
    grep -q 'lanes.json: 1:26: LANE' "$home/error.log" || fail "nginx does not say what is wrong: $(cat "$home/error.log")"
    is "$(get 18083 -H 'x-user-group: staff')" "v2 version=v2 baggage=version=v2"
    echo "nginx: lanes, cookies and reload in $(nginx -v 2>&1 | sed 's/.*: //')"
}

steps=(header vectors sanitize threads install valgrind life proxy nginx)
wanted=("$@")
[ $# -gt 0 ] || wanted=("${steps[@]}")
for step in "${wanted[@]}"; do
    case " ${steps[*]} " in
    *" $step "*) "step_$step" ;;
    *) fail "\`$step\` is no step; there are: ${steps[*]}" ;;
    esac
done
