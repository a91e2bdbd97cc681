package remote

import (
	"errors"
	"io"
)

// ErrTooLong says that an answer was longer than its reader allows.
var ErrTooLong = errors.New("the answer is too long")

// Capped returns body so that reading more than limit bytes of it fails with ErrTooLong, where io.LimitReader would cut
// the answer and leave a whole-looking part.
func Capped(body io.ReadCloser, limit int64) io.ReadCloser {
	return &capped{ReadCloser: body, left: limit}
}

type capped struct {
	io.ReadCloser
	left int64
}

func (c *capped) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	if c.left -= int64(n); c.left < 0 {
		return 0, ErrTooLong
	}
	return n, err
}
