package remote

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
)

// Record is what Recorders saw last of the requests of one context. The errors of sign-in libraries hold whole answers,
// which may repeat what was sent, or hide their cause: a Record is what can be told instead.
type Record struct {
	URL    *url.URL    // that was asked for; nil where nothing was sent
	Status int         // of the answer; 0 where none came
	Header http.Header // of the answer
	Body   []byte      // of an answer that is no success, its first 64 KiB: to be looked at, not to be told
	Err    error       // why no answer came
}

type recordKey struct{}

// WithRecord returns a context whose requests are recorded, and the record that they fill.
func WithRecord(ctx context.Context) (context.Context, *Record) {
	r := &Record{}
	return context.WithValue(ctx, recordKey{}, r), r
}

// Recorder fills the record of each request's context. Requests of one context must not overlap.
type Recorder struct{ Next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := t.Next.RoundTrip(req)
	r, ok := req.Context().Value(recordKey{}).(*Record)
	if !ok {
		return res, err
	}
	*r = Record{URL: req.URL, Err: Bare(err)}
	if err != nil {
		return res, err
	}
	r.Status, r.Header = res.StatusCode, res.Header
	if res.StatusCode >= 300 {
		r.Body, _ = io.ReadAll(io.LimitReader(res.Body, 64<<10))
		_ = res.Body.Close()
		res.Body = io.NopCloser(bytes.NewReader(r.Body))
	}
	return res, nil
}
