package lane

// names are what the engine's ids stand for: fetched once, so that a decision makes no strings of its own.
type names struct {
	// traced says that some group's context is a trace id.
	traced   bool
	groups   []string
	services []string
	lanes    []laneInfo
	rules    []string
	// own are the subsets whose labels are not just the service tag.
	own map[subsetID]*Subset
	// interned are the names that answers hold as text: lanes, groups, headers.
	interned map[string]string
}

type laneInfo struct {
	name string
	// subset is the lane's subset of every service that has no labels of its own.
	subset *Subset
}

// subsetID names the endpoints of a service that belong to a lane.
type subsetID struct{ service, lane uint32 }

func readNames(answer []byte) (*names, error) {
	r := reader{rest: answer}
	n := &names{own: map[subsetID]*Subset{}, interned: map[string]string{}}
	n.groups = make([]string, r.count(5))
	for i := range n.groups {
		n.groups[i] = n.intern(r.bytes())
		n.traced = r.u8() != 0 || n.traced
	}
	n.services = make([]string, r.count(8))
	for i := range n.services {
		r.u32() // the group, which nobody asks for
		n.services[i] = n.intern(r.bytes())
	}
	n.lanes = make([]laneInfo, r.count(12))
	for i := range n.lanes {
		r.u32()
		name := n.intern(r.bytes())
		n.lanes[i] = laneInfo{name: name, subset: &Subset{Lane: name, Labels: n.labels(&r)}}
	}
	n.rules = make([]string, r.count(4))
	for i := range n.rules {
		n.rules[i] = string(r.bytes())
	}
	for range r.count(12) {
		id := subsetID{r.u32(), r.u32()}
		n.own[id] = &Subset{Lane: n.lane(id.lane), Labels: n.labels(&r)}
	}
	for range r.count(4) {
		n.intern(r.bytes())
	}
	return n, r.err()
}

func (n *names) labels(r *reader) map[string]string {
	count := r.count(8)
	labels := make(map[string]string, count)
	for range count {
		name := n.intern(r.bytes())
		labels[name] = n.intern(r.bytes())
	}
	return labels
}

// intern keeps a name.
func (n *names) intern(bytes []byte) string {
	if known, ok := n.interned[string(bytes)]; ok {
		return known
	}
	name := string(bytes)
	n.interned[name] = name
	return name
}

// text is the kept name of these bytes, or a new string. It does not allocate where the name is known.
func (n *names) text(bytes []byte) string {
	if known, ok := n.interned[string(bytes)]; ok {
		return known
	}
	return string(bytes)
}

func (n *names) group(id uint32) string {
	if int64(id) < int64(len(n.groups)) {
		return n.groups[id]
	}
	return ""
}

func (n *names) lane(id uint32) string {
	if int64(id) < int64(len(n.lanes)) {
		return n.lanes[id].name
	}
	return ""
}

func (n *names) service(id uint32) string {
	if int64(id) < int64(len(n.services)) {
		return n.services[id]
	}
	return ""
}

func (n *names) rule(id uint32) string {
	if int64(id) < int64(len(n.rules)) {
		return n.rules[id]
	}
	return ""
}

func (n *names) subset(id subsetID) *Subset {
	if own, ok := n.own[id]; ok {
		return own
	}
	if int64(id.lane) < int64(len(n.lanes)) {
		return n.lanes[id.lane].subset
	}
	return nil
}
