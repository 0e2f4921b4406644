//go:build lane_cgo

package lane

/*
#cgo LDFLAGS: -L${SRCDIR}/lib -llane_ffi
#cgo linux LDFLAGS: -lm -ldl -lpthread
#cgo noescape lane_packed_call
#cgo nocallback lane_packed_call
#include "lane_packed.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"unsafe"
)

// Transport names how this build reaches the engine: "wasm" or "cgo".
const Transport = "cgo"

// engine is one compiled configuration, which any number of threads ask at the same time.
type engine struct {
	// mu is held for reading by who uses the handle, and for writing by who frees it.
	mu     sync.RWMutex
	handle *C.lane_packed
}

// seat are the buffers of one call. They hold no pointers, so they may be handed to C, and C keeps none of them.
type seat struct {
	engine   *engine
	question []byte
	reply    []byte
}

const (
	questionBytes = 4 << 10
	// replyBytes leave room for the 8 KiB that the engine borrows of a buffer, and for most answers.
	replyBytes = 16 << 10
	// keptBytes is how large a buffer may be to be kept for another call.
	keptBytes = 256 << 10
	// tooLarge is what no request may reach.
	tooLarge = math.MaxInt32
)

var errTooLarge = errors.New("lane: the request is too large")

var seats = sync.Pool{New: func() any {
	return &seat{question: make([]byte, 0, questionBytes), reply: make([]byte, replyBytes)}
}}

func newEngine(config []byte, _ int) (*engine, error) {
	if version := C.lane_packed_abi(); version != abi {
		return nil, fmt.Errorf("%w (the linked engine speaks version %d of the packed calls, this package version %d)", ErrDefect, version, abi)
	}
	e := &engine{}
	var handle *C.lane_packed
	status := int64(C.lane_packed_compile((*C.uint8_t)(unsafe.SliceData(config)), C.size_t(len(config)), &handle))
	if status != 0 && status != statusRefused {
		return nil, statusError(status)
	}
	e.handle = handle
	return e, nil
}

// take locks the handle against being freed, and lends buffers.
func (e *engine) take() (*seat, error) {
	e.mu.RLock()
	if e.handle == nil {
		e.mu.RUnlock()
		return nil, ErrClosed
	}
	s := seats.Get().(*seat)
	s.engine = e
	return s, nil
}

func (e *engine) giveBack(s *seat) {
	s.engine = nil
	e.mu.RUnlock()
	if cap(s.question) <= keptBytes && len(s.reply) <= keptBytes {
		seats.Put(s)
	}
}

// request is where a request is written: a slice to append to.
func (s *seat) request() []byte { return s.question[:0] }

// call hands over what was appended to s.request, and returns the answer, which is valid until the seat is given back.
func (s *seat) call(request []byte) ([]byte, error) {
	s.question = request
	if len(request) > tooLarge {
		return nil, errTooLarge
	}
	for {
		status := int64(C.lane_packed_call(
			s.engine.handle,
			(*C.uint8_t)(unsafe.SliceData(request)), C.size_t(len(request)),
			(*C.uint8_t)(unsafe.SliceData(s.reply)), C.size_t(len(s.reply)),
		))
		switch {
		case status < 0:
			return nil, statusError(status)
		case status <= int64(len(s.reply)):
			return s.reply[:status], nil
		case status > tooLarge:
			return nil, errTooLarge
		}
		s.reply = make([]byte, status)
	}
}

// call writes a request, and lets the answer be read.
func (e *engine) call(write func([]byte) []byte, read func([]byte) error) error {
	s, err := e.take()
	if err != nil {
		return err
	}
	defer e.giveBack(s)
	answer, err := s.call(write(s.request()))
	if err != nil {
		return err
	}
	return read(answer)
}

// setLive changes endpoint counts, at once for everybody.
func (e *engine) setLive(all bool, updates []endpoints) error {
	return e.call(func(to []byte) []byte { return appendLive(to, all, updates) }, func([]byte) error { return nil })
}

func (e *engine) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	C.lane_packed_free(e.handle)
	e.handle = nil
}
