package lane

import (
	"container/list"
	"sync"
	"time"
)

// TraceTable remembers lanes by trace id, for groups whose context is a trace id (S28): what a sidecar fills from
// [Decision.Remember] and [Router.Inbound], and asks before the next call by [Router.Recall]. It is bounded, and belongs to
// no router: it outlives a reload.
//
// It is told the time with every call and reads no clock; a clock that goes back counts as standing still. It is safe for concurrent use.
// It is written in Go, so that the two transports share it and no lock is held across the border.
type TraceTable struct {
	capacity int
	ttl      time.Duration

	mu  sync.Mutex
	now time.Time
	// order holds *association, the oldest write first.
	order *list.List
	by    map[traceKey]*list.Element
}

type traceKey struct{ group, traceID string }

type association struct {
	key     traceKey
	lane    string
	written time.Time
}

// NewTraceTable is an empty table for at most capacity associations, each dead when its age reaches ttl.
func NewTraceTable(capacity int, ttl time.Duration) *TraceTable {
	return &TraceTable{capacity: capacity, ttl: ttl, order: list.New(), by: map[traceKey]*list.Element{}}
}

// Remember writes associations, or renews them. When the table is full, the oldest write leaves.
func (t *TraceTable) Remember(now time.Time, remembered ...Remembered) {
	if len(remembered) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.advance(now)
	for _, one := range remembered {
		t.remember(traceKey{one.Group, one.TraceID}, one.Lane)
	}
}

func (t *TraceTable) remember(key traceKey, lane string) {
	element, ok := t.by[key]
	switch {
	case ok:
		t.order.MoveToBack(element)
	case t.capacity <= 0:
		return
	case len(t.by) < t.capacity:
		element = t.order.PushBack(new(association))
	default:
		element = t.order.Front()
		delete(t.by, element.Value.(*association).key)
		t.order.MoveToBack(element)
	}
	*element.Value.(*association) = association{key: key, lane: lane, written: t.now}
	t.by[key] = element
}

// Lane is the lane of a trace id in a group, unless it is dead or was never remembered. Reading renews nothing.
func (t *TraceTable) Lane(group, traceID string, now time.Time) (lane string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.advance(now)
	element, ok := t.by[traceKey{group, traceID}]
	if !ok {
		return "", false
	}
	found := element.Value.(*association)
	if t.now.Sub(found.written) >= t.ttl {
		return "", false
	}
	return found.lane, true
}

// Len is how many associations the table holds, dead ones that were not yet replaced included.
func (t *TraceTable) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.by)
}

func (t *TraceTable) advance(now time.Time) {
	if now.After(t.now) {
		t.now = now
	}
}
