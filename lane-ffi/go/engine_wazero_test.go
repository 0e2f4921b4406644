//go:build !lane_cgo

package lane

import (
	"errors"
	"runtime"
	"testing"
	"time"
)

const small = `{"version": 1, "groups": [{"name": "g", "mode": "strict", "services": [{"host": "a.svc"}], "lanes": [{"name": "l"}],
  "rules": [{"name": "r", "service": "a.svc", "lane": "l"}]}]}`

// TestAnInstanceThatTrapsIsReplaced hands the engine an answer buffer outside its memory.
func TestAnInstanceThatTrapsIsReplaced(t *testing.T) {
	router, err := Compile([]byte(small), WithInstances(1))
	if err != nil {
		t.Fatal(err)
	}
	defer router.Close()
	if err := router.Liveness().Set(Endpoints{Service: "a.svc", Lane: "l", Total: 2, Healthy: 0}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s, err := router.engine.take()
		if err != nil {
			t.Fatal(err)
		}
		s.reply.at = 0xfff0_0000
		if _, err := s.call((&Request{}).append(s.request(), opIngress, "")); !errors.Is(err, ErrDefect) {
			t.Errorf("%v", err)
		}
		router.engine.giveBack(s)
		decision, err := router.Ingress("", &Request{})
		if err != nil || decision.Outcome != Unavailable {
			t.Errorf("the next instance does not know what the last one knew: %v %v", decision, err)
		}
	}
}

// TestInstancesAreMadeWhenNeeded, and one after the other needs only one.
func TestInstancesAreMadeWhenNeeded(t *testing.T) {
	router, err := Compile([]byte(small), WithInstances(3))
	if err != nil {
		t.Fatal(err)
	}
	defer router.Close()
	for range 10 {
		if _, err := router.Ingress("", &Request{}); err != nil {
			t.Fatal(err)
		}
	}
	if made := 3 - len(router.engine.vacant); made != 1 {
		t.Errorf("%d instances", made)
	}
	var taken []*seat
	for range 3 {
		s, err := router.engine.take()
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, s)
	}
	waited := make(chan error)
	go func() {
		_, err := router.Ingress("", &Request{})
		waited <- err
	}()
	select {
	case err := <-waited:
		t.Errorf("a fourth instance was had: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	for _, s := range taken {
		router.engine.giveBack(s)
	}
	if err := <-waited; err != nil {
		t.Error(err)
	}
}

// TestCloseWhileInstancesAreOut: who waits is told, and what comes back later is closed.
func TestCloseWhileInstancesAreOut(t *testing.T) {
	router, err := Compile([]byte(small), WithInstances(1))
	if err != nil {
		t.Fatal(err)
	}
	s, err := router.engine.take()
	if err != nil {
		t.Fatal(err)
	}
	waited := make(chan error)
	go func() {
		_, err := router.Ingress("", &Request{})
		waited <- err
	}()
	time.Sleep(5 * time.Millisecond)
	router.Close()
	if err := <-waited; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := s.call((&Request{}).append(s.request(), opIngress, "")); err != nil {
		t.Errorf("a decision that was under way did not end well: %v", err)
	}
	router.engine.giveBack(s)
	if !s.module.IsClosed() || !router.engine.first.module.IsClosed() {
		t.Error("an instance is still open")
	}
}

// TestARouterThatNobodyHoldsIsClosed by the garbage collector.
func TestARouterThatNobodyHoldsIsClosed(t *testing.T) {
	router, err := Compile([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	engine := router.engine
	runtime.KeepAlive(router)
	router = nil
	for range 100 {
		runtime.GC()
		if engine.isClosed() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("it is still open")
}
