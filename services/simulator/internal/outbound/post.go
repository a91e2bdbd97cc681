package outbound

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync/atomic"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// Sender makes POSTs and logs them.
type Sender struct {
	Log
	Client *http.Client
	Clock  clock.Clock
}

// Post is one POST.
type Post struct {
	URL    string
	Header http.Header
	Body   []byte
	Answer time.Duration // how long the other side may take
}

// Send makes one POST, logs it as told by about, and returns the status: 102 when the other side said that it is still
// processing, 0 when no answer came.
func (s *Sender) Send(ctx context.Context, p Post, about control.Delivery) int {
	ctx, cancel := context.WithTimeout(ctx, p.Answer)
	defer cancel()
	about.At = s.Clock.Now().UTC()
	status, err := s.send(ctx, p)
	about.Status = status
	about.Took = s.Clock.Now().Sub(about.At)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		about.Error = "no answer in time"
	case err != nil:
		about.Error = "not reachable"
	}
	s.record(about)
	if err != nil {
		return 0
	}
	return status
}

func (s *Sender) send(ctx context.Context, p Post) (int, error) {
	var processing atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
		if code == http.StatusProcessing {
			processing.Store(true)
		}
		return nil
	}})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(p.Body))
	if err != nil {
		return 0, err
	}
	req.Header = p.Header
	res, err := s.Client.Do(req)
	if processing.Load() && (err != nil || res.StatusCode >= http.StatusBadRequest) {
		if err == nil {
			_ = res.Body.Close()
		}
		return http.StatusProcessing, nil
	}
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection is used again
	return res.StatusCode, nil
}
