package lane_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	lane "github.com/lane-proxy/lane/lane-ffi/go"
)

// The benchmarks are run with both transports by bench.sh. Each asserts the answer that it times.

// manyRules is a configuration of `count` rules, each for a host of its own, of which the last one sends into lane v2.
func manyRules(count int) string {
	var config strings.Builder
	config.WriteString(`version: 1
groups:
  - name: shop
    mode: permissive
    baseline: v1
    guiding_header: version
    context: {baggage: version}
    services: [{host: web.svc}, {host: cart.svc}]
    lanes: [{name: v1}, {name: v2, services: [web.svc]}]
    rules:
`)
	for i := range count {
		fmt.Fprintf(&config, "      - {name: r%d, hosts: [h%d.example], service: web.svc, match: [{path: {prefix: /p}, headers: {x-user: {exact: u%d}}}], lane: v2}\n", i, i, i)
	}
	return config.String()
}

// benchRequest is a browser's request for the last rule.
func benchRequest(rules int) *http.Request {
	r := httptest.NewRequest("GET", fmt.Sprintf("http://h%d.example/p/1?x=1", rules-1), nil)
	for name, value := range map[string]string{
		"X-User":          fmt.Sprintf("u%d", rules-1),
		"User-Agent":      "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
		"Accept":          "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
		"Accept-Language": "en-US,en;q=0.5",
		"Accept-Encoding": "gzip, deflate, br, zstd",
		"Cookie":          "session=0123456789abcdef0123456789abcdef; theme=dark; uid=42",
		"Traceparent":     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"Baggage":         "tenant=blue",
	} {
		r.Header.Set(name, value)
	}
	return r
}

func BenchmarkIngress(b *testing.B) {
	for _, rules := range []int{3, 1000} {
		b.Run(fmt.Sprintf("%s/rules=%d", lane.Transport, rules), func(b *testing.B) {
			router := mustCompile(b, manyRules(rules))
			request := lane.NewRequest(benchRequest(rules))
			b.ReportAllocs()
			for b.Loop() {
				decision, err := router.Ingress("edge", &request)
				if err != nil || decision.Lane != "v2" || len(decision.SetHeaders) != 2 {
					b.Fatal(decision, err)
				}
			}
		})
	}
}

func BenchmarkHop(b *testing.B) {
	router := mustCompile(b, manyRules(3))
	request := lane.Request{HTTP: http.Header{"Version": {"v2"}, "Baggage": {"version=v2"}, "User-Agent": {"curl"}}}
	b.Run(lane.Transport, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			decision, err := router.Hop("cart.svc", &request)
			if err != nil || decision.Outcome != lane.FellBack || decision.Subset.Lane != "v1" {
				b.Fatal(decision, err)
			}
		}
	})
}

func BenchmarkIngressParallel(b *testing.B) {
	router := mustCompile(b, manyRules(3))
	b.Run(lane.Transport, func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			request := lane.NewRequest(benchRequest(3))
			for pb.Next() {
				decision, err := router.Ingress("edge", &request)
				if err != nil || decision.Lane != "v2" {
					b.Error(decision, err)
				}
			}
		})
	})
}

// BenchmarkReverseProxy compares a proxy that decides with one that does not, over real connections.
func BenchmarkReverseProxy(b *testing.B) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }))
	defer upstream.Close()
	target, err := url.Parse(upstream.URL)
	if err != nil {
		b.Fatal(err)
	}
	router := mustCompile(b, manyRules(3))
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	plain := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target); r.SetXForwarded() }}
	deciding := router.ReverseProxy(lane.AtGateway("edge"), func(_ *http.Request, decision lane.Decision) (*url.URL, error) {
		if decision.Lane != "v2" {
			return nil, fmt.Errorf("lane %q", decision.Lane)
		}
		return target, nil
	})
	deciding.ReverseProxy.Transport = transport
	for _, proxy := range []struct {
		name    string
		handler http.Handler
	}{{"without", plain}, {lane.Transport, deciding}} {
		b.Run(proxy.name, func(b *testing.B) {
			server := httptest.NewServer(proxy.handler)
			defer server.Close()
			client := &http.Client{Transport: transport}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					request := benchRequest(3)
					request.RequestURI = ""
					request.URL.Host = strings.TrimPrefix(server.URL, "http://")
					response, err := client.Do(request)
					if err != nil || response.StatusCode != http.StatusOK {
						b.Error(response, err)
						return
					}
					io.Copy(io.Discard, response.Body)
					response.Body.Close()
				}
			})
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	config := []byte(manyRules(1000))
	b.Run(lane.Transport+"/rules=1000", func(b *testing.B) {
		for b.Loop() {
			router, err := lane.Compile(config)
			if err != nil {
				b.Fatal(err)
			}
			router.Close()
		}
	})
}

func mustCompile(t testing.TB, config string, opts ...lane.Option) *lane.Router {
	t.Helper()
	router, err := lane.Compile([]byte(config), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { router.Close() })
	return router
}
