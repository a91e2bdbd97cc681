package pages_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// meter takes an answer and keeps none of it. Every so many bytes, while the handler waits for it, it looks how much is alive.
type meter struct {
	header       http.Header
	lines, bytes int
	looked       int
	most         uint64
}

const meterLooks = 64 << 10

func (m *meter) Header() http.Header              { return m.header }
func (m *meter) WriteHeader(int)                  {}
func (m *meter) SetWriteDeadline(time.Time) error { return nil }

func (m *meter) Write(b []byte) (int, error) {
	m.lines += bytes.Count(b, []byte("\n"))
	if m.bytes += len(b); m.bytes/meterLooks > m.looked {
		m.looked = m.bytes / meterLooks
		m.most = max(m.most, alive())
	}
	return len(b), nil
}

// alive is how many bytes can still be reached.
func alive() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// A CSV is sent as it is read: what is alive meanwhile does not grow with the list. What is alive is the whole process', so
// this test runs while no other does.
func TestACSVOfAllIsHeldNowhere(t *testing.T) { //nolint:paralleltest // see above
	const users = 15_000
	address := ledgertest.SQLite(t)
	ledgertest.Load(t, address, ledgertest.Bulk{
		Tenant: "contoso", Product: "secure-share", Domain: "contoso.com", Users: users, Members: users, At: time.Now().Add(-time.Hour),
	})
	w := newWorldOn(t, address)
	w.connect("contoso")
	request := func(query string) *meter {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/tenants/contoso/users.csv"+query, http.NoBody)
		m := &meter{header: http.Header{}}
		w.handler.ServeHTTP(m, r)
		return m
	}
	request("?q=user1*") // what is made once is there
	before := alive()
	m := request("")
	if m.lines != users+1 || m.looked < 20 {
		t.Fatalf("%d lines, looked %d times", m.lines, m.looked)
	}
	t.Logf("%d bytes; of memory at most %d more than before, at %d looks", m.bytes, int64(m.most)-int64(before), m.looked)
	// A part of the list takes 1 MiB, all of it some 7.
	if most := before + 3<<20; m.most > most {
		t.Errorf("%d bytes are alive, %d before", m.most, before)
	}
}
