// Package entraidtest answers as the Microsoft identity platform does to an application that asks for a token, just far
// enough for tests of what is sent. The simulator is the faithful one.
package entraidtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// Authority is an http.Handler for discovery and token requests. Tokens are "token-1", "token-2" and so on.
type Authority struct {
	// Accept decides on a token request; nil accepts all. What it returns is written instead of a token.
	Accept func(form url.Values) *Refusal

	mu    sync.Mutex
	forms []url.Values
}

// Refusal is an answer that is no token.
type Refusal struct {
	Status int
	Header http.Header
	Body   string
}

// Refuse is the platform's answer to a wrong credential. It repeats what was sent, as no real one should.
func Refuse(form url.Values) *Refusal {
	return &Refusal{Status: http.StatusUnauthorized, Body: `{"error":"invalid_client","error_codes":[7000215],` +
		`"error_description":"AADSTS7000215: Invalid client secret provided: ` + form.Get("client_secret") + form.Get("client_assertion") + `"}`}
}

// Forms returns the token requests so far.
func (a *Authority) Forms() []url.Values {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]url.Values(nil), a.forms...)
}

// Handles reports whether a path is the authority's rather than Graph's.
func (a *Authority) Handles(path string) bool {
	return strings.HasSuffix(path, "/openid-configuration") || strings.HasSuffix(path, "/oauth2/v2.0/token")
}

// ServeHTTP implements http.Handler.
func (a *Authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	tenant, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	base := "https://" + r.Host + "/" + tenant
	if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
		write(w, map[string]any{
			"issuer": base + "/v2.0", "token_endpoint": base + "/oauth2/v2.0/token",
			"authorization_endpoint": base + "/oauth2/v2.0/authorize",
		})
		return
	}
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	a.forms = append(a.forms, r.PostForm)
	count := len(a.forms)
	a.mu.Unlock()
	if a.Accept != nil {
		if no := a.Accept(r.PostForm); no != nil {
			for key, values := range no.Header {
				w.Header()[key] = values
			}
			w.WriteHeader(no.Status)
			_, _ = w.Write([]byte(no.Body))
			return
		}
	}
	write(w, map[string]any{"token_type": "Bearer", "expires_in": 3599, "access_token": "token-" + strconv.Itoa(count)})
}

func write(w http.ResponseWriter, v any) {
	_ = json.NewEncoder(w).Encode(v) // who hung up wants no token
}
