package oidctest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	jose "github.com/go-jose/go-jose/v4"
)

// signsOut reports whether any client has its people signed out here.
func (s *Server) signsOut() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.clients {
		if len(c.LoggedOut) > 0 {
			return true
		}
	}
	return false
}

// SignedOut are the subjects of those who were signed out, in their order.
func (s *Server) SignedOut() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.out)
}

// logout signs out whom the hint, an ID token of ours, is of, and sends the browser back. A token that has expired does as well.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back := q.Get("post_logout_redirect_uri")
	s.mu.Lock()
	defer s.mu.Unlock()
	c, known := s.clients[q.Get("client_id")]
	claims, valid := s.ours(q.Get("id_token_hint"))
	if !known || !slices.Contains(c.LoggedOut, back) || !valid || claims.Audience != c.ID {
		http.Error(w, "this is no request to sign out: "+r.URL.RawQuery, http.StatusBadRequest)
		return
	}
	s.out = append(s.out, claims.Subject)
	http.Redirect(w, r, back+"?"+url.Values{"state": {q.Get("state")}}.Encode(), http.StatusSeeOther)
}

type hint struct {
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
}

// ours reads a token that one of our keys has signed.
func (s *Server) ours(token string) (claims hint, valid bool) {
	signed, err := jose.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return claims, false
	}
	for _, key := range s.keys {
		if body, err := signed.Verify(key.Public()); err == nil && json.Unmarshal(body, &claims) == nil {
			return claims, true
		}
	}
	return claims, false
}
