package lane

import (
	"encoding/binary"
	"runtime"
	"time"
)

// Router is a compiled configuration. It is immutable but for the endpoint counts of its [Router.Liveness], and safe for
// concurrent use: any number of goroutines may decide at once. To reload, compile another one and swap the pointer.
//
// [Router.Close] gives its memory back at once; a router that is no longer reachable is closed by the garbage collector.
type Router struct {
	engine   *engine
	names    *names
	live     Liveness
	warnings []Diagnostic
	version  string
	cleanup  runtime.Cleanup
}

// Format is how a configuration is written.
type Format uint8

const (
	// Detect reads what begins with a brace as JSON, and as YAML where it is no JSON; everything else as YAML.
	Detect Format = iota
	// YAML is YAML 1.2, core schema.
	YAML
	// JSON is JSON.
	JSON
)

// Limit is a bound on what a configuration may ask for (S6), so that a hostile one costs bounded time and memory.
type Limit uint8

const (
	// LimitRules bounds the rules in all; by default 100,000.
	LimitRules Limit = iota
	// LimitAutomataBytes bounds the automata of all regular expressions together; by default 64 MiB.
	LimitAutomataBytes
	// LimitRegexBytes bounds the automaton of one regular expression; by default 2 MiB.
	LimitRegexBytes
	// LimitLanes bounds the lanes of a group; by default 10,000.
	LimitLanes
	// LimitServices bounds the services of a group; by default 10,000.
	LimitServices
	// LimitGroups bounds the groups; by default 1,000.
	LimitGroups
	// LimitSubsets bounds the sum over all lanes of the services that they contain; by default 16 Mi.
	LimitSubsets
	// LimitConditionLevels bounds conditions inside conditions; by default 64.
	LimitConditionLevels
	// LimitDocumentBytes bounds the text; by default 16 MiB.
	LimitDocumentBytes
)

// Option changes how a configuration is compiled.
type Option func(*options)

type options struct {
	format    Format
	file      string
	limits    []byte
	count     uint8
	instances int
}

// WithFormat says how the configuration is written. The default is [Detect].
func WithFormat(format Format) Option { return func(o *options) { o.format = format } }

// WithFile names the configuration in diagnostics.
func WithFile(name string) Option { return func(o *options) { o.file = name } }

// WithLimit changes a limit.
func WithLimit(limit Limit, value uint64) Option {
	return func(o *options) {
		if o.count < 255 {
			o.count++
			o.limits = binary.LittleEndian.AppendUint64(append(o.limits, byte(limit)), value)
		}
	}
}

// WithInstances bounds how many copies of the compiled configuration are made, so that as many goroutines decide at the same time;
// others wait for the microseconds that a decision takes. The default is GOMAXPROCS at the time of compiling. Copies are made when they are first needed.
// The cgo transport needs no copies and does not look at this.
func WithInstances(count int) Option { return func(o *options) { o.instances = count } }

// Compile compiles a configuration. The error is an [*Error], with all problems at once, when the configuration is refused.
func Compile(config []byte, opts ...Option) (*Router, error) {
	o := options{instances: runtime.GOMAXPROCS(0)}
	for _, opt := range opts {
		opt(&o)
	}
	packed := append([]byte{byte(o.format), o.count}, o.limits...)
	made, err := newEngine(append(packed, config...), max(o.instances, 1))
	if err != nil {
		return nil, err
	}
	router := &Router{engine: made}
	if err := router.prepare(o.file); err != nil {
		made.close()
		return nil, err
	}
	router.live.router = router
	router.cleanup = runtime.AddCleanup(router, (*engine).close, router.engine)
	return router, nil
}

// prepare fetches what the engine says about the configuration.
func (r *Router) prepare(file string) error {
	var said report
	err := r.engine.call(func(to []byte) []byte { return append(to, opReport) }, func(answer []byte) (err error) {
		said, err = readReport(answer, file)
		return err
	})
	if err != nil {
		return err
	}
	if said.Refused {
		return &Error{Diagnostics: said.Diagnostics, Unparsable: said.Unparsable}
	}
	r.warnings, r.version = said.Diagnostics, said.Version
	return r.engine.call(func(to []byte) []byte { return append(to, opNames) }, func(answer []byte) (err error) {
		r.names, err = readNames(answer)
		return err
	})
}

// Close gives the router's memory back. Decisions that are under way end well; later calls return [ErrClosed]. Closing
// again does nothing. Decisions that were returned stay valid.
func (r *Router) Close() error {
	r.cleanup.Stop()
	r.engine.close()
	return nil
}

// Warnings are what is doubtful about the configuration, sorted by place.
func (r *Router) Warnings() []Diagnostic { return r.warnings }

// EngineVersion is the version of the engine, for example 0.1.0.
func (r *Router) EngineVersion() string { return r.version }

// Liveness are the router's endpoint counts.
func (r *Router) Liveness() *Liveness { return &r.live }

// Ingress decides at a gateway: which rule, which lane, which endpoints (S16, S17). gateway is the name by which groups list it;
// a name that no group lists meets the groups that hold everywhere. The error is [ErrClosed] or [ErrDefect].
func (r *Router) Ingress(gateway string, request *Request) (Decision, error) {
	return r.decide(opIngress, gateway, request)
}

// Hop decides at a call between services: which endpoints of the called service (S21 to S26). service is the called name
// as given: host or alias, in any case, with or without port. The error is [ErrClosed] or [ErrDefect].
func (r *Router) Hop(service string, request *Request) (Decision, error) {
	return r.decide(opHop, service, request)
}

func (r *Router) decide(operation byte, place string, request *Request) (Decision, error) {
	var decision Decision
	seat, err := r.engine.take()
	if err != nil {
		return decision, err
	}
	answer, err := seat.call(request.append(seat.request(), operation, place))
	if err == nil {
		called := ""
		if operation == opHop {
			called = place
		}
		err = decision.read(answer, r.names, called, operation == opHop)
	}
	r.engine.giveBack(seat)
	runtime.KeepAlive(r)
	if err != nil {
		return Decision{}, err
	}
	return decision, nil
}

// Inbound is what a sidecar calls for a request that arrives at its workload (S26a). It decides nothing; it says what to remember, so that
// the lane is known when the workload calls on. The error is [ErrClosed] or [ErrDefect].
func (r *Router) Inbound(request *Request) ([]Remembered, error) {
	var remembered []Remembered
	err := r.ask(opInbound, "", request, nil, func(answer []byte) error {
		reader := reader{rest: answer}
		remembered = readRemembered(&reader, r.names)
		return reader.err()
	})
	return remembered, err
}

// Recall asks the table for the lanes that are remembered for the request's trace ids, for [Request.Remembered] of a hop.
// It costs nothing where no group's context is a trace id.
func (r *Router) Recall(table *TraceTable, request *Request, now time.Time) (map[string]string, error) {
	if !r.names.traced {
		return nil, nil
	}
	var remembered map[string]string
	err := r.ask(opTraceIDs, "", request, nil, func(answer []byte) error {
		reader := reader{rest: answer}
		for reader.u8() != 0 {
			group, traceID := r.names.text(reader.bytes()), string(reader.bytes())
			if lane, ok := table.Lane(group, traceID, now); ok {
				if remembered == nil {
					remembered = map[string]string{}
				}
				remembered[group] = lane
			}
		}
		return reader.err()
	})
	return remembered, err
}

// ask hands a request to the engine, with what else belongs to the operation.
func (r *Router) ask(operation byte, place string, request *Request, more func([]byte) []byte, read func([]byte) error) error {
	err := r.engine.call(func(to []byte) []byte {
		to = request.append(to, operation, place)
		if more != nil {
			to = more(to)
		}
		return to
	}, read)
	runtime.KeepAlive(r)
	return err
}
