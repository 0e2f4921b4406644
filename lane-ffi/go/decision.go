package lane

import "slices"

// Decision is the answer to a request (S29). Every field but Outcome is zero where nothing of the kind was decided.
type Decision struct {
	// Outcome is what becomes of the request.
	Outcome Outcome
	// Group and Rule are those that decided.
	Group, Rule string
	// Lane is the one to which the request belongs; Subset.Lane is the one that serves.
	Lane string
	// Service is the called service's host; with [Pass] at a hop the name as given.
	Service string
	// Subset are the endpoints that serve, or nil. It is shared between decisions: do not change it.
	Subset *Subset
	// Reason is why the lane itself does not serve.
	Reason Reason
	// Found is the lane name as found, and where.
	Found Found
	// SetHeaders are to replace all lines of their names; names are spelled as configured.
	SetHeaders []Header
	// RemoveHeaders are to be removed: lower-case names, sorted.
	RemoveHeaders []string
	// SetCookie is to be set for the client, or nil.
	SetCookie *Cookie
	// Remember is to be remembered for the request's trace id, see [TraceTable].
	Remember []Remembered
	// Notes are remarks.
	Notes Notes
	// Undetermined is what the decision depends on and nobody recorded: "header NAME" or "roll", sorted.
	Undetermined []string

	// atHop says that Service is never null.
	atHop bool
}

// Subset are the endpoints of one service that belong to one lane.
type Subset struct {
	// Lane is the lane.
	Lane string
	// Labels select the endpoints.
	Labels map[string]string
}

// Found is a lane name, and where it was found. In is zero where none was looked for or found.
type Found struct {
	Value string
	In    FoundIn
}

// Cookie is a cookie to set for the client (S19).
type Cookie struct {
	Name, Value string
	// TTLSeconds is how long the client keeps it.
	TTLSeconds uint32
}

// Remembered is a lane to remember for a trace id (S28).
type Remembered struct {
	Group, TraceID, Lane string
}

// Fallback says which lane serves in which one's place; ok is false where the lane itself serves, or none.
func (d *Decision) Fallback() (from, to string, ok bool) {
	if d.Outcome != FellBack || d.Subset == nil {
		return "", "", false
	}
	return d.Lane, d.Subset.Lane, true
}

// Status is the HTTP status that fits: 200, 404, 503; 0 where nobody can say.
func (d *Decision) Status() int { return d.Outcome.Status() }

// Serves says whether endpoints were chosen.
func (d *Decision) Serves() bool { return d.Outcome == Routed || d.Outcome == FellBack }

// Outcome is what becomes of a request (S29).
type Outcome uint8

const (
	// Routed: the lane itself serves.
	Routed Outcome = iota + 1
	// FellBack: another lane serves in its place.
	FellBack
	// Pass: this traffic is none of the configuration's; nothing is decided.
	Pass
	// NoRoute: it is the configuration's, but no lane takes it.
	NoRoute
	// Unavailable: a lane takes it, but no candidate can serve.
	Unavailable
	// Undetermined: it depends on something that was not recorded, or on a roll that was not given.
	Undetermined
)

var outcomeNames = [...]string{"", "routed", "fell_back", "pass", "no_route", "unavailable", "undetermined"}

// String is the outcome as decisions print it, for example fell_back.
func (o Outcome) String() string { return nameAt(outcomeNames[:], o) }

// Status is the HTTP status that fits: 200, 404, 503; 0 where nobody can say.
func (o Outcome) Status() int {
	switch o {
	case Routed, FellBack, Pass:
		return 200
	case NoRoute:
		return 404
	case Unavailable:
		return 503
	default:
		return 0
	}
}

// Reason is why a lane was passed over (S24).
type Reason uint8

const (
	// NotInLane: the lane does not contain the service.
	NotInLane Reason = iota + 1
	// NoEndpoints: the subset has no endpoints.
	NoEndpoints
	// NoneHealthy: no endpoint of the subset is healthy.
	NoneHealthy
	// BelowMinHealthy: fewer endpoints are healthy than the service asks for.
	BelowMinHealthy
)

var reasonNames = [...]string{"", "not_in_lane", "no_endpoints", "none_healthy", "below_min_healthy"}

// String is the reason as decisions print it, for example not_in_lane; empty for no reason.
func (r Reason) String() string { return nameAt(reasonNames[:], r) }

// FoundIn is where a lane name was found (S22, S29).
type FoundIn uint8

const (
	// InHeader: a header, the guiding header or the one that lane_from names.
	InHeader FoundIn = iota + 1
	// InBaggage: a baggage member.
	InBaggage
	// InCookie: the cookie that lane_from names.
	InCookie
	// InQuery: the query parameter that lane_from names.
	InQuery
	// InTraceID: remembered for the trace id.
	InTraceID
	// InSource: the caller's own lane.
	InSource
	// InRule: a rule that holds at hops.
	InRule
)

var foundInNames = [...]string{"", "header", "baggage", "cookie", "query", "trace_id", "source", "rule"}

// String is the place as decisions print it, for example trace_id; empty for none.
func (f FoundIn) String() string { return nameAt(foundInNames[:], f) }

// Notes are remarks beside a decision (S29), a set.
type Notes uint8

const (
	// NoteBelowMinHealthy: the lane serves although fewer of its endpoints are healthy than the service asks for.
	NoteBelowMinHealthy Notes = 1 << iota
	// NoteContextFull: the baggage has no room for the lane.
	NoteContextFull
	// NoteNoTraceID: the group's context is a trace id and the request has none.
	NoteNoTraceID
	// NoteUnknownLane: the lane name that was found is no lane of the group.
	NoteUnknownLane
)

var noteNames = [...]string{"below_min_healthy", "context_full", "no_trace_id", "unknown_lane"}

// Has says whether all of these remarks stand.
func (n Notes) Has(notes Notes) bool { return n&notes == notes }

// Names are the remarks as decisions print them, sorted.
func (n Notes) Names() []string {
	var names []string
	for i, name := range noteNames {
		if n&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

func nameAt[T ~uint8](names []string, i T) string {
	if int(i) < len(names) {
		return names[i]
	}
	return "invalid"
}

// read fills the decision from an answer; called is the name of a hop's service, as given.
func (d *Decision) read(answer []byte, n *names, called string, atHop bool) error {
	r := reader{rest: answer}
	d.atHop = atHop
	d.Outcome = Outcome(r.u8() + 1)
	d.Reason = Reason(r.u8())
	d.Found.In = FoundIn(r.u8())
	serves := r.u8() != 0
	d.Group = n.group(r.u32())
	d.Rule = n.rule(r.u32())
	lane, service, serving := r.u32(), r.u32(), r.u32()
	d.Lane = n.lane(lane)
	d.Service = called
	if service != noID {
		d.Service = n.service(service)
	}
	if serves {
		d.Subset = n.subset(subsetID{service, serving})
	}
	if d.Found.In != 0 {
		d.Found.Value = n.text(r.bytes())
	}
	if r.u8() != 0 {
		d.SetCookie = &Cookie{Name: n.text(r.bytes()), Value: string(r.bytes()), TTLSeconds: r.u32()}
	}
	d.Remember = readRemembered(&r, n)
	for kind := r.u8(); kind != 0; kind = r.u8() {
		name := n.text(r.bytes())
		if kind == 1 {
			d.SetHeaders = append(d.SetHeaders, Header{Name: name, Value: n.text(r.bytes())})
		} else {
			d.RemoveHeaders = append(d.RemoveHeaders, name)
		}
	}
	if len(d.RemoveHeaders) > 1 {
		slices.Sort(d.RemoveHeaders)
		d.RemoveHeaders = slices.Compact(d.RemoveHeaders)
	}
	d.Notes = Notes(r.u8())
	if count := r.count(4); count > 0 {
		d.Undetermined = make([]string, count)
		for i := range d.Undetermined {
			d.Undetermined[i] = string(r.bytes())
		}
	}
	return r.err()
}

func readRemembered(r *reader, n *names) []Remembered {
	var remembered []Remembered
	for r.u8() != 0 {
		remembered = append(remembered, Remembered{Group: n.text(r.bytes()), TraceID: string(r.bytes()), Lane: n.text(r.bytes())})
	}
	return remembered
}
