package entraid

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Error says why the authority gave no token. It holds no text of the authority's, which may repeat what was sent.
type Error struct {
	Status int         // of the answer; 0 where none came
	Code   string      // "AADSTS7000215", or OAuth's "invalid_client"; "" where none was told
	Header http.Header // of the answer, for its Retry-After
	Cause  error       // why no answer came
}

// Error returns one line for the operator. Codes are explained at https://login.microsoftonline.com/error.
func (e *Error) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("entra gives no token: %v", e.Cause)
	}
	return strings.TrimSpace(fmt.Sprintf("entra gives no token: %d %s", e.Status, e.Code))
}

func (e *Error) Unwrap() error { return e.Cause }

// record is what the transport saw last while one token was asked for. azidentity's errors hold the whole answer, and
// hide their cause; this is what is told instead.
type record struct {
	status int
	code   string
	header http.Header
	err    error
}

type recordKey struct{}

func withRecord(ctx context.Context) (context.Context, *record) {
	r := &record{}
	return context.WithValue(ctx, recordKey{}, r), r
}

// explain turns azidentity's error into ours.
func (r *record) explain(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("get a token: %w", context.Cause(ctx))
	case r.err != nil:
		return &Error{Cause: r.err}
	case r.status >= 300:
		return &Error{Status: r.status, Code: r.code, Header: r.header}
	case r.status != 0:
		return &Error{Status: r.status, Code: "unreadable_answer"}
	}
	return fmt.Errorf("get a token: %w", err) // nothing was sent: what azidentity says of its own arguments
}

// recorder fills the record of the request's context.
type recorder struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := t.next.RoundTrip(req)
	r, ok := req.Context().Value(recordKey{}).(*record)
	if !ok {
		return res, err
	}
	*r = record{err: bare(err)}
	if err == nil {
		r.status, r.header = res.StatusCode, res.Header
		if res.StatusCode >= 300 {
			r.code = codeOf(res)
		}
	}
	return res, err
}

// bare drops the URL from an error of net/http.
func bare(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// codeOf reads the error's code and puts the body back.
func codeOf(res *http.Response) string {
	body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(body))
	var answer struct {
		Error string  `json:"error"`
		Codes []int64 `json:"error_codes"`
	}
	_ = json.Unmarshal(body, &answer) // what is not JSON has no code
	if len(answer.Codes) > 0 {
		return fmt.Sprintf("AADSTS%d", answer.Codes[0])
	}
	for _, c := range answer.Error {
		if c != '_' && (c < 'a' || c > 'z') || len(answer.Error) > 64 {
			return ""
		}
	}
	return answer.Error
}
