package lane

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Explanation is a decision, and how it came about (S30).
type Explanation struct {
	// Decision is the same one that is given without explaining.
	Decision Decision
	// Steps are what was done, in order: each rule that was tried, each place where a lane was looked for, each draw,
	// each lane that was considered for serving.
	Steps []Step
	// JSON is {"decision":…,"explanation":{"undetermined":…,"steps":…}}, as `lane route --explain --json` prints it.
	JSON json.RawMessage
}

// Step is one thing that a walk did. Which fields stand depends on Kind.
type Step struct {
	// Kind is rule, look, draw or candidate.
	Kind string `json:"step"`
	// Group and Rule are those of a rule that was tried (rule), of a lane that was looked for (look: Group), of a split (draw: Rule).
	Group string `json:"group"`
	Rule  string `json:"rule"`
	// Result of a rule: "holds", "undetermined", or {"failed": […]} with the first condition of each entry that did not hold, wanted and actual.
	Result json.RawMessage `json:"result"`
	// Place where a lane was looked for: guiding_header, context or source; Found is what was found there, or nil; Unseen says that the header was not recorded.
	Place  string  `json:"place"`
	Found  *string `json:"found"`
	Unseen bool    `json:"unseen"`
	// By is what decided a draw, Shares are the lanes with weight and range or score.
	By     json.RawMessage `json:"by"`
	Shares []Share         `json:"shares"`
	// Service and Lane of a candidate; Lane is also the one that was drawn. PassedOver is why a candidate does not serve, or empty.
	Service    string `json:"service"`
	Lane       string `json:"lane"`
	PassedOver string `json:"passed_over"`
}

// Share is a lane's part in a draw.
type Share struct {
	Lane   string `json:"lane"`
	Weight uint32 `json:"weight"`
	// Range is the first value of the lane's range and the first behind it, where a number decides; else nil.
	Range []uint64 `json:"range"`
	// Score is the lane's rendezvous score, where a key decides so; the smallest wins.
	Score *float64 `json:"score"`
}

// ExplainIngress decides as [Router.Ingress], and says why. It walks every rule: it is for people, not for every request.
func (r *Router) ExplainIngress(gateway string, request *Request) (*Explanation, error) {
	return r.explain(opExplainIngress, gateway, request)
}

// ExplainHop decides as [Router.Hop], and says why.
func (r *Router) ExplainHop(service string, request *Request) (*Explanation, error) {
	return r.explain(opExplainHop, service, request)
}

func (r *Router) explain(operation byte, place string, request *Request) (*Explanation, error) {
	explanation := &Explanation{}
	err := r.ask(operation, place, request, nil, func(answer []byte) error {
		explanation.JSON = bytes.Clone(answer)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var data struct {
		Decision    *Decision `json:"decision"`
		Explanation struct {
			Steps []Step `json:"steps"`
		} `json:"explanation"`
	}
	data.Decision = &explanation.Decision
	if err := json.Unmarshal(explanation.JSON, &data); err != nil {
		return nil, fmt.Errorf("%w (its explanation cannot be read: %w)", ErrDefect, err)
	}
	explanation.Steps = data.Explanation.Steps
	return explanation, nil
}

// Chain is a request's way through the chain of services, with the lane carried as the deciding group says (S26).
type Chain struct {
	// Ingress is the gateway's decision; nil where the request entered at a call.
	Ingress *Decision `json:"ingress"`
	// Hops are the calls, in order, up to the first that nobody serves.
	Hops []ChainHop `json:"hops"`
	// Complete says that every service was reached.
	Complete bool `json:"complete"`
	// JSON is all of it, as `lane trace --json` prints it, with the lane table and the parts of the split.
	JSON json.RawMessage `json:"-"`
}

// ChainHop is one call of a [Chain].
type ChainHop struct {
	// From is the calling service's host, or empty where it is not known; Service is the called name.
	From    string `json:"from"`
	Service string `json:"service"`
	// Decision is the one that the caller's sidecar made.
	Decision Decision `json:"decision"`
}

// TraceIngress follows a request from a gateway through the services, which are called one after the other. Without services it
// follows those of the deciding group, in document order, from the first one on. It is for people and tests.
func (r *Router) TraceIngress(gateway string, request *Request, services ...string) (*Chain, error) {
	return r.trace(opTraceIngress, gateway, request, services)
}

// TraceHop follows a request from a first call on, see [Router.TraceIngress].
func (r *Router) TraceHop(service string, request *Request, services ...string) (*Chain, error) {
	return r.trace(opTraceHop, service, request, services)
}

func (r *Router) trace(operation byte, place string, request *Request, services []string) (*Chain, error) {
	chain := &Chain{}
	more := func(to []byte) []byte {
		if len(services) == 0 {
			return append(to, 0)
		}
		return appendTexts(append(to, 1), services)
	}
	err := r.ask(operation, place, request, more, func(answer []byte) error {
		chain.JSON = bytes.Clone(answer)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(chain.JSON, chain); err != nil {
		return nil, fmt.Errorf("%w (its chain cannot be read: %w)", ErrDefect, err)
	}
	return chain, nil
}
