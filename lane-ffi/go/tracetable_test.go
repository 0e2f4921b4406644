package lane_test

import (
	"sync"
	"testing"
	"time"

	lane "github.com/lane-proxy/lane/lane-ffi/go"
)

// The same life of a table as in lane-core/src/context/table.rs.

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return epoch.Add(time.Duration(seconds) * time.Second) }

func expectLane(t *testing.T, table *lane.TraceTable, group, traceID string, now int, wanted string) {
	t.Helper()
	if found, ok := table.Lane(group, traceID, at(now)); found != wanted || ok != (wanted != "") {
		t.Errorf("%s/%s at %d: %q %v, wanted %q", group, traceID, now, found, ok, wanted)
	}
}

func remember(table *lane.TraceTable, now int, group, traceID, name string) {
	table.Remember(at(now), lane.Remembered{Group: group, TraceID: traceID, Lane: name})
}

func TestTheOldestWriteLeavesFirstAndReadingRenewsNothing(t *testing.T) {
	table := lane.NewTraceTable(2, 100*time.Second)
	remember(table, 0, "g", "a", "v1")
	remember(table, 1, "g", "b", "v1")
	remember(table, 2, "g", "a", "v2") // renewed: now b is the oldest
	expectLane(t, table, "g", "b", 3, "v1")
	remember(table, 4, "g", "c", "v3")
	expectLane(t, table, "g", "b", 4, "")
	expectLane(t, table, "g", "a", 4, "v2")
	expectLane(t, table, "g", "c", 4, "v3")
	if table.Len() != 2 {
		t.Error(table.Len())
	}
}

func TestAnAssociationIsDeadWhenItsAgeReachesTheTimeToLive(t *testing.T) {
	table := lane.NewTraceTable(2, 100*time.Second)
	remember(table, 10, "g", "a", "v1")
	expectLane(t, table, "g", "a", 109, "v1")
	expectLane(t, table, "g", "a", 110, "")
	remember(table, 110, "g", "a", "v1")
	expectLane(t, table, "g", "a", 209, "v1")
}

func TestAClockThatGoesBackStandsStill(t *testing.T) {
	table := lane.NewTraceTable(2, 100*time.Second)
	remember(table, 1000, "g", "a", "v1")
	remember(table, 500, "g", "b", "v1") // written at 1,000
	expectLane(t, table, "g", "b", 1050, "v1")
	expectLane(t, table, "g", "a", 0, "v1")
	expectLane(t, table, "g", "b", 1100, "")
}

func TestOneTraceIDHasALaneInEachGroup(t *testing.T) {
	table := lane.NewTraceTable(9, 100*time.Second)
	remember(table, 0, "g", "a", "v1")
	remember(table, 0, "h", "a", "v2")
	expectLane(t, table, "g", "a", 1, "v1")
	expectLane(t, table, "h", "a", 1, "v2")
	for _, capacity := range []int{0, -1} {
		none := lane.NewTraceTable(capacity, time.Second)
		remember(none, 0, "g", "a", "v1")
		if none.Len() != 0 {
			t.Error("a table without room holds something")
		}
	}
}

func TestATableIsSafeForConcurrentUse(t *testing.T) {
	table := lane.NewTraceTable(10, time.Second)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for round := range 1000 {
				id := string(rune('a' + (i+round)%20))
				remember(table, round, "g", id, "v1")
				table.Lane("g", id, at(round))
			}
		})
	}
	all.Wait()
	if table.Len() != 10 {
		t.Error(table.Len())
	}
}
