package pages

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"sync"
)

func takesGzip(r *http.Request) bool {
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		coding, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if coding == "gzip" && strings.ReplaceAll(quality, " ", "") != "q=0" {
			return true
		}
	}
	return false
}

func squeeze(w io.Writer, body []byte, level int) error {
	z, err := gzip.NewWriterLevel(w, level)
	if err != nil {
		return err
	}
	if _, err := z.Write(body); err != nil {
		return err
	}
	return z.Close()
}

var zippers = sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }}

// zipped sends text by gzip to those who take it. What is sent bit by bit, as it happens, stays as it is.
func zipped(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !takesGzip(r) {
			next.ServeHTTP(w, r)
			return
		}
		z := &zipWriter{ResponseWriter: w}
		defer z.end()
		next.ServeHTTP(z, r)
	})
}

// zipWriter begins to zip with the first byte of a body that is worth it.
type zipWriter struct {
	http.ResponseWriter
	z       *gzip.Writer
	decided bool
}

func (w *zipWriter) WriteHeader(status int) {
	w.decide(status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *zipWriter) Write(b []byte) (int, error) {
	w.decide(http.StatusOK)
	if w.z != nil {
		return w.z.Write(b)
	}
	return w.ResponseWriter.Write(b)
}

func (w *zipWriter) decide(status int) {
	if w.decided {
		return
	}
	w.decided = true
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	switch kind {
	case "text/html", "text/csv", "application/json":
	default:
		return
	}
	if status == http.StatusNotModified || status == http.StatusNoContent {
		return
	}
	h.Del("Content-Length")
	h.Set("Content-Encoding", "gzip")
	z, isWriter := zippers.Get().(*gzip.Writer)
	if !isWriter {
		return
	}
	z.Reset(w.ResponseWriter)
	w.z = z
}

// Unwrap lets http.ResponseController reach the connection.
func (w *zipWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *zipWriter) end() {
	if w.z != nil {
		_ = w.z.Close()
		zippers.Put(w.z)
	}
}
