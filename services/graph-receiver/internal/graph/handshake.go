package graph

import (
	"net/http"
	"strings"
)

// maxValidationToken is far above what Graph sends.
const maxValidationToken = 2048

// Handshake implements receiver.Provider: Graph proves that we own a notification URL with POST ?validationToken=…, and
// wants the decoded token back as text within ten seconds. It comes while our own request for the subscription is still
// open, so it needs nothing that is stored. The token is opaque and anyone's to send, so what could be markup is refused
// and the rest leaves as plain text that no browser may take for anything else.
func (p *Provider) Handshake(w http.ResponseWriter, r *http.Request) bool {
	query := r.URL.Query()
	if r.Method != http.MethodPost || !query.Has("validationToken") {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	token := query.Get("validationToken")
	if token == "" || len(token) > maxValidationToken || strings.ContainsAny(token, "<>") {
		w.WriteHeader(http.StatusBadRequest)
		return true
	}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte(token)) //nolint:gosec // G705: Graph wants it back; as text without < and > no browser runs it
	return true
}
