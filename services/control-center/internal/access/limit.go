package access

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// Limit is how often something may be done: Rate times a second in the long run, Burst times at once.
type Limit struct {
	Rate  rate.Limit
	Burst int
}

// mostCallers bounds the memory of one Limiter: some 200 bytes each. Whoever was not seen for longest is forgotten first, and
// begins with a whole burst again.
const mostCallers = 10_000

// Limiter counts requests of each caller. It is safe for concurrent use.
type Limiter struct {
	limit Limit
	clock clock.Clock

	mu      sync.Mutex // a caller has one bucket, whoever comes first
	callers *lru.Cache[string, *rate.Limiter]
}

// NewLimiter lets each caller do something as often as limit says.
func NewLimiter(limit Limit, c clock.Clock) *Limiter {
	callers, err := lru.New[string, *rate.Limiter](mostCallers)
	if err != nil {
		panic(err) // the size is no size: a mistake in this package
	}
	return &Limiter{limit: limit, clock: c, callers: callers}
}

// Allow counts one request of a caller. One too many is not counted; wait is when the next is allowed.
func (l *Limiter) Allow(caller string) (wait time.Duration, ok bool) {
	now := l.clock.Now()
	r := l.bucket(caller).ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return wait, false
	}
	return 0, true
}

func (l *Limiter) bucket(caller string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.callers.Get(caller)
	if !ok {
		b = rate.NewLimiter(l.limit.Rate, l.limit.Burst)
		l.callers.Add(caller, b)
	}
	return b
}

// Caller is whom to count a request for that proves nothing: the network address that it comes from. In IPv6 one customer has a
// /64 at least. Behind a trusted proxy it is the last address of X-Forwarded-For, which that proxy has written.
func Caller(r *http.Request, trustedProxy bool) string {
	from := r.RemoteAddr
	if host, _, err := net.SplitHostPort(from); err == nil {
		from = host
	}
	if forwarded := r.Header.Values("X-Forwarded-For"); trustedProxy && len(forwarded) > 0 {
		last := forwarded[len(forwarded)-1]
		from = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
	}
	addr, err := netip.ParseAddr(from)
	if err != nil {
		return "unknown"
	}
	if addr = addr.Unmap(); addr.Is6() {
		if p, err := addr.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return addr.String()
}
