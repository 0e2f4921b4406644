// Package lane decides which version of each service in a call chain a request meets: traffic lanes, as an engine
// that is compiled once and then asked by a gateway, a sidecar, or a program itself.
//
// A configuration (YAML or JSON) is compiled into a [Router]:
//
//	router, err := lane.Compile(config)
//
// At a gateway, [Router.Ingress] says which rule holds, which lane the request belongs to, which endpoints serve it,
// and what to change in its headers. At a call between services, [Router.Hop] says which endpoints of the called
// service serve. [NewRequest], [Decision.Apply], [Router.Middleware] and [Router.ReverseProxy] do the same for net/http.
//
// # Two transports
//
// The engine is written in Rust. By default this package carries it as WebAssembly and runs it inside the process:
// no C compiler, no shared library, any platform. With the build tag lane_cgo it links the static library instead, and
// a decision crosses the border in one cgo call; the README of the module says how. Both give the same answers
// to the same shared test vectors. On platforms for which wazero has no compiler (it has one for amd64 and
// arm64), the WebAssembly is interpreted: the same answers, more slowly.
//
// # What a decision depends on
//
// On its arguments, the configuration, and the endpoint counts of [Router.Liveness], and on nothing else. The engine reads no clock and
// draws no random number: a split that needs chance is given a [Roll], and a [TraceTable] is told the time.
// The sentences S1 to S31 that comments here cite are those of the project's semantics.
package lane
