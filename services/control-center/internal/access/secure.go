package access

import (
	"net/http"
	"net/url"
)

// maxBody is the most of a body that is read, in bytes.
const maxBody = 1 << 20

// policy lets a page load what is ours and nothing else, and no other page hold it in a frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Secure wraps all that the Control Center serves: headers that tell a browser what not to do, a bound of bodies, and no change
// that a page of another origin has asked a browser for. publicURL is where browsers reach it.
func Secure(publicURL string, next http.Handler) http.Handler {
	https := isHTTPS(publicURL)
	crossing := http.NewCrossOriginProtection()
	crossing.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { crossOrigin().Write(w) }))
	_ = crossing.AddTrustedOrigin(publicURL) // one that is none is trusted for nothing
	next = crossing.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if https {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if r.ContentLength > maxBody {
			tooLarge().Write(w)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

func isHTTPS(publicURL string) bool {
	u, err := url.Parse(publicURL)
	return err == nil && u.Scheme == "https"
}
