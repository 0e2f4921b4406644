package lane_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	lane "github.com/lane-proxy/lane/lane-ffi/go"
)

func TestAConfigurationIsRefusedWithAllItsProblems(t *testing.T) {
	_, err := lane.Compile([]byte("version: 1\ngroups:\n  - name: shop\n    mode: loose\n    keep_lane: maybe\n    services: []\n    lanes: []\n"), lane.WithFile("x.yaml"))
	var refused *lane.Error
	if !errors.As(err, &refused) || refused.Unparsable || len(refused.Diagnostics) < 2 {
		t.Fatalf("%#v", err)
	}
	first := refused.Diagnostics[0]
	if first.Line != 4 || first.Column != 11 || first.File != "x.yaml" || first.Severity != "error" || first.Path != "groups[0].mode" {
		t.Errorf("%#v", first)
	}
	for _, diagnostic := range refused.Diagnostics {
		if !strings.Contains(err.Error(), diagnostic.String()) {
			t.Errorf("%v does not tell of %v", err, diagnostic)
		}
	}

	deep := strings.Repeat("[", 100_000)
	for text, wanted := range map[string]bool{deep: false, `{"version": ` + deep: false, "version: " + deep: false, "version: [": true, `{"version": `: true, "\xff\xfe": true, "": false, "[]": false, "null": false} {
		_, err := lane.Compile([]byte(text))
		if !errors.As(err, &refused) || (wanted && !refused.Unparsable) || len(refused.Diagnostics) == 0 {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

func TestFormatsAndLimits(t *testing.T) {
	const json = `{"version": 1, "groups": []}`
	for _, test := range []struct {
		text   string
		format lane.Format
		ok     bool
	}{
		{json, lane.Detect, true}, {json, lane.JSON, true}, {json, lane.YAML, true},
		{"{version: 1, groups: []}", lane.Detect, true}, {"{version: 1, groups: []}", lane.JSON, false},
		{"version: 1\ngroups: []", lane.Detect, true}, {"version: 1\ngroups: []", lane.YAML, true}, {"version: 1\ngroups: []", lane.JSON, false},
		{"\n\t " + json, lane.Detect, true},
	} {
		router, err := lane.Compile([]byte(test.text), lane.WithFormat(test.format))
		if (err == nil) != test.ok {
			t.Errorf("%q as %d: %v", test.text, test.format, err)
		}
		if router != nil {
			router.Close()
		}
	}
	for limit := lane.LimitRules; limit <= lane.LimitDocumentBytes; limit++ {
		if router, err := lane.Compile([]byte(shop), lane.WithLimit(limit, 1<<40)); err != nil {
			t.Errorf("limit %d: %v", limit, err)
		} else {
			router.Close()
		}
	}
	for _, limit := range []lane.Limit{lane.LimitRules, lane.LimitLanes, lane.LimitServices, lane.LimitSubsets, lane.LimitDocumentBytes} {
		var refused *lane.Error
		if _, err := lane.Compile([]byte(shop), lane.WithLimit(limit, 1)); !errors.As(err, &refused) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

func TestWarnings(t *testing.T) {
	router := mustCompile(t, strings.Replace(shop, "    gateways: [edge]\n", "", 1), lane.WithFile("shop.yaml"))
	warnings := router.Warnings()
	if len(warnings) == 0 || warnings[0].Severity != "warning" || warnings[0].File != "shop.yaml" {
		t.Errorf("%v", warnings)
	}
	if warnings := mustCompile(t, shop).Warnings(); len(warnings) != 0 {
		t.Errorf("%v", warnings)
	}
}

// TestEngineVersion fails when the embedded engine is older than the sources beside it; build-wasm.sh makes a new one.
func TestEngineVersion(t *testing.T) {
	router := mustCompile(t, shop)
	version := router.EngineVersion()
	if !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(version) {
		t.Errorf("version %q", version)
	}
	manifest, err := os.ReadFile("../../Cargo.toml")
	if errors.Is(err, os.ErrNotExist) {
		return // the module without the repository around it
	}
	if err != nil || !strings.Contains(string(manifest), "\nversion = \""+version+"\"\n") {
		t.Errorf("the engine is %s, which Cargo.toml does not say (%v)", version, err)
	}
}

func TestClose(t *testing.T) {
	router, err := lane.Compile([]byte(shop))
	if err != nil {
		t.Fatal(err)
	}
	decision, err := router.Hop("cart", &lane.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(router.Close(), router.Close()); err != nil {
		t.Error(err)
	}
	_, ingress := router.Ingress("edge", &lane.Request{})
	_, hop := router.Hop("cart", &lane.Request{})
	_, inbound := router.Inbound(&lane.Request{})
	_, explained := router.ExplainHop("cart", &lane.Request{})
	_, traced := router.TraceHop("cart", &lane.Request{})
	live := router.Liveness().Set(lane.Endpoints{Service: "web.shop.svc", Lane: "v1"})
	empty := router.Liveness().Replace()
	for i, err := range []error{ingress, hop, inbound, explained, traced, live, empty} {
		if !errors.Is(err, lane.ErrClosed) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if decision.Subset.Labels["ASM_TRAFFIC_TAG"] != "v1" {
		t.Errorf("a decision does not survive its router: %v", decision)
	}
}

// TestManyGoroutines decides from many goroutines, with fewer instances than goroutines, while others update endpoint
// counts, reload and close.
func TestManyGoroutines(t *testing.T) {
	var current atomic.Pointer[lane.Router]
	compile := func() *lane.Router {
		router, err := lane.Compile([]byte(shop), lane.WithInstances(3))
		if err != nil {
			t.Error(err)
		}
		return router
	}
	current.Store(compile())
	var deciders, others sync.WaitGroup
	done := make(chan struct{})
	var decided, closed atomic.Int64
	for i := range 8 {
		deciders.Go(func() {
			group := []string{"qa", "staff"}[i%2]
			wanted := []string{"v2", "v1"}[i%2]
			request := lane.Request{Headers: []lane.Header{{Name: "x-user-group", Value: group}}}
			for range 500 {
				decision, err := current.Load().Ingress("edge", &request)
				switch {
				case errors.Is(err, lane.ErrClosed):
					closed.Add(1) // it was swapped out between Load and Ingress
				case err != nil || decision.Lane != wanted || (decision.Outcome != lane.Routed && decision.Outcome != lane.FellBack):
					t.Errorf("%v %v", decision, err)
				default:
					decided.Add(1)
				}
			}
		})
	}
	for range 2 {
		others.Go(func() {
			for healthy := uint32(0); ; healthy = 1 - healthy {
				select {
				case <-done:
					return
				default:
				}
				err := current.Load().Liveness().Set(lane.Endpoints{Service: "web.shop.svc", Lane: "v2", Total: 1, Healthy: healthy})
				if err != nil && !errors.Is(err, lane.ErrClosed) {
					t.Error(err)
				}
			}
		})
	}
	others.Go(func() {
		for range 20 {
			current.Swap(compile()).Close()
		}
	})
	deciders.Wait()
	close(done)
	others.Wait()
	current.Load().Close()
	if decided.Load() < closed.Load() || decided.Load() == 0 {
		t.Errorf("%d decided, %d closed", decided.Load(), closed.Load())
	}
}

// TestAnUpdateIsSeenByEveryLaterDecision: also by those that other goroutines make, on whatever instance.
func TestAnUpdateIsSeenByEveryLaterDecision(t *testing.T) {
	router := mustCompile(t, shop, lane.WithInstances(4))
	request := lane.Request{Headers: []lane.Header{{Name: "version", Value: "v2"}}}
	for round := range uint32(300) {
		var err error
		wanted := "v1"
		switch counts := (lane.Endpoints{Service: "web.shop.svc", Lane: "v2", Total: 2, Healthy: round % 2}); {
		case round%7 == 3:
			err = router.Liveness().Clear(counts)
			wanted = "v2"
		case round%11 == 5:
			err = router.Liveness().Replace(lane.Endpoints{Service: "cart.shop.svc", Lane: "v1", Total: 1, Healthy: 1})
			wanted = "v2"
		default:
			err = router.Liveness().Set(counts)
			if counts.Healthy > 0 {
				wanted = "v2"
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				decision, err := router.Hop("web.shop.svc", &request)
				if err != nil || decision.Subset == nil || decision.Subset.Lane != wanted {
					t.Errorf("round %d: wanted %s: %v %v", round, wanted, decision, err)
				}
			})
		}
		all.Wait()
	}
}

func TestLivenessRefusesWhatItDoesNotKnow(t *testing.T) {
	router := mustCompile(t, shop)
	request := lane.Request{Headers: []lane.Header{{Name: "version", Value: "v2"}}}
	good := lane.Endpoints{Service: "web.shop.svc", Lane: "v2", Total: 1}
	for _, bad := range []lane.Endpoints{
		{Service: "web.shop.svcs", Lane: "v2"},
		{Service: "cart", Lane: "v1"}, // an alias
		{Service: "web.shop.svc", Lane: "v22"},
		{Service: "web.shop.svc", Lane: "v2", Total: 1, Healthy: 2},
	} {
		var refused *lane.Error
		err := router.Liveness().Set(good, bad)
		if !errors.As(err, &refused) || len(refused.Diagnostics) != 1 || refused.Diagnostics[0].Message == "" || refused.Diagnostics[0].Path == "" {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if decision, err := router.Hop("web.shop.svc", &request); err != nil || decision.Outcome != lane.Routed {
		t.Errorf("something was set: %v %v", decision, err)
	}
	// A lane that does not contain the service.
	if err := router.Liveness().Set(lane.Endpoints{Service: "cart.shop.svc", Lane: "v2", Total: 1}); err != nil {
		t.Error(err)
	}
	// In any case, as in requests.
	if err := router.Liveness().Set(lane.Endpoints{Service: "WEB.shop.svc", Lane: "v2", Total: 1}); err != nil {
		t.Error(err)
	}
	if decision, err := router.Hop("web.shop.svc", &request); err != nil || decision.Reason != lane.NoneHealthy {
		t.Errorf("%v %v", decision, err)
	}
}

// TestManyUpdates makes the log of updates longer than it is kept, with instances that rest meanwhile.
func TestManyUpdates(t *testing.T) {
	router := mustCompile(t, shop, lane.WithInstances(2))
	request := lane.Request{Headers: []lane.Header{{Name: "version", Value: "v2"}}}
	for round := range 5 {
		for i := range 700 {
			healthy := uint32((i + round) % 2)
			if err := router.Liveness().Set(lane.Endpoints{Service: "web.shop.svc", Lane: "v2", Total: 1, Healthy: healthy}); err != nil {
				t.Fatal(err)
			}
		}
		wanted := map[int]lane.Outcome{0: lane.Routed, 1: lane.FellBack}[round%2]
		if decision, err := router.Hop("web.shop.svc", &request); err != nil || decision.Outcome != wanted {
			t.Errorf("round %d: %v %v", round, decision, err)
		}
	}
}

func TestLargeAndHostileRequests(t *testing.T) {
	router := mustCompile(t, shop, lane.WithInstances(1))
	for _, size := range []int{0, 100, 4 << 10, 8 << 10, 64 << 10, 1 << 20} {
		long := strings.Repeat("x", size)
		request := lane.Request{Path: "/" + long, Headers: []lane.Header{
			{Name: "version", Value: "v8" + long}, {Name: "x-user-group", Value: "qa"}, {Name: "baggage", Value: "k=" + long}, {Name: long, Value: long},
		}}
		decision, err := router.Ingress("edge", &request)
		if err != nil || decision.Lane != "v2" {
			t.Errorf("size %d: %v %v", size, decision.Outcome, err)
		}
		// The value that was found is as long as the header.
		hop, err := router.Hop("web.shop.svc", &request)
		if err != nil || hop.Found.Value != "v8"+long || !hop.Notes.Has(lane.NoteUnknownLane) {
			t.Errorf("size %d: %v %v", size, hop.Outcome, err)
		}
	}
	for _, name := range []string{"", "\xff\xfe", "\x00", strings.Repeat("a.", 10_000), "*", "[::1]:80"} {
		decision, err := router.Hop(name, &lane.Request{Authority: name, Path: name, Method: name, Source: lane.Source{Service: name, Lane: name, Labels: map[string]string{name: name}}})
		if err != nil || decision.Outcome != lane.Pass || decision.Service != name {
			t.Errorf("%q: %v %v", name, decision, err)
		}
		if decision, err := router.Ingress(name, &lane.Request{Recorded: []string{name}}); err != nil || decision.Outcome != lane.Pass {
			t.Errorf("%q: %v %v", name, decision, err)
		}
	}
	many := lane.Request{}
	for i := range 10_000 {
		many.Headers = append(many.Headers, lane.Header{Name: fmt.Sprintf("x-%d", i), Value: "y"})
	}
	if decision, err := router.Hop("cart", &many); err != nil || decision.Outcome != lane.Routed {
		t.Errorf("%v %v", decision, err)
	}
}

func TestTrace(t *testing.T) {
	router := mustCompile(t, shop)
	if err := router.Liveness().Set(lane.Endpoints{Service: "web.shop.svc", Lane: "v2", Total: 1}); err != nil {
		t.Fatal(err)
	}
	chain, err := router.TraceIngress("edge", &lane.Request{Path: "/", Headers: []lane.Header{{Name: "x-user-group", Value: "qa"}}})
	if err != nil || !chain.Complete || chain.Ingress.Lane != "v2" || chain.Ingress.Reason != lane.NoneHealthy || len(chain.Hops) != 1 {
		t.Fatalf("%+v %v", chain, err)
	}
	if hop := chain.Hops[0]; hop.From != "web.shop.svc" || hop.Service != "cart.shop.svc" || hop.Decision.Lane != "v2" || hop.Decision.Subset.Lane != "v1" {
		t.Errorf("%+v", hop)
	}
	chain, err = router.TraceHop("web.shop.svc", &lane.Request{Headers: []lane.Header{{Name: "version", Value: "v1"}}}, "cart", "nowhere.svc")
	if err != nil || chain.Ingress != nil || len(chain.Hops) != 3 || chain.Hops[2].Decision.Outcome != lane.Pass {
		t.Errorf("%+v %v", chain, err)
	}
}

func TestASplitNeedsARoll(t *testing.T) {
	router := mustCompile(t, `{version: 1, groups: [{name: g, mode: strict, gateways: [edge], services: [{host: a.svc}], lanes: [{name: l1}, {name: l2}],
  rules: [{name: r, service: a.svc, split: [{lane: l1, weight: 1}, {lane: l2, weight: 1}]}]}]}`)
	decision, err := router.Ingress("edge", &lane.Request{})
	if err != nil || decision.Outcome != lane.Undetermined || len(decision.Undetermined) != 1 || decision.Undetermined[0] != "roll" || decision.Status() != 0 {
		t.Errorf("%v %v", decision, err)
	}
	for roll, wanted := range []string{"l1", "l2"} {
		if decision, err := router.Ingress("edge", &lane.Request{Roll: lane.NewRoll(uint64(roll))}); err != nil || decision.Lane != wanted {
			t.Errorf("roll %d: %v %v", roll, decision, err)
		}
	}
	if one, other := lane.RandomRoll(), lane.RandomRoll(); one == other {
		t.Error("two rolls are the same")
	}
}
