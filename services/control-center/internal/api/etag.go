package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// tagged gives an answer the tag of what it says, and leaves out what the client has already.
func tagged(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		held := &heldBack{ResponseWriter: w, status: http.StatusOK}
		next(held, r)
		header := w.Header()
		header.Set("Vary", "Authorization, Cookie")
		if held.status != http.StatusOK {
			held.release()
			return
		}
		tag := tagOf(held.body.Bytes())
		header.Set("ETag", tag)
		header.Set("Cache-Control", "private, no-cache")
		if matches(r.Header.Get("If-None-Match"), tag) {
			header.Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			return
		}
		held.release()
	}
}

func tagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`
}

// matches compares as RFC 9110 §13.1.2 says: weakly.
func matches(header, tag string) bool {
	if strings.TrimSpace(header) == "*" {
		return true
	}
	for one := range strings.SplitSeq(header, ",") {
		if strings.TrimPrefix(strings.TrimSpace(one), "W/") == tag {
			return true
		}
	}
	return false
}

// heldBack keeps an answer until its tag is known. A page of the API is never large.
type heldBack struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (h *heldBack) WriteHeader(status int)         { h.status = status }
func (h *heldBack) Write(body []byte) (int, error) { return h.body.Write(body) }
func (h *heldBack) release() {
	h.ResponseWriter.WriteHeader(h.status)
	_, _ = h.body.WriteTo(h.ResponseWriter) // a client that has gone is told nothing
}
