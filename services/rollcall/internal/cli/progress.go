package cli

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// progress tells how far a full read has come: on one line that is written over where a person watches, and else on a
// new line now and then.
type progress struct {
	out      io.Writer
	terminal bool

	mu                          sync.Mutex // silent comes from elsewhere
	users, groups, members, all int
	told                        time.Time
	shown, compared             bool
}

// How seldom it is told, on a terminal and in a file.
const (
	tellEvery    = 200 * time.Millisecond
	writeEvery   = 5 * time.Second
	carriageLine = "\r%s: %d users, %d groups, %d memberships on %d pages   "
	plainLine    = "%s: %d users, %d groups, %d memberships on %d pages\n"
)

func newProgress(out io.Writer) *progress {
	return &progress{out: out, told: time.Now(), terminal: isTerminal(out)}
}

func (p *progress) page(ev event.Event, snapshot string) error {
	data, err := event.Data[event.DirectoryObserved](ev)
	if err != nil {
		return err
	}
	if data.Snapshot != snapshot {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range data.Observations {
		switch {
		case o.User != nil:
			p.users++
		case o.Group != nil:
			p.groups++
		case o.Membership != nil:
			p.members++
		}
	}
	p.all++
	p.tellNow()
	return nil
}

// read takes over how much has been read by now.
func (p *progress) read(pages, users, groups, members int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all, p.users, p.groups, p.members = pages, users, groups, members
	if pages > 0 {
		p.tellNow()
	}
}

// tellNow tells how far it is where that was not told just now. The lock is held.
func (p *progress) tellNow() {
	every := writeEvery
	if p.terminal {
		every = tellEvery
	}
	if time.Since(p.told) >= every {
		p.tell("reading")
	}
}

// compares tells, once, that all is read.
func (p *progress) compares() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.compared {
		p.compared = true
		p.tell("read, comparing")
	}
}

func (p *progress) snapshot(ev event.Event, snapshot string) error {
	data, err := event.Data[event.SnapshotEnded](ev)
	if err != nil {
		return err
	}
	if data.Snapshot == snapshot {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.tell("read, comparing")
	}
	return nil
}

// silent says where to look when nothing was read for long.
func (p *progress) silent(tenant string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == 0 && !p.shown {
		_, _ = fmt.Fprintf(p.out, "nothing is read yet: \"rollcall tenants verify %s\" finds out what keeps the directory from being read\n", tenant)
	}
}

// tell writes how far it is. The lock is held.
func (p *progress) tell(what string) {
	p.told, p.shown = time.Now(), true
	line := plainLine
	if p.terminal {
		line = carriageLine
	}
	_, _ = fmt.Fprintf(p.out, line, what, p.users, p.groups, p.members, p.all)
}

func (p *progress) end() {
	if p.shown && p.terminal {
		_, _ = fmt.Fprintln(p.out)
	}
}
