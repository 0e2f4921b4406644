package lane

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

// Place is where a handler decides: [AtGateway] or [AtCall].
type Place struct {
	operation byte
	name      string
	source    Source
}

// AtGateway decides about requests that come from outside, at the gateway of this name (S16).
func AtGateway(name string) Place { return Place{operation: opIngress, name: name} }

// AtCall decides about calls that the workload `source` makes, as its sidecar does (S21). The called service is the Host of each call.
func AtCall(source Source) Place { return Place{operation: opHop, source: source} }

// HandlerOption changes what [Router.Middleware], [Router.ReverseProxy] and [Router.InboundMiddleware] do.
type HandlerOption func(*handling)

type handling struct {
	table  *TraceTable
	now    func() time.Time
	refuse func(http.ResponseWriter, *http.Request, Decision, error)
	edit   func(*Request, *http.Request)
}

// WithTraceTable is where lanes are remembered by trace id, and recalled for calls; without it, groups whose context
// is a trace id do not know the lane of a call.
func WithTraceTable(table *TraceTable) HandlerOption {
	return func(h *handling) { h.table = table }
}

// WithClock replaces time.Now, for tests. Only a trace table asks it.
func WithClock(now func() time.Time) HandlerOption { return func(h *handling) { h.now = now } }

// WithRequest lets a program change what is asked, for example the source's address behind another proxy, or the roll. It must not
// change the header maps, which are the request's own.
func WithRequest(edit func(*Request, *http.Request)) HandlerOption {
	return func(h *handling) { h.edit = edit }
}

// WithRefusal replaces the answer to requests that go nowhere: no_route, unavailable, undetermined, or an error of the engine or of the
// upstream function. The default is the decision's status and one line of text, 500 where nobody can say.
func WithRefusal(refuse func(http.ResponseWriter, *http.Request, Decision, error)) HandlerOption {
	return func(h *handling) { h.refuse = refuse }
}

func newHandling(opts []HandlerOption) *handling {
	h := &handling{now: time.Now, refuse: refuse}
	for _, opt := range opts {
		opt(h)
	}
	return h
}

func refuse(w http.ResponseWriter, _ *http.Request, decision Decision, err error) {
	status := decision.Status()
	switch {
	case err != nil:
		http.Error(w, "no lane: the request cannot be routed", http.StatusInternalServerError)
	case status == 0:
		http.Error(w, "no lane: "+decision.Outcome.String(), http.StatusInternalServerError)
	default:
		http.Error(w, "no lane: "+decision.Outcome.String(), status)
	}
}

// Middleware decides about each request before `next` sees it: with the headers that the decision sets and removes, the cookie set for the
// client, and the decision in its context, see [FromContext]. With [Pass] the next handler is called too, with lane context of strangers
// removed. A request that goes nowhere is refused, and `next` is not called.
func (r *Router) Middleware(place Place, opts ...HandlerOption) func(next http.Handler) http.Handler {
	h := newHandling(opts)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			decided, decision, err := r.handle(place, h, request)
			if err != nil || decision.Status() != http.StatusOK {
				h.refuse(w, request, decision, err)
				return
			}
			if decision.SetCookie != nil {
				http.SetCookie(w, decision.SetCookie.HTTP())
			}
			next.ServeHTTP(w, decided)
		})
	}
}

// handle decides, and returns the request as it goes on; the given one stays as it is.
func (r *Router) handle(place Place, h *handling, request *http.Request) (*http.Request, Decision, error) {
	asked := NewRequest(request)
	if place.operation == opHop {
		asked.Source = place.source
	}
	if h.edit != nil {
		h.edit(&asked, request)
	}
	name := place.name
	if place.operation == opHop {
		name = asked.Authority
	}
	if h.table != nil && place.operation == opHop {
		remembered, err := r.Recall(h.table, &asked, h.now())
		if err != nil {
			return request, Decision{}, err
		}
		asked.Remembered = remembered
	}
	decision, err := r.decide(place.operation, name, &asked)
	if err != nil {
		return request, decision, err
	}
	if h.table != nil && len(decision.Remember) > 0 {
		h.table.Remember(h.now(), decision.Remember...)
	}
	decided := request.WithContext(context.WithValue(request.Context(), decisionKey{}, &decision))
	if len(decision.SetHeaders)+len(decision.RemoveHeaders) > 0 {
		decided.Header = request.Header.Clone()
		if decided.Header == nil {
			decided.Header = http.Header{}
		}
		decision.Apply(decided.Header)
	}
	return decided, decision, nil
}

// InboundMiddleware remembers the lanes of requests that arrive at a workload (S26a), in the table of [WithTraceTable]; the calls
// that the workload makes find them there.
func (r *Router) InboundMiddleware(opts ...HandlerOption) func(next http.Handler) http.Handler {
	h := newHandling(opts)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			if h.table != nil && r.names.traced {
				asked := NewRequest(request)
				remembered, err := r.Inbound(&asked)
				if err != nil {
					h.refuse(w, request, Decision{}, err)
					return
				}
				h.table.Remember(h.now(), remembered...)
			}
			next.ServeHTTP(w, request)
		})
	}
}

type decisionKey struct{}

// FromContext is the decision that [Router.Middleware] made about a request with this context.
func FromContext(ctx context.Context) (Decision, bool) {
	if decision, ok := ctx.Value(decisionKey{}).(*Decision); ok {
		return *decision, true
	}
	return Decision{}, false
}

// Upstream says where the endpoints are that a decision chose: those of decision.Service with the labels of decision.Subset. With [Pass] there is
// no subset, and the request may go wherever it would have gone without lanes.
type Upstream func(request *http.Request, decision Decision) (*url.URL, error)

// Proxy is a reverse proxy that decides first. See [Router.ReverseProxy].
type Proxy struct {
	// ReverseProxy may be changed before the first request: its Transport, ErrorHandler, ModifyResponse and so on. Its Rewrite does what
	// is needed; a program that replaces it calls [Rewrite] from its own.
	ReverseProxy *httputil.ReverseProxy

	decide http.Handler
}

// ReverseProxy decides about each request, and passes it on to the upstream of the endpoints that were chosen.
func (r *Router) ReverseProxy(place Place, upstream Upstream, opts ...HandlerOption) *Proxy {
	h := newHandling(opts)
	proxy := &Proxy{ReverseProxy: &httputil.ReverseProxy{Rewrite: Rewrite}}
	proxy.decide = r.Middleware(place, opts...)(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		decision, _ := FromContext(request.Context())
		target, err := upstream(request, decision)
		if err == nil && target == nil {
			err = fmt.Errorf("lane: there is no upstream for service %q", decision.Service)
		}
		if err != nil {
			h.refuse(w, request, decision, err)
			return
		}
		proxy.ReverseProxy.ServeHTTP(w, request.WithContext(context.WithValue(request.Context(), upstreamKey{}, target)))
	}))
	return proxy
}

// ServeHTTP decides, and passes the request on.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	p.decide.ServeHTTP(w, request)
}

type upstreamKey struct{}

// Rewrite sends a request of a [Proxy] to the upstream that was chosen. It keeps the Host that the client named, and sets X-Forwarded-For,
// X-Forwarded-Host and X-Forwarded-Proto to what this proxy saw; what the client said of these is not passed on.
func Rewrite(request *httputil.ProxyRequest) {
	if target, ok := request.In.Context().Value(upstreamKey{}).(*url.URL); ok {
		request.SetURL(target)
		request.Out.Host = request.In.Host
	}
	request.SetXForwarded()
}
