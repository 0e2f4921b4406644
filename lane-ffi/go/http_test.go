package lane_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	lane "github.com/lane-proxy/lane/lane-ffi/go"
)

func TestNewRequest(t *testing.T) {
	server := httptest.NewRequest("POST", "http://shop.example:8080/a%2Fb?x=%20#f", nil)
	server.RequestURI = "/a%2Fb?x=%20"
	server.RemoteAddr = "[2001:db8::1]:4711"
	request := lane.NewRequest(server)
	if request.Method != "POST" || request.Authority != "shop.example:8080" || request.Path != "/a%2Fb?x=%20" || request.Source.IP.String() != "2001:db8::1" {
		t.Errorf("%+v", request)
	}
	if _, given := request.Roll.Value(); !given {
		t.Error("no roll")
	}
	proxied := httptest.NewRequest("GET", "http://shop.example/abs?q", nil)
	proxied.RequestURI, proxied.RemoteAddr = "http://shop.example/abs?q", "@"
	if request := lane.NewRequest(proxied); request.Path != "/abs?q" || request.Source.IP.IsValid() {
		t.Errorf("%+v", request)
	}
	client, _ := http.NewRequest("", "https://shop.example/c?q=1", nil)
	client.Host, client.Method = "", ""
	if request := lane.NewRequest(client); request.Path != "/c?q=1" || request.Authority != "shop.example" || request.Method != "GET" {
		t.Errorf("%+v", request)
	}
	if request := lane.NewRequest(&http.Request{}); request.Path != "" || request.Authority != "" {
		t.Errorf("%+v", request)
	}
}

func TestApply(t *testing.T) {
	decision := lane.Decision{
		SetHeaders:    []lane.Header{{Name: "version", Value: "v2"}, {Name: "baggage", Value: "version=v2"}},
		RemoveHeaders: []string{"x-other"},
	}
	header := http.Header{
		"Version": {"v1", "v3"}, "version": {"v4"}, "X-Other": {"a"}, "x-oTHER": {"b"}, "Keep": {"k"},
		"Connection": {"keep-alive, Version", "baggage"},
	}
	decision.Apply(header)
	wanted := http.Header{"Version": {"v2"}, "Baggage": {"version=v2"}, "Keep": {"k"}, "Connection": {"keep-alive", ""}}
	if !reflect.DeepEqual(header, wanted) {
		t.Errorf("%v", header)
	}
}

const sticky = `
version: 1
groups:
  - name: shop
    mode: strict
    gateways: [edge]
    services: [{host: web.svc}]
    lanes: [{name: v1}, {name: v2}]
    rules:
      - name: half
        hosts: [shop.example]
        service: web.svc
        match: [{path: {segments: /in}}]
        split: [{lane: v1, weight: 1}, {lane: v2, weight: 1}]
        sticky: {generate: {cookie: lane-id, ttl_seconds: 3600}}
`

func TestMiddleware(t *testing.T) {
	router := mustCompile(t, sticky)
	var seen *http.Request
	handler := router.Middleware(lane.AtGateway("edge"))(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r }))
	ask := func(target string, edit func(*http.Request)) (*http.Response, *http.Request) {
		seen = nil
		request := httptest.NewRequest("GET", target, nil)
		request.Header.Set("X-Asm-Prefer-Tag", "v9")
		if edit != nil {
			edit(request)
		}
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		if request.Header.Get("x-asm-prefer-tag") != "v9" {
			t.Error("the request of the caller was changed")
		}
		return recorder.Result(), seen
	}

	response, request := ask("http://shop.example/in", nil)
	if request == nil || len(response.Cookies()) != 1 {
		t.Fatal(response.Status, response.Header)
	}
	cookie := response.Cookies()[0]
	if cookie.Name != "lane-id" || len(cookie.Value) != 16 || cookie.MaxAge != 3600 || cookie.Path != "/" || !cookie.HttpOnly {
		t.Errorf("%v", cookie)
	}
	name := request.Header.Get("x-asm-prefer-tag")
	decision, ok := lane.FromContext(request.Context())
	if !ok || decision.Lane != name || (name != "v1" && name != "v2") {
		t.Errorf("%v %q", decision, name)
	}
	for range 20 { // the cookie keeps the lane, and is not set again
		response, request := ask("http://shop.example/in", func(r *http.Request) { r.AddCookie(cookie) })
		if request == nil || request.Header.Get("x-asm-prefer-tag") != name || len(response.Cookies()) != 0 {
			t.Fatal(response.Header)
		}
	}

	if response, request := ask("http://shop.example/out", nil); response.StatusCode != http.StatusNotFound || request != nil {
		t.Error(response.Status)
	}
	// None of ours: it passes, without what the client said of lanes.
	response, request = ask("http://other.example/", nil)
	if request == nil || request.Header.Get("x-asm-prefer-tag") != "" || len(response.Cookies()) != 0 {
		t.Error(response.Status)
	}
	for _, name := range []string{"v1", "v2"} {
		if err := router.Liveness().Set(lane.Endpoints{Service: "web.svc", Lane: name}); err != nil {
			t.Fatal(err)
		}
	}
	if response, request := ask("http://shop.example/in", nil); response.StatusCode != http.StatusServiceUnavailable || request != nil {
		t.Error(response.Status)
	}
	router.Close()
	if response, request := ask("http://shop.example/in", nil); response.StatusCode != http.StatusInternalServerError || request != nil {
		t.Error(response.Status)
	}
	if _, ok := lane.FromContext(t.Context()); ok {
		t.Error("a decision out of nothing")
	}
}

func TestMiddlewareOptions(t *testing.T) {
	router := mustCompile(t, sticky)
	var refused []string
	handler := router.Middleware(lane.AtGateway("edge"),
		lane.WithRequest(func(request *lane.Request, _ *http.Request) { request.Roll = lane.Roll{} }),
		lane.WithRefusal(func(w http.ResponseWriter, _ *http.Request, decision lane.Decision, err error) {
			refused = append(refused, fmt.Sprint(decision.Outcome, err))
			w.WriteHeader(http.StatusTeapot)
		}),
	)(http.NotFoundHandler())
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest("GET", "http://shop.example/in", nil))
	if recorder.Code != http.StatusTeapot || !reflect.DeepEqual(refused, []string{"undetermined <nil>"}) {
		t.Error(recorder.Code, refused)
	}
}

const traced = `
version: 1
groups:
  - name: shop
    mode: permissive
    gateways: [edge]
    guiding_header: version
    context: {trace_id: traceparent}
    baseline: v1
    services: [{host: web.svc}, {host: cart.svc}]
    lanes: [{name: v1}, {name: v2}]
    rules: [{name: all, service: web.svc, lane: v2}]
`

// TestTraceIDs sends a request to a workload and lets the workload call on, with nothing but the trace id.
func TestTraceIDs(t *testing.T) {
	router := mustCompile(t, traced)
	table := lane.NewTraceTable(10, time.Minute)
	now := epoch
	options := []lane.HandlerOption{lane.WithTraceTable(table), lane.WithClock(func() time.Time { return now })}
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

	arrived := httptest.NewRequest("GET", "http://web.svc/", nil)
	arrived.Header.Set("Version", "v2")
	arrived.Header.Set("Traceparent", parent)
	reached := false
	workload := router.InboundMiddleware(options...)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	workload.ServeHTTP(httptest.NewRecorder(), arrived)
	if found, ok := table.Lane("shop", "4bf92f3577b34da6a3ce929d0e0e4736", now); !reached || !ok || found != "v2" {
		t.Fatal(reached, found, ok)
	}

	var decision lane.Decision
	var version string
	sidecar := router.Middleware(lane.AtCall(lane.Source{Service: "web.svc"}), options...)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		decision, _ = lane.FromContext(r.Context())
		version = r.Header.Get("version")
	}))
	call := func() lane.Decision {
		decision, version = lane.Decision{}, ""
		request := httptest.NewRequest("GET", "http://cart.svc:8080/", nil)
		request.Header.Set("Traceparent", strings.Replace(parent, "00f067aa0ba902b7", "53995c3f42cd8ad8", 1))
		sidecar.ServeHTTP(httptest.NewRecorder(), request)
		return decision
	}
	if decision := call(); decision.Lane != "v2" || decision.Found.In != lane.InTraceID || version != "v2" {
		t.Errorf("%v %q", decision, version)
	}
	now = now.Add(time.Minute)
	if decision := call(); decision.Lane != "v1" || decision.Found.In != 0 || version != "" {
		t.Errorf("%v %q", decision, version)
	}

	gateway := router.Middleware(lane.AtGateway("edge"), options...)(http.NotFoundHandler())
	entering := httptest.NewRequest("GET", "http://shop.example/", nil)
	entering.Header.Set("Traceparent", parent)
	gateway.ServeHTTP(httptest.NewRecorder(), entering)
	if decision := call(); decision.Lane != "v2" {
		t.Errorf("%v", decision)
	}
}

// TestReverseProxy runs a gateway and two lanes over real connections, with a client that tries to get its lane header dropped on the way.
func TestReverseProxy(t *testing.T) {
	router := mustCompile(t, shop)
	upstreams := map[string]*url.URL{}
	for _, name := range []string{"v1", "v2"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s %s %s %s", name, r.Header.Get("version"), r.Host, r.Header.Get("x-forwarded-host"))
		}))
		defer server.Close()
		upstreams[name], _ = url.Parse(server.URL)
	}
	var refusals []error
	gateway := httptest.NewServer(router.ReverseProxy(lane.AtGateway("edge"), func(r *http.Request, decision lane.Decision) (*url.URL, error) {
		switch r.URL.Path {
		case "/nil":
			return nil, nil
		case "/error":
			return nil, errors.New("no address")
		}
		return upstreams[decision.Subset.Lane], nil
	}, lane.WithRefusal(func(w http.ResponseWriter, _ *http.Request, _ lane.Decision, err error) {
		refusals = append(refusals, err)
		w.WriteHeader(http.StatusBadGateway)
	})))
	defer gateway.Close()
	get := func(path string) (int, string) {
		request, _ := http.NewRequest("GET", gateway.URL+path, nil)
		request.Host = "shop.example"
		request.Header.Set("X-User-Group", "qa")
		request.Header.Set("Connection", "version, x-user-group")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	if code, body := get("/"); code != http.StatusOK || body != "v2 v2 shop.example shop.example" {
		t.Error(code, body)
	}
	for _, path := range []string{"/nil", "/error"} {
		if code, _ := get(path); code != http.StatusBadGateway {
			t.Error(path, code)
		}
	}
	if len(refusals) != 2 || refusals[0] == nil || refusals[1] == nil {
		t.Error(refusals)
	}
}
