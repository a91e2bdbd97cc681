package pages

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/live"
)

// Of what is told to a page as it happens.
const (
	silence   = 15 * time.Second       // a page is told that nothing has changed
	between   = 250 * time.Millisecond // the least between two words: a bulk is told of a few times a second
	slow      = 10 * time.Second       // a page that does not take a word for that long is dropped, and comes again
	watchLife = 15 * time.Minute       // then it comes again, and is counted anew
)

// follow tells a page of changes as they come, until it goes away.
func (p *Pages) follow(w http.ResponseWriter, r *http.Request, s *scope) error {
	watch, err := p.deps.Live.Open(s.Who.ID, s.Tenant.ID, r.FormValue("user"), r.FormValue("mark"))
	if errors.Is(err, live.ErrFull) || errors.Is(err, live.ErrEnded) {
		w.Header().Set("Retry-After", "30")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return nil
	}
	if err != nil {
		return err
	}
	defer watch.Close()
	ctx, cancel := context.WithTimeout(r.Context(), watchLife)
	defer cancel()
	stream, err := openStream(w)
	if err != nil {
		return err
	}
	for still := p.still(ctx, s); ; {
		changes, more := watch.Next(ctx, silence)
		if !more || !still() {
			return nil
		}
		if len(changes) == 0 {
			stream.comment("still here")
		}
		for _, c := range changes {
			stream.say(string(c.Kind), fmt.Sprint(c.Position))
		}
		if stream.flush() != nil {
			return nil //nolint:nilerr // the page is gone, or too slow: it comes again
		}
		select {
		case <-ctx.Done():
		case <-p.deps.Clock.After(between):
		}
	}
}

// still tells whether who follows a tenant may see it by now. However often it is called, it looks once in a silence.
func (p *Pages) still(ctx context.Context, s *scope) func() bool {
	looked := p.deps.Clock.Now()
	return func() bool {
		now := p.deps.Clock.Now()
		if now.Sub(looked) < silence {
			return true
		}
		looked = now
		return access.Still(ctx, s.Tenant.ID)
	}
}

// eventStream is an answer by server-sent events.
type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	text    strings.Builder
}

// openStream begins one. The time that a request may take on our listeners does not count for it.
func openStream(w http.ResponseWriter) (*eventStream, error) {
	e := &eventStream{w: w, control: http.NewResponseController(w)}
	if err := e.control.SetReadDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("lift the time for reading: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy in between passes it on at once
	w.WriteHeader(http.StatusOK)
	e.text.WriteString("retry: 1000\n\n")
	return e, e.flush()
}

func (e *eventStream) comment(text string) { e.text.WriteString(": " + text + "\n\n") }

// say adds an event; data may be of several lines.
func (e *eventStream) say(name, data string) {
	e.text.WriteString("event: " + name + "\n")
	for line := range strings.Lines(data) {
		e.text.WriteString("data: " + strings.TrimRight(line, "\r\n") + "\n")
	}
	e.text.WriteString("\n")
}

// flush sends what was added.
func (e *eventStream) flush() error {
	defer e.text.Reset()
	if err := e.control.SetWriteDeadline(time.Now().Add(slow)); err != nil {
		return fmt.Errorf("lift the time for writing: %w", err)
	}
	if _, err := io.WriteString(e.w, e.text.String()); err != nil {
		return err
	}
	return e.control.Flush()
}
