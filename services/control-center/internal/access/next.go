package access

import (
	"net/http"
	"net/url"
	"strings"
)

// SendOn sends a browser to a path of ours: see OwnPath.
func SendOn(w http.ResponseWriter, r *http.Request, next string) {
	http.Redirect(w, r, OwnPath(next), http.StatusSeeOther)
}

// OwnPath returns a path of ours, with its query, that a browser may be sent to after signing in, and "/" for anything else. What
// a browser would take for another host is none, whatever it makes of backslashes, tabs and dots on the way.
func OwnPath(next string) string {
	const home = "/"
	if len(next) > 2048 || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") {
		return home
	}
	for _, c := range []byte(next) {
		if c <= ' ' || c == '\\' || c >= 0x7f {
			return home
		}
	}
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || u.Opaque != "" {
		return home
	}
	// Dots and empty segments could be resolved to two slashes at the front.
	for _, path := range []string{u.Path, u.EscapedPath()} {
		if strings.Contains(path, "//") || strings.Contains(path, "/.") || strings.ContainsRune(path, '\\') {
			return home
		}
	}
	if u.Path == "/sign-in" || strings.HasPrefix(u.Path, "/sign-in/") || u.Path == "/sign-out" {
		return home
	}
	return (&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}).String()
}
