package access

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// Sessions tells who is signed in.
type Sessions interface {
	// Who returns who sends a request, by its cookie. Errors: ErrRefused, also where there is no cookie, or ErrUnavailable.
	Who(r *http.Request) (Principal, error)
}

// Bearers tells whom a token is of.
type Bearers interface {
	// Who returns whom a token is of. Errors: ErrRefused, ErrTooMany, ErrUnavailable.
	Who(ctx context.Context, token string) (Principal, error)
}

// Config says how often requests are answered, and what stands before the listener.
type Config struct {
	Principal Limit // of each principal; zero: 100 a second, 400 at once
	Address   Limit // of each address that proves nothing; zero: 5 a second, 60 at once
	// TrustedProxy says that all requests come through a proxy that writes X-Forwarded-For.
	TrustedProxy bool
}

// Deps are the parts that a Guard works with; all are needed.
type Deps struct {
	Sessions Sessions
	Bearers  Bearers
	Logger   *slog.Logger
	Clock    clock.Clock
}

// Guard lets nobody in who has not proved who it is, and nobody too often.
type Guard struct {
	cfg        Config
	deps       Deps
	principals *Limiter
	addresses  *Limiter
}

// NewGuard makes a Guard.
func NewGuard(cfg Config, deps Deps) *Guard {
	if cfg.Principal == (Limit{}) {
		cfg.Principal = Limit{Rate: 100, Burst: 400}
	}
	if cfg.Address == (Limit{}) {
		cfg.Address = Limit{Rate: 5, Burst: 60}
	}
	return &Guard{cfg: cfg, deps: deps, principals: NewLimiter(cfg.Principal, deps.Clock), addresses: NewLimiter(cfg.Address, deps.Clock)}
}

// Pages hands on the requests of people who are signed in, with From, and sends others to sign in.
func (g *Guard) Pages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		again := func() (Principal, error) { return g.deps.Sessions.Who(r) }
		p, err := again()
		f := g.admit(r, p, err)
		switch {
		case f == nil:
			g.serve(w, r.WithContext(WithProof(r.Context(), p, again)), p, next)
		case f.Status == http.StatusUnauthorized:
			toSignIn(w, r)
		default:
			writeText(w, f)
		}
	})
}

// API hands on the requests of programs, and of people who are signed in, with From, and answers others with 401.
func (g *Guard) API(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		again := func() (Principal, error) { return g.who(r) }
		p, err := again()
		if f := g.admit(r, p, err); f != nil {
			f.Write(w)
			return
		}
		g.serve(w, r.WithContext(WithProof(r.Context(), p, again)), p, next)
	})
}

// Anybody hands on requests that need no proof, as often as an address may send them.
func (g *Guard) Anybody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wait, ok := g.addresses.Allow(Caller(r, g.cfg.TrustedProxy)); !ok {
			writeText(w, tooMany(wait))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// who looks at a token where there is one, and then at nothing else: a program that sends a wrong one is to hear of it.
func (g *Guard) who(r *http.Request) (Principal, error) {
	proofs := r.Header.Values("Authorization")
	if len(proofs) == 0 {
		return g.deps.Sessions.Who(r)
	}
	scheme, token, found := strings.Cut(proofs[0], " ")
	if len(proofs) > 1 || !found || !strings.EqualFold(scheme, "Bearer") {
		return Principal{}, ErrRefused
	}
	return g.deps.Bearers.Who(r.Context(), strings.TrimSpace(token))
}

// admit counts a request, and says what to answer to one that is not handed on; nil: it is.
func (g *Guard) admit(r *http.Request, p Principal, err error) *problem.Problem {
	if err == nil {
		wait, ok := g.principals.Allow(p.ID)
		if ok {
			return nil
		}
		g.refused(r, p.ID, string(problem.RateLimited))
		return tooMany(wait)
	}
	if wait, ok := g.addresses.Allow(Caller(r, g.cfg.TrustedProxy)); !ok {
		return tooMany(wait)
	}
	f := problemOf(err)
	if tried(r) {
		g.refused(r, "", string(f.Code))
	}
	return f
}

// tried reports whether a request tries to prove something; one that does not is no refusal worth a line.
func tried(r *http.Request) bool {
	return r.Header.Get("Authorization") != ""
}

// serve hands a request on, with From. What it was is in the log where it may have changed something.
func (g *Guard) serve(w http.ResponseWriter, r *http.Request, p Principal, next http.Handler) {
	w.Header().Set("Cache-Control", "private, no-cache") // a handler that knows better says so
	w.Header().Add("Vary", "Cookie, Authorization")
	if !commands(r) {
		next.ServeHTTP(w, r)
		return
	}
	answer := &answered{ResponseWriter: w}
	defer func() { g.commanded(r, p, answer.status) }()
	next.ServeHTTP(answer, r)
}

// toSignIn sends a browser to the page for that, and afterwards back to what it has asked for.
func toSignIn(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	next := "/"
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		next = OwnPath(r.URL.RequestURI())
	}
	if r.Header.Get("HX-Request") == "true" { // a part of a page: the page as a whole is to go there
		next = "/"
		if page, err := url.Parse(r.Header.Get("HX-Current-URL")); err == nil {
			next = OwnPath(page.RequestURI())
		}
		w.Header().Set("HX-Redirect", signInPath(next))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(w, r, signInPath(next), http.StatusSeeOther) //nolint:gosec // next is escaped, and a path of ours
}

func signInPath(next string) string {
	if next == "/" {
		return "/sign-in"
	}
	return "/sign-in?next=" + url.QueryEscape(next)
}
