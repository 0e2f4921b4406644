package lane_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	lane "github.com/lane-proxy/lane/lane-ffi/go"
)

const shop = `
version: 1
groups:
  - name: shop
    mode: permissive
    gateways: [edge]
    guiding_header: version
    context: {baggage: version}
    baseline: v1
    services:
      - host: web.shop.svc
      - host: cart.shop.svc
        aliases: [cart]
    lanes:
      - name: v1
      - name: v2
        services: [web.shop.svc]
    rules:
      - name: testers
        service: web.shop.svc
        match: [{headers: {x-user-group: {exact: qa}}}]
        lane: v2
      - name: everyone
        service: web.shop.svc
        lane: v1
`

// A request enters at a gateway, and the service that it meets calls another one.
func Example() {
	router, err := lane.Compile([]byte(shop))
	if err != nil {
		panic(err)
	}
	defer router.Close()

	at, err := router.Ingress("edge", &lane.Request{Path: "/", Headers: []lane.Header{{Name: "X-User-Group", Value: "qa"}}})
	if err != nil {
		panic(err)
	}
	fmt.Println(at.Outcome, at.Rule, at.Lane, at.Service, at.Subset.Labels)
	fmt.Println(at.SetHeaders)

	hop, err := router.Hop("cart", &lane.Request{Headers: at.SetHeaders})
	if err != nil {
		panic(err)
	}
	from, to, _ := hop.Fallback()
	fmt.Println(hop.Outcome, hop.Service, from, "->", to, hop.Reason)
	// Output:
	// routed testers v2 web.shop.svc map[ASM_TRAFFIC_TAG:v2]
	// [{version v2} {baggage version=v2}]
	// fell_back cart.shop.svc v2 -> v1 not_in_lane
}

// All problems of a configuration are told at once, each with its place.
func ExampleError() {
	_, err := lane.Compile([]byte(`{"version": 1, "groups": [{"name": "shop", "mode": "strict",
  "services": [{"host": "web.svc"}], "lanes": [{"name": "blue"}],
  "rules": [{"name": "all", "service": "web.svc", "lane": "bleu"}]}]}`), lane.WithFile("lanes.json"))
	var refused *lane.Error
	if errors.As(err, &refused) {
		for _, problem := range refused.Diagnostics {
			fmt.Println(problem.Code, problem.Line, problem.Column, problem.Path)
			fmt.Println(problem)
		}
	}
	// Output:
	// LANE0102 3 59 groups[0].rules[0].lane
	// lanes.json:3:59: LANE0102: groups[0].rules[0].lane: group `shop` has no lane `bleu` (did you mean `blue`?)
}

// Endpoints that die lead to the fallback; nothing is compiled again.
func ExampleRouter_Liveness() {
	router, err := lane.Compile([]byte(shop))
	if err != nil {
		panic(err)
	}
	defer router.Close()
	request := &lane.Request{Headers: []lane.Header{{Name: "version", Value: "v2"}}}

	if err := router.Liveness().Set(lane.Endpoints{Service: "web.shop.svc", Lane: "v2", Total: 3, Healthy: 0}); err != nil {
		panic(err)
	}
	hop, _ := router.Hop("web.shop.svc", request)
	fmt.Println(hop.Outcome, hop.Subset.Lane, hop.Reason)

	if err := router.Liveness().Set(lane.Endpoints{Service: "web.shop.svc", Lane: "v2", Total: 3, Healthy: 1}); err != nil {
		panic(err)
	}
	hop, _ = router.Hop("web.shop.svc", request)
	fmt.Println(hop.Outcome, hop.Subset.Lane)
	// Output:
	// fell_back v1 none_healthy
	// routed v2
}

// A gateway in one handler: it decides, and passes the request on to the endpoints that serve.
func ExampleRouter_ReverseProxy() {
	router, err := lane.Compile([]byte(shop))
	if err != nil {
		panic(err)
	}
	defer router.Close()
	upstreams := map[string]*url.URL{}
	for _, name := range []string{"v1", "v2"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "web(%s), lane %s", name, r.Header.Get("version"))
		}))
		defer server.Close()
		upstreams[name], _ = url.Parse(server.URL)
	}
	gateway := httptest.NewServer(router.ReverseProxy(lane.AtGateway("edge"), func(_ *http.Request, decision lane.Decision) (*url.URL, error) {
		if decision.Subset == nil {
			return nil, fmt.Errorf("%s is none of ours", decision.Outcome)
		}
		return upstreams[decision.Subset.Lane], nil
	}))
	defer gateway.Close()

	for _, group := range []string{"qa", "customers"} {
		request, _ := http.NewRequest("GET", gateway.URL, nil)
		request.Header.Set("x-user-group", group)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			panic(err)
		}
		var body [64]byte
		n, _ := response.Body.Read(body[:])
		response.Body.Close()
		fmt.Println(string(body[:n]))
	}
	// Output:
	// web(v2), lane v2
	// web(v1), lane v1
}

// A handler behind the middleware sees the headers of its lane, and the decision.
func ExampleRouter_Middleware() {
	router, err := lane.Compile([]byte(shop))
	if err != nil {
		panic(err)
	}
	defer router.Close()
	handler := router.Middleware(lane.AtGateway("edge"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		decision, _ := lane.FromContext(r.Context())
		fmt.Println(decision.Rule, r.Header.Get("version"), r.Header.Get("baggage"))
	}))
	request := httptest.NewRequest("GET", "http://shop.example/", nil)
	request.Header.Set("version", "v9") // what clients send is not believed
	handler.ServeHTTP(httptest.NewRecorder(), request)
	// Output:
	// everyone v1 version=v1
}

// A table remembers the lane of a trace id until its time is over.
func ExampleTraceTable() {
	table := lane.NewTraceTable(10_000, time.Minute)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	table.Remember(start, lane.Remembered{Group: "shop", TraceID: "80f198ee56343ba8", Lane: "v2"})
	fmt.Println(table.Lane("shop", "80f198ee56343ba8", start.Add(59*time.Second)))
	fmt.Println(table.Lane("shop", "80f198ee56343ba8", start.Add(60*time.Second)))
	// Output:
	// v2 true
	//  false
}

// Why is a decision what it is?
func ExampleRouter_ExplainIngress() {
	router, err := lane.Compile([]byte(shop))
	if err != nil {
		panic(err)
	}
	defer router.Close()
	explanation, err := router.ExplainIngress("edge", &lane.Request{Path: "/"})
	if err != nil {
		panic(err)
	}
	for _, step := range explanation.Steps {
		fmt.Println(step.Kind, step.Rule, step.Lane, string(step.Result))
	}
	// Output:
	// rule testers  {"failed":[{"attribute":"header x-user-group","wanted":"exact: \"qa\"","actual":null}]}
	// rule everyone  "holds"
	// candidate  v1
}
