package timelapse

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// profileRate is of how many bytes that are allocated one is looked at, on average.
const profileRate = 1 << 10

// profile looks at allocations closely until the test is over.
func profile(t *testing.T) {
	t.Helper()
	before := runtime.MemProfileRate
	runtime.MemProfileRate = profileRate
	t.Cleanup(func() { runtime.MemProfileRate = before })
}

// sample is what this process takes.
type sample struct {
	heap       uint64 // bytes in use after a collection, without what others have asked for
	others     uint64 // which is this: NATS keeps its newest messages in memory, and the simulator all changes
	goroutines int
	files      int // without those in which NATS keeps its streams
}

func (s sample) String() string {
	return fmt.Sprintf("%d KiB, %d goroutines, %d open files; others have %d KiB", s.heap>>10, s.goroutines, s.files, s.others>>10)
}

func take(t *testing.T) (s sample) {
	t.Helper()
	runtime.GC()
	runtime.GC() // a profile is of the collection before
	records := make([]runtime.MemProfileRecord, 1<<10)
	for {
		n, ok := runtime.MemProfile(records, false)
		if ok {
			records = records[:n]
			break
		}
		records = make([]runtime.MemProfileRecord, n+n/4)
	}
	for i := range records {
		if isOthers(records[i].Stack()) {
			s.others += inUse(&records[i])
		} else {
			s.heap += inUse(&records[i])
		}
	}
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(links) == 0 {
		t.Fatalf("open files can only be counted on Linux, below /proc: %v", err)
	}
	for _, link := range links {
		if file, err := os.Readlink(link); err == nil && !strings.Contains(file, "/jetstream/") {
			s.files++
		}
	}
	s.goroutines = runtime.NumGoroutine()
	return s
}

// inUse is how much the allocations of which the record tells a part have in use, as package pprof reckons it.
func inUse(r *runtime.MemProfileRecord) uint64 {
	n, size := r.InUseObjects(), float64(r.InUseBytes())
	if n <= 0 {
		return 0
	}
	return uint64(size / (1 - math.Exp(-size/float64(n)/profileRate)))
}

// isOthers reports whether memory was asked for by NATS' server or by the simulator.
func isOthers(stack []uintptr) bool {
	frames := runtime.CallersFrames(stack)
	for {
		frame, more := frames.Next()
		if strings.Contains(frame.Function, "/nats-server/") || strings.Contains(frame.Function, "/services/simulator") {
			return true
		}
		if !more {
			return false
		}
	}
}
