#!/usr/bin/env bash
# Tests the Go module with both transports:
#
#   lane-ffi/go/test.sh                    everything: format, vet, tests, race detector, vectors, a module that requires this one
#   lane-ffi/go/test.sh vectors go         the shared vectors, through WebAssembly
#   lane-ffi/go/test.sh vectors go-cgo     the shared vectors, through cgo
#
# Needs Go; for cgo, the race detector and Rust's static library also a C compiler and cargo.
set -euo pipefail
cd "$(dirname "$0")"
root="$(cd ../.. && pwd)"
export GOTOOLCHAIN=local

fail() {
    echo "lane-ffi/go/test.sh: $*" >&2
    exit 1
}

command -v go >/dev/null || fail "go is missing; see https://go.dev/dl"

# A module that requires this one, fetched as a proxy would serve it: without cargo, without a C compiler, without the repository.
downstream() {
    local work module=github.com/lane-proxy/lane/lane-ffi/go version=v0.0.1
    work="$(mktemp -d)"
    trap 'rm -rf "$work"' RETURN
    mkdir -p "$work/app" "$work/bin"
    # What git knows of is what would be fetched.
    git ls-files -z . | go run ./internal/proxytree "$module@$version" "$work/proxy"
    cat >"$work/app/go.mod" <<END
module example.com/app

go 1.25.0

require $module $version
END
    cat >"$work/app/app_test.go" <<'END'
package app

import (
	"testing"

	lane "github.com/lane-proxy/lane/lane-ffi/go"
)

func TestDownstream(t *testing.T) {
	router, err := lane.Compile([]byte("version: 1\ngroups: [{name: g, mode: strict, services: [{host: a.svc}], lanes: [{name: l}], rules: [{name: r, service: a.svc, lane: l}]}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer router.Close()
	decision, err := router.Ingress("edge", &lane.Request{Path: "/"})
	if err != nil || decision.Lane != "l" || lane.Transport != "wasm" {
		t.Fatal(decision, err, lane.Transport)
	}
}
END
    ln -s "$(command -v go)" "$work/bin/go"
    (
        cd "$work/app"
        # Other modules come from what this machine has fetched already, or from where it fetches.
        GOPROXY="file://$work/proxy,file://$(go env GOMODCACHE)/cache/download,$(go env GOPROXY)"
        export GOPROXY GOROOT="$(go env GOROOT)" GOCACHE="$(go env GOCACHE)" GONOSUMDB="$module" GOMODCACHE="$work/modules"
        export GOFLAGS=-modcacherw CGO_ENABLED=0 PATH="$work/bin"
        if command -v cargo || command -v cc; then
            echo "there is still a compiler on PATH" >&2
            exit 1
        fi
        go mod tidy
        go test -count=1 ./...
    )
}

case "${1:-all}" in
vectors)
    case "${2:-}" in
    go) CGO_ENABLED=0 go test -count=1 -run '^TestVectors$' . -v ;;
    go-cgo) ./build-static.sh && CGO_ENABLED=1 go test -count=1 -tags lane_cgo -run '^TestVectors$' . -v ;;
    *) fail "vectors of which transport? go or go-cgo" ;;
    esac
    ;;
all)
    unformatted="$(gofmt -l .)"
    [ -z "$unformatted" ] || fail "not formatted: $unformatted"
    ./build-static.sh
    for tags in "" lane_cgo; do
        echo "== go vet, tags: ${tags:-none}"
        go vet -tags "$tags" ./...
    done
    echo "== tests, WebAssembly, without cgo"
    CGO_ENABLED=0 go test -count=1 ./...
    for tags in "" lane_cgo; do
        echo "== race detector, tags: ${tags:-none}"
        CGO_ENABLED=1 go test -count=1 -race -tags "$tags" ./...
    done
    echo "== cgo with its checks of pointers"
    GOEXPERIMENT=cgocheck2 CGO_ENABLED=1 go test -count=1 -tags lane_cgo -run 'Vectors|Goroutines|Large|Liveness' .
    echo "== platforms without a C compiler"
    for platform in linux/386 windows/amd64; do # words of 32 bits, and another system
        CGO_ENABLED=0 GOOS="${platform%/*}" GOARCH="${platform#*/}" go vet .
    done
    echo "== a module that requires this one"
    downstream
    ;;
*) fail "unknown argument $1" ;;
esac
