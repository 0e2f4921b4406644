//go:build !lane_cgo

package lane

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// Transport names how this build reaches the engine: "wasm" or "cgo".
const Transport = "wasm"

// module is the engine, built by build-wasm.sh. It imports nothing: it cannot reach anything outside its own memory.
//
//go:embed lane.wasm
var module []byte

// program is the engine compiled to machine code: once a process, when the first configuration is compiled.
var program = sync.OnceValues(func() (compiled, error) {
	ctx := experimental.WithCompilationWorkers(context.Background(), runtime.GOMAXPROCS(0))
	runtime := wazero.NewRuntime(ctx)
	code, err := runtime.CompileModule(ctx, module)
	if err != nil {
		return compiled{}, fmt.Errorf("%w (its WebAssembly cannot be compiled: %w)", ErrDefect, err)
	}
	return compiled{runtime, code}, nil
})

type compiled struct {
	runtime wazero.Runtime
	code    wazero.CompiledModule
}

// engine is one compiled configuration. An instance of WebAssembly belongs to one goroutine at a time, so there are several, each
// with the whole router in its memory; all are copies of the first one, as it was when it had compiled.
type engine struct {
	// free are the instances that nobody uses; vacant holds one token for each that was not made yet.
	free   chan *seat
	vacant chan struct{}
	live   liveLog

	// closed is closed when the engine is.
	closed chan struct{}
	// mu guards closing, and first while it is copied.
	mu sync.Mutex
	// first is asked nothing: copies are made of it.
	first *seat
}

// seat is an instance, and where in its memory requests and answers go.
type seat struct {
	module   api.Module
	memory   api.Memory
	function api.Function
	// stack is for arguments and results of function.
	stack [5]uint64

	handle   uint32
	question room
	reply    room
	// seen is the version of endpoint counts that the instance has.
	seen uint64
	// broken says that the instance trapped, and must not be used again.
	broken bool
}

// room is a piece of an instance's memory.
type room struct{ at, length uint32 }

const (
	questionBytes = 4 << 10
	// replyBytes leave room for the 8 KiB that the engine borrows of a buffer, and for most answers.
	replyBytes = 16 << 10
	// tooLarge is what no request may reach: an instance has no more than 4 GiB in all.
	tooLarge = math.MaxInt32
)

var errTooLarge = errors.New("lane: the request is too large")

func newEngine(config []byte, instances int) (*engine, error) {
	first, err := newSeat()
	if err != nil {
		return nil, err
	}
	if err := first.compile(config); err != nil {
		first.close()
		return nil, err
	}
	e := &engine{free: make(chan *seat, instances), vacant: make(chan struct{}, instances), closed: make(chan struct{}), first: first}
	for range instances {
		e.vacant <- struct{}{}
	}
	return e, nil
}

// newSeat is an instance without configuration.
func newSeat() (*seat, error) {
	program, err := program()
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	// Without a name there may be any number of them. There is nothing to start.
	module, err := program.runtime.InstantiateModule(ctx, program.code, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return nil, fmt.Errorf("%w (no instance can be made: %w)", ErrDefect, err)
	}
	s := &seat{module: module, memory: module.Memory(), function: module.ExportedFunction("lane_packed_call")}
	version, err := module.ExportedFunction("lane_packed_abi").Call(ctx)
	if err != nil || uint32(version[0]) != abi {
		s.close()
		return nil, fmt.Errorf("%w (the embedded engine speaks version %v of the packed calls, this package version %d)", ErrDefect, version, abi)
	}
	return s, nil
}

// lend asks the instance for memory.
func (s *seat) lend(length uint32) (room, error) {
	result, err := s.module.ExportedFunction("lane_packed_lend").Call(context.Background(), uint64(length))
	if err != nil || result[0] == 0 {
		return room{}, fmt.Errorf("lane: an instance has no room for %d bytes", length)
	}
	return room{uint32(result[0]), length}, nil
}

func (s *seat) giveBack(r room) error {
	_, err := s.module.ExportedFunction("lane_packed_return").Call(context.Background(), uint64(r.at), uint64(r.length))
	return err
}

// view is the instance's own memory, not a copy; it is valid until the instance runs, which may move its memory.
func (s *seat) view(r room) []byte {
	view, _ := s.memory.Read(r.at, r.length)
	return view
}

func (s *seat) compile(config []byte) error {
	if len(config) > tooLarge {
		return errTooLarge
	}
	ctx := context.Background()
	lent, err := s.lend(uint32(len(config)))
	if err != nil {
		return err
	}
	copy(s.view(lent), config)
	handle, err := s.lend(4)
	if err != nil {
		return err
	}
	result, err := s.module.ExportedFunction("lane_packed_compile").Call(ctx, uint64(lent.at), uint64(lent.length), uint64(handle.at))
	if err != nil {
		// Memory ran out, or it is a defect; the engine cannot tell.
		return fmt.Errorf("%w (it trapped while compiling: %w)", ErrDefect, err)
	}
	if status := int64(result[0]); status != 0 && status != statusRefused {
		return statusError(status)
	}
	s.handle, _ = s.memory.ReadUint32Le(handle.at)
	for _, r := range []room{lent, handle} {
		if err := s.giveBack(r); err != nil {
			return fmt.Errorf("%w (%w)", ErrDefect, err)
		}
	}
	if s.question, err = s.lend(questionBytes); err != nil {
		return err
	}
	s.reply, err = s.lend(replyBytes)
	return err
}

// clone is another instance with the same memory. Between calls an instance is nothing but its memory: its only global
// is the stack pointer, which is back where it began.
func (s *seat) clone() (*seat, error) {
	copied, err := newSeat()
	if err != nil {
		return nil, err
	}
	size := s.memory.Size()
	if have := copied.memory.Size(); have < size {
		if _, ok := copied.memory.Grow((size - have) >> 16); !ok {
			copied.close()
			return nil, fmt.Errorf("lane: there is no memory for another instance of %d bytes", size)
		}
	}
	from, _ := s.memory.Read(0, size)
	to, _ := copied.memory.Read(0, size)
	// What is zero already need not be touched, and so takes no memory of the machine.
	const page = 4096
	for at := 0; at+page <= len(from) && at+page <= len(to); at += page {
		if page := from[at : at+page]; !bytes.Equal(page, zeros[:]) || !bytes.Equal(to[at:at+len(page)], zeros[:]) {
			copy(to[at:], page)
		}
	}
	copied.handle, copied.question, copied.reply, copied.seen = s.handle, s.question, s.reply, s.seen
	return copied, nil
}

var zeros [4096]byte

func (s *seat) close() {
	// Closing an instance without files cannot fail.
	_ = s.module.Close(context.Background())
}

// request is where a request is written: a slice to append to.
func (s *seat) request() []byte { return s.view(s.question)[:0] }

// call hands over what was appended to s.request, and returns the answer, which is valid until the seat is given back.
func (s *seat) call(request []byte) ([]byte, error) {
	if len(request) > tooLarge {
		return nil, errTooLarge
	}
	length := uint32(len(request))
	if length > s.question.length {
		// It outgrew the instance's memory, so it is somewhere else.
		if err := s.grow(&s.question, length); err != nil {
			return nil, err
		}
		copy(s.view(s.question), request)
	}
	for {
		s.stack = [5]uint64{uint64(s.handle), uint64(s.question.at), uint64(length), uint64(s.reply.at), uint64(s.reply.length)}
		if err := s.function.CallWithStack(context.Background(), s.stack[:]); err != nil {
			s.broken = true
			return nil, fmt.Errorf("%w (%w)", ErrDefect, err)
		}
		status := int64(s.stack[0])
		switch {
		case status < 0:
			return nil, statusError(status)
		case status <= int64(s.reply.length):
			return s.view(room{s.reply.at, uint32(status)}), nil
		case status > tooLarge:
			return nil, errTooLarge
		}
		if err := s.grow(&s.reply, uint32(status)); err != nil {
			return nil, err
		}
	}
}

// grow replaces a room by a larger one.
func (s *seat) grow(r *room, length uint32) error {
	// Twice as much, so that a request that grows by bytes does not ask again each time.
	larger, err := s.lend(length + length/2)
	if err != nil {
		s.broken = true
		return err
	}
	old := *r
	*r = larger
	if err := s.giveBack(old); err != nil {
		s.broken = true
		return fmt.Errorf("%w (%w)", ErrDefect, err)
	}
	return nil
}

// take is an instance that nobody else uses, with the endpoint counts of now.
func (e *engine) take() (*seat, error) {
	s, err := e.anySeat()
	if err != nil {
		return nil, err
	}
	if err := e.live.sync(s); err != nil {
		e.giveBack(s)
		return nil, err
	}
	return s, nil
}

// anySeat prefers an instance that is there to one that would have to be made, and waits where neither may be had.
func (e *engine) anySeat() (*seat, error) {
	if e.isClosed() {
		return nil, ErrClosed
	}
	select {
	case s := <-e.free:
		return s, nil
	default:
	}
	select {
	case s := <-e.free:
		return s, nil
	case <-e.vacant:
		s, err := e.another()
		if err != nil {
			e.vacant <- struct{}{}
		}
		return s, err
	case <-e.closed:
		return nil, ErrClosed
	}
}

func (e *engine) isClosed() bool {
	select {
	case <-e.closed:
		return true
	default:
		return false
	}
}

// another makes one more instance.
func (e *engine) another() (*seat, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.isClosed() {
		return nil, ErrClosed
	}
	return e.first.clone()
}

// giveBack makes an instance free for others. Neither channel can be full: there are as many instances as each holds.
func (e *engine) giveBack(s *seat) {
	if s.broken {
		s.close()
		e.vacant <- struct{}{}
		return
	}
	e.free <- s
	// Who closes the engine takes what is free at that moment; what came later is closed here.
	if e.isClosed() {
		e.closeFree()
	}
}

func (e *engine) closeFree() {
	for {
		select {
		case s := <-e.free:
			s.close()
		default:
			return
		}
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

// setLive changes endpoint counts: every instance learns of it when it is taken the next time.
func (e *engine) setLive(all bool, updates []endpoints) error {
	if e.isClosed() {
		return ErrClosed
	}
	e.live.update(all, updates)
	return nil
}

func (e *engine) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.isClosed() {
		return
	}
	close(e.closed)
	e.closeFree()
	e.first.close()
}
