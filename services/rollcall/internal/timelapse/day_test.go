package timelapse

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

var day = flag.Bool("day", false, "24 simulated hours of load as in production, rather than two in which less is listed and less changes")

// TestNothingGrows: while members of a directory of each provider come and go for a day, neither memory nor goroutines nor open
// files grow. NATS and the simulator, which are in this process too, are left out where they can be: what they keep is theirs.
func TestNothingGrows(t *testing.T) {
	p, every := plan{providers: both(), list: time.Minute, full: 40 * time.Minute}, 2*time.Minute
	span, warm := 2*time.Hour, 40*time.Minute
	if *day {
		p.list, p.full, every, span, warm = 0, 6*time.Hour, time.Minute, 24*time.Hour, 2*time.Hour
	}
	profile(t)
	w := open(t, p)
	var loads []*load
	for _, provider := range both() {
		c := w.foundAt(map[directory.Provider]string{directory.Entra: "contoso", directory.GoogleWorkspace: "initech"}[provider], provider)
		c.hire(100)
		c.gather(c.users[:50]...)
		c.connect(50)
		c.neverHold()
		loads = append(loads, &load{customer: c, random: rand.New(rand.NewPCG(*seed, 8)), in: 50})
	}
	w.customers = nil // nothing is ever held
	began, next := w.stage.Now(), warm
	var first, last sample
	for at := time.Duration(0); at <= span; at += every {
		w.until(began.Add(at))
		for _, l := range loads {
			l.cross()
		}
		if at < next && at != span {
			continue
		}
		next += span / 12
		if last = take(t); first == (sample{}) {
			first = last
		}
		t.Logf("after %s: %s", at, last)
		for _, l := range loads {
			l.heard.forget()
		}
	}
	w.pass(time.Minute)
	if last.heap > first.heap+first.heap/10+512<<10 {
		t.Errorf("memory went from %d KiB to %d KiB", first.heap>>10, last.heap>>10)
	}
	if last.goroutines > first.goroutines+8 {
		t.Errorf("goroutines went from %d to %d", first.goroutines, last.goroutines)
	}
	if last.files > first.files+8 {
		t.Errorf("open files went from %d to %d", first.files, last.files)
	}
	for _, l := range loads {
		l.verify()
	}
}

// load is a customer whose members come and go: those of users[:in] are in the group.
type load struct {
	*customer
	random *rand.Rand
	in     int
}

// cross has one user come into the group or leave it.
func (l *load) cross() {
	l.tb.Helper()
	if l.in > 25 && (l.in == 75 || l.random.IntN(2) == 0) {
		i := l.random.IntN(l.in)
		l.in--
		l.users[i], l.users[l.in] = l.users[l.in], l.users[i]
		l.act(l.control.RemoveMembers(l.tb.Context(), l.id, l.group, l.users[l.in]))
		return
	}
	i := l.in + l.random.IntN(len(l.users)-l.in)
	l.users[i], l.users[l.in] = l.users[l.in], l.users[i]
	l.act(l.control.AddMembers(l.tb.Context(), l.id, l.group, l.users[l.in]))
	l.in++
}
