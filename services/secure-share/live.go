package secureshare

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// heartbeat shows a reader who has gone away.
const heartbeat = 15 * time.Second

// live sends what the user may do, each time that it is another thing, as server-sent events.
func (a *App) live(w http.ResponseWriter, r *http.Request) {
	key, ok := a.signedIn(r)
	if !ok {
		http.Error(w, "sign in first", http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Time{})
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for {
		v, changed := a.look(key)
		if err := errors.Join(a.send(w, v), control.Flush()); err != nil {
			return
		}
		for waiting := true; waiting; {
			select {
			case <-changed:
				waiting = false
			case <-ticker.C:
				if _, err := fmt.Fprint(w, ":\n\n"); err != nil || control.Flush() != nil {
					return
				}
			case <-r.Context().Done():
				return
			}
		}
	}
}

// send writes the part of the page that changes as one server-sent event.
func (a *App) send(w io.Writer, v view) error {
	var body bytes.Buffer
	if err := a.page.ExecuteTemplate(&body, "capabilities", v); err != nil {
		return fmt.Errorf("write the capabilities: %w", err)
	}
	var event bytes.Buffer
	for line := range bytes.Lines(body.Bytes()) {
		event.WriteString("data: ")
		event.Write(bytes.TrimRight(line, "\r\n"))
		event.WriteByte('\n')
	}
	event.WriteByte('\n')
	_, err := w.Write(event.Bytes())
	return err
}
