package lane

import (
	"encoding/binary"
	"math/rand/v2"
	"net/http"
	"net/netip"
)

// Request is what is known of one request. The zero value is a request of which nothing is known.
//
// Strings hold bytes as received; they need not be UTF-8. The engine keeps nothing of a request, and does not change it.
type Request struct {
	// Method, Authority and Path are as in HTTP; empty is not carried. Authority (the Host) may have a port. Path is as
	// received, not decoded, with query and fragment if there are any (S11).
	Method, Authority, Path string
	// Headers are the header lines, in order.
	Headers []Header
	// HTTP are further header lines, as net/http holds them. Usually a request has either these or Headers.
	HTTP http.Header
	// Source is who calls.
	Source Source
	// Remembered are the lanes remembered for the request's trace id, by group (S28); see [Router.Recall].
	Remembered map[string]string
	// Roll is chance for splits without a sticky key (S19); without it such a split is undetermined.
	Roll Roll
	// Recorded are the names of the headers that could be seen, where that is not all of them, as in an access log: what
	// depends on another header is then undetermined instead of absent. Nil: all headers could be seen.
	Recorded []string
}

// Header is one header line.
type Header struct {
	// Name is compared without regard to case.
	Name string
	// Value may hold any bytes.
	Value string
}

// Source is who calls, as far as it is known. What is empty is not known.
type Source struct {
	// Service is the calling service, by host or alias.
	Service string
	// Labels are those of the calling workload.
	Labels map[string]string
	// Lane is the lane of the calling workload, where it is known by name.
	Lane string
	// IP is the caller's address. A zone is ignored, and an IPv4-mapped address is the IPv4 address (S13).
	IP netip.Addr
}

// Roll is a number drawn by the caller, uniform over all 64 bits. The zero value is no roll.
type Roll struct {
	value uint64
	given bool
}

// NewRoll is a roll of this value, for replaying and for tests.
func NewRoll(value uint64) Roll { return Roll{value: value, given: true} }

// RandomRoll draws a roll.
func RandomRoll() Roll { return NewRoll(rand.Uint64()) }

// Value is the roll's value, and whether there is one.
func (r Roll) Value() (value uint64, given bool) { return r.value, r.given }

// What stands in a packed request.
const (
	hasMethod        = 1
	hasAuthority     = 2
	hasPath          = 4
	hasRoll          = 8
	hasSourceService = 16
	hasSourceLane    = 32
	hasSourceAddress = 64
	hasRecorded      = 128
)

// append packs the request; place is the gateway or the called service.
func (r *Request) append(to []byte, operation byte, place string) []byte {
	var flags uint16
	set := func(flag uint16, is bool) {
		if is {
			flags |= flag
		}
	}
	set(hasMethod, r.Method != "")
	set(hasAuthority, r.Authority != "")
	set(hasPath, r.Path != "")
	set(hasRoll, r.Roll.given)
	set(hasSourceService, r.Source.Service != "")
	set(hasSourceLane, r.Source.Lane != "")
	set(hasSourceAddress, r.Source.IP.IsValid())
	set(hasRecorded, r.Recorded != nil)

	to = append(to, operation, byte(flags), byte(flags>>8))
	to = appendText(to, place)
	for _, text := range [...]string{r.Method, r.Authority, r.Path} {
		if text != "" {
			to = appendText(to, text)
		}
	}
	if r.Roll.given {
		to = binary.LittleEndian.AppendUint64(to, r.Roll.value)
	}
	for _, text := range [...]string{r.Source.Service, r.Source.Lane} {
		if text != "" {
			to = appendText(to, text)
		}
	}
	if ip := r.Source.IP; ip.Is4() {
		bytes := ip.As4()
		to = append(binary.LittleEndian.AppendUint32(to, 4), bytes[:]...)
	} else if ip.IsValid() {
		bytes := ip.As16()
		to = append(binary.LittleEndian.AppendUint32(to, 16), bytes[:]...)
	}
	to = appendMap(to, r.Source.Labels)
	to = appendMap(to, r.Remembered)

	count := len(r.Headers)
	for _, values := range r.HTTP {
		count += len(values)
	}
	to = binary.LittleEndian.AppendUint32(to, uint32(count))
	for i := range r.Headers {
		to = appendText(to, r.Headers[i].Name)
		to = appendText(to, r.Headers[i].Value)
	}
	for name, values := range r.HTTP {
		for _, value := range values {
			to = appendText(to, name)
			to = appendText(to, value)
		}
	}
	if r.Recorded != nil {
		to = appendTexts(to, r.Recorded)
	}
	return to
}

func appendMap(to []byte, pairs map[string]string) []byte {
	to = binary.LittleEndian.AppendUint32(to, uint32(len(pairs)))
	for name, value := range pairs {
		to = appendText(to, name)
		to = appendText(to, value)
	}
	return to
}

func appendTexts(to []byte, texts []string) []byte {
	to = binary.LittleEndian.AppendUint32(to, uint32(len(texts)))
	for _, text := range texts {
		to = appendText(to, text)
	}
	return to
}
