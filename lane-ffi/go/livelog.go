//go:build !lane_cgo

package lane

import (
	"sync"
	"sync/atomic"
)

// liveLog are endpoint counts that several instances follow: what they are, and in which order they changed. An instance that was
// taken for a request learns what changed since it was last taken, so that an update costs nothing for instances that rest.
type liveLog struct {
	// version counts changes; it is base+len(changed), to be read without the lock.
	version atomic.Uint64

	mu    sync.Mutex
	cells map[subsetID]endpoints
	// changed are the subsets that changed after version base, the oldest first. Who saw less than base is told everything.
	changed []subsetID
	base    uint64
}

func (l *liveLog) update(all bool, updates []endpoints) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cells == nil || all {
		l.cells = map[subsetID]endpoints{}
	}
	if all {
		l.forget(1)
	}
	for _, update := range updates {
		// A subset that is set back stays in the log, for those who know its counts.
		if update.set {
			l.cells[update.subset] = update
		} else {
			delete(l.cells, update.subset)
		}
		l.changed = append(l.changed, update.subset)
	}
	if len(l.changed) > 2*len(l.cells)+1024 {
		l.forget(0)
	}
	l.version.Store(l.base + uint64(len(l.changed)))
}

// forget cuts the log, so that everybody who is behind is told everything; more changes than the log holds may be counted.
func (l *liveLog) forget(more uint64) {
	l.base += uint64(len(l.changed)) + more
	l.changed = nil
}

// sync tells an instance what changed.
func (l *liveLog) sync(s *seat) error {
	if s.seen == l.version.Load() {
		return nil
	}
	l.mu.Lock()
	var updates []endpoints
	all := s.seen < l.base
	if all {
		for _, cell := range l.cells {
			updates = append(updates, cell)
		}
	} else {
		for _, subset := range l.changed[s.seen-l.base:] {
			cell := l.cells[subset] // zero: set back
			cell.subset = subset
			updates = append(updates, cell)
		}
	}
	version := l.version.Load()
	l.mu.Unlock()
	if _, err := s.call(appendLive(s.request(), all, updates)); err != nil {
		return err
	}
	s.seen = version
	return nil
}
