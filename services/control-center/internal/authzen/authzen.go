// Package authzen answers "may this user?" as OpenID's AuthZEN Authorization API 1.0 says: one question, many at once, and
// searches for what is allowed. Who is licensed is read from the ledger, and what that allows from the product.
package authzen

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Tenants tells what a tenant is. An id that it does not know is tenant.ErrNotFound.
type Tenants interface {
	Get(ctx context.Context, id string) (tenant.Tenant, error)
}

// Config says how the service is reached.
type Config struct {
	PublicURL string // without a path: https://rollcall.example.com
}

// Deps are the parts that the service works with; all are needed.
type Deps struct {
	Ledger  *ledger.Reader
	Tenants Tenants
	Logger  *slog.Logger
}

// Service is the policy decision point.
type Service struct {
	cfg  Config
	deps Deps
	mux  *http.ServeMux
}

// The paths of the standard.
const (
	pathEvaluation     = "/access/v1/evaluation"
	pathEvaluations    = "/access/v1/evaluations"
	pathSearchSubject  = "/access/v1/search/subject"
	pathSearchResource = "/access/v1/search/resource"
	pathSearchAction   = "/access/v1/search/action"
)

// New makes a Service.
func New(cfg Config, deps Deps) *Service {
	s := &Service{cfg: cfg, deps: deps, mux: http.NewServeMux()}
	for path, answer := range map[string]func(*session, fields) (any, error){
		pathEvaluation:     (*session).evaluation,
		pathEvaluations:    (*session).evaluations,
		pathSearchSubject:  (*session).searchSubject,
		pathSearchResource: (*session).searchResource,
		pathSearchAction:   (*session).searchAction,
	} {
		s.mux.HandleFunc("POST "+path, s.serve(answer))
		s.mux.HandleFunc(path, onlyBy(http.MethodPost))
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { problem.New(problem.NotFound, "").Write(w) })
	return s
}

// Handler serves everything under /access/v1/. Its requests come with a principal, see access.From.
func (s *Service) Handler() http.Handler { return s.mux }

func onlyBy(method string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", method)
		problem.New(problem.MethodNotAllowed, "").Write(w)
	}
}

// requestID is the header that a caller finds its request again by.
const requestID = "X-Request-ID"

// serve reads a question, and writes what answer makes of it.
func (s *Service) serve(answer func(*session, fields) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if id := r.Header.Get(requestID); id != "" {
			w.Header().Set(requestID, id)
		}
		who, ok := access.From(r.Context())
		if !ok {
			problem.New(problem.Unauthenticated, "").Write(w)
			return
		}
		question, err := read(w, r)
		var told any
		if err == nil {
			told, err = answer(&session{ctx: r.Context(), service: s, who: who, known: map[string]known{}}, question)
		}
		if err == nil {
			err = write(w, told)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	}
}

func (s *Service) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problem.Of(err)
	if p.Code == problem.Internal {
		s.deps.Logger.ErrorContext(r.Context(), "a question could not be answered", "route", r.Pattern, "error", err)
	}
	p.Write(w)
}
