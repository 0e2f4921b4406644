package lane

import (
	"encoding/binary"
	"fmt"
)

// The packed calls, as lane-ffi/src/packed.rs describes them.

// abi is the version of the packed calls for which this package was written.
const abi = 1

// Operations: the first byte of a request.
const (
	opIngress        = 1
	opHop            = 2
	opInbound        = 3
	opExplainIngress = 4
	opExplainHop     = 5
	opTraceIngress   = 6
	opTraceHop       = 7
	opNames          = 8
	opReport         = 9
	opResolve        = 10
	opLive           = 11
	opTraceIDs       = 12
)

// What a call returns instead of a length.
const (
	statusMalformed        = -1
	statusUnknownOperation = -2
	statusBadArgument      = -3
	statusRefused          = -4
	statusUnknownID        = -5
	statusPanic            = -6
)

// statusError is what a failed call means. Only a defect, here or in the engine, brings one forth.
func statusError(status int64) error {
	what := map[int64]string{
		statusMalformed:        "it could not read the packed request",
		statusUnknownOperation: "it does not know the operation",
		statusBadArgument:      "it was given a bad pointer or length",
		statusRefused:          "its configuration was refused",
		statusUnknownID:        "it does not know an id",
		statusPanic:            "it panicked",
	}[status]
	if what == "" {
		what = fmt.Sprintf("status %d", status)
	}
	return fmt.Errorf("%w (%s)", ErrDefect, what)
}

func appendText(to []byte, text string) []byte {
	to = binary.LittleEndian.AppendUint32(to, uint32(len(text)))
	return append(to, text...)
}

// noID is the id of nothing.
const noID = 0xffff_ffff

// reader reads an answer from the front. What does not follow the description leaves `bad` set and gives zeros.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.bad, r.rest = true, nil
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// count is a number of things of which each has at least `size` bytes.
func (r *reader) count(size int) int {
	n := int(r.u32())
	if n < 0 || n > len(r.rest)/size {
		r.bad, r.rest = true, nil
		return 0
	}
	return n
}

func (r *reader) bytes() []byte {
	return r.take(int(r.u32()))
}

// err is what is wrong with the answer, when all of it should have been read.
func (r *reader) err() error {
	if r.bad || len(r.rest) > 0 {
		return fmt.Errorf("%w (its answer cannot be read)", ErrDefect)
	}
	return nil
}
