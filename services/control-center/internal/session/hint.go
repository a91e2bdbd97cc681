package session

import (
	"net/http"
	"regexp"
)

// The ID token by which somebody has signed in is kept in their own browser, for their issuer to know whom it is to sign out: it
// says who they are, and no bucket is to hold it. The cookie goes to where one signs out, and nowhere else.

// maxHint is how long an ID token may be for browsers to keep it. Without it the issuer asks whom it is to sign out.
const maxHint = 3500

var compact = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)

// KeepHint keeps an ID token in the browser, as long as a session may last.
func (m *Manager) KeepHint(w http.ResponseWriter, idToken string) {
	if len(idToken) > maxHint || !compact.MatchString(idToken) {
		idToken = ""
	}
	http.SetCookie(w, m.hintCookie(idToken))
}

// TakeHint returns the ID token that the browser has kept, "" where it has none, and takes its cookie.
func (m *Manager) TakeHint(w http.ResponseWriter, r *http.Request) string {
	cookies := r.CookiesNamed(m.hintCookie("").Name)
	http.SetCookie(w, m.hintCookie(""))
	if len(cookies) != 1 || len(cookies[0].Value) > maxHint || !compact.MatchString(cookies[0].Value) {
		return ""
	}
	return cookies[0].Value
}

func (m *Manager) hintCookie(value string) *http.Cookie {
	name, seconds := "rollcall-issuer", int(m.cfg.Absolute.Seconds())
	if m.cfg.Secure { // not __Host-, which would have it sent with every request
		name = "__Secure-" + name
	}
	if value == "" {
		seconds = -1
	}
	return &http.Cookie{ //nolint:gosec // Secure wherever browsers reach us by https
		Name: name, Value: value, Path: "/sign-out", MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: m.cfg.Secure,
	}
}
