package lane

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"
)

// Liveness are the endpoint counts of a router's subsets. What was never set counts as live (S24). A health checker
// updates it while others decide; nothing is recompiled. A decision that begins after an update has returned sees it.
//
// It is safe for concurrent use.
type Liveness struct {
	router *Router
	mu     sync.Mutex
	// known are the subsets of names that were resolved.
	known map[[2]string][]subsetID
}

// Endpoints are the endpoints of one service that belong to one lane.
type Endpoints struct {
	// Service is the service's host; aliases are not accepted. Lane is the lane's name. Where several groups have both, all are meant.
	Service, Lane string
	// Total is how many endpoints there are, Healthy how many of them are healthy.
	Total, Healthy uint32
}

// endpoints are counts on their way to the engine.
type endpoints struct {
	subset         subsetID
	set            bool
	total, healthy uint32
}

// Set sets the endpoint counts of these subsets, all or, with an error, none. The error is an [*Error] for a service or lane that the
// configuration does not have, and for more healthy endpoints than there are. A lane that does not contain the service is accepted, and nothing is set.
func (l *Liveness) Set(counts ...Endpoints) error { return l.update(false, true, counts) }

// Clear makes these subsets count as live again; Total and Healthy are not looked at.
func (l *Liveness) Clear(subsets ...Endpoints) error { return l.update(false, false, subsets) }

// Replace sets these counts, and makes all other subsets count as live.
func (l *Liveness) Replace(counts ...Endpoints) error { return l.update(true, true, counts) }

func (l *Liveness) update(all, set bool, counts []Endpoints) error {
	var updates []endpoints
	var problems []Diagnostic
	for _, count := range counts {
		if set && count.Healthy > count.Total {
			problems = append(problems, Diagnostic{
				Severity: "error",
				Path:     count.Service + "/" + count.Lane,
				Message:  fmt.Sprintf("healthy %d is above endpoints %d", count.Healthy, count.Total),
			})
			continue
		}
		subsets, problem, err := l.resolve(count.Service, count.Lane)
		if err != nil {
			return err
		}
		if problem != nil {
			problems = append(problems, *problem)
			continue
		}
		for _, subset := range subsets {
			update := endpoints{subset: subset, set: set}
			if set {
				update.total, update.healthy = count.Total, count.Healthy
			}
			updates = append(updates, update)
		}
	}
	if len(problems) > 0 {
		return &Error{Diagnostics: problems}
	}
	err := l.router.engine.setLive(all, updates)
	runtime.KeepAlive(l.router)
	return err
}

// resolve finds the subsets of a service's host and a lane's name.
func (l *Liveness) resolve(service, lane string) ([]subsetID, *Diagnostic, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := [2]string{service, lane}
	if subsets, ok := l.known[key]; ok {
		return subsets, nil, nil
	}
	var subsets []subsetID
	var problem *Diagnostic
	err := l.router.engine.call(func(to []byte) []byte {
		return appendText(appendText(append(to, opResolve), service), lane)
	}, func(answer []byte) error {
		r := reader{rest: answer}
		if r.u8() == 0 {
			problem = &Diagnostic{Severity: "error", Path: string(r.bytes()), Message: string(r.bytes()), Help: string(r.bytes())}
			return r.err()
		}
		for range r.count(8) {
			subsets = append(subsets, subsetID{r.u32(), r.u32()})
		}
		return r.err()
	})
	if err != nil || problem != nil {
		return nil, problem, err
	}
	if l.known == nil {
		l.known = map[[2]string][]subsetID{}
	}
	l.known[key] = subsets
	return subsets, nil, nil
}

func appendLive(to []byte, all bool, updates []endpoints) []byte {
	to = append(to, opLive, boolByte(all))
	to = binary.LittleEndian.AppendUint32(to, uint32(len(updates)))
	for _, update := range updates {
		to = binary.LittleEndian.AppendUint32(to, update.subset.service)
		to = binary.LittleEndian.AppendUint32(to, update.subset.lane)
		to = append(to, boolByte(update.set))
		to = binary.LittleEndian.AppendUint32(to, update.total)
		to = binary.LittleEndian.AppendUint32(to, update.healthy)
	}
	return to
}

func boolByte(is bool) byte {
	if is {
		return 1
	}
	return 0
}
