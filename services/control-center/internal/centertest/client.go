package centertest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/rollcall-hq/rollcall/schemas"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
)

// Who sends requests.
var (
	Operator    = &access.Principal{ID: "olga", Name: "Olga", Role: access.Operator}
	Admin       = &access.Principal{ID: "ada.admin", Name: "Ada", Role: access.TenantAdmin, Tenants: []string{Contoso}}
	OtherAdmin  = &access.Principal{ID: "finn", Name: "Finn", Role: access.TenantAdmin, Tenants: []string{Fabrikam}}
	Auditor     = &access.Principal{ID: "audrey", Name: "Audrey", Role: access.Auditor}
	Checker     = &access.Principal{ID: "gate", Name: "Gate", Role: access.Operator, Scopes: []access.Scope{access.ScopeCheck}} // a token that asks "may this user?"
	Reading     = &access.Principal{ID: "board", Name: "Board", Role: access.Operator, Scopes: []access.Scope{access.ScopeRead}}
	Nobody      *access.Principal // has proved nothing
	proofHeader = "Test-Principal"
)

// Document is schemas/openapi.yaml.
func Document(tb testing.TB) *openapi3.T {
	tb.Helper()
	document, err := openapi3.NewLoader().LoadFromData([]byte(schemas.OpenAPI()))
	if err != nil {
		tb.Fatal(err)
	}
	return document
}

// Server is a part of the Control Center behind a real listener. Whatever it answers must be as openapi.yaml says.
type Server struct {
	URL string

	tb       testing.TB
	document *openapi3.T
	client   *http.Client
}

// Serve starts a server whose requests come from whom Do says.
func Serve(tb testing.TB, handler http.Handler) *Server {
	tb.Helper()
	s := httptest.NewServer(Proved(handler))
	tb.Cleanup(s.Close)
	return &Server{URL: s.URL, tb: tb, document: Document(tb), client: s.Client()}
}

// For is the server for another test, which fails where an answer is not as it should be.
func (s *Server) For(tb testing.TB) *Server {
	own := *s
	own.tb = tb
	return &own
}

// Proved hands on requests with the principal that their header Test-Principal holds, as JSON.
func Proved(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if proof := r.Header.Get(proofHeader); proof != "" {
			var p access.Principal
			if err := json.Unmarshal([]byte(proof), &p); err != nil {
				http.Error(w, err.Error(), http.StatusTeapot)
				return
			}
			r = r.WithContext(access.With(r.Context(), p))
		}
		handler.ServeHTTP(w, r)
	})
}

// Proof is the value of the header that Proved reads.
func Proof(tb testing.TB, who *access.Principal) string {
	tb.Helper()
	proof, err := json.Marshal(who)
	if err != nil {
		tb.Fatal(err)
	}
	return string(proof)
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Do sends a request and checks the answer against openapi.yaml. Headers come in pairs.
func (s *Server) Do(who *access.Principal, method, path, body string, headers ...string) Answer {
	s.tb.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.tb.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if who != nil {
		req.Header.Set(proofHeader, Proof(s.tb, who))
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := s.client.Do(req)
	if err != nil {
		s.tb.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.tb.Fatal(err)
	}
	s.check(req, res, text)
	return Answer{Status: res.StatusCode, Header: res.Header, Body: string(text)}
}

// check holds an answer to what the document says of the operation. What has no operation is a problem document.
func (s *Server) check(req *http.Request, res *http.Response, body []byte) {
	s.tb.Helper()
	if req.Method == http.MethodHead {
		return
	}
	path, item := find(s.document, req.URL)
	if item == nil || item.GetOperation(req.Method) == nil {
		if kind := res.Header.Get("Content-Type"); res.StatusCode < 400 || kind != "application/problem+json" {
			s.tb.Errorf("%s %s is not in openapi.yaml and answers %d, %s", req.Method, req.URL.Path, res.StatusCode, kind)
		}
		return
	}
	err := openapi3filter.ValidateResponse(req.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, Route: &routers.Route{
			Spec: s.document, Path: path, PathItem: item, Method: req.Method, Operation: item.GetOperation(req.Method),
		}},
		Status: res.StatusCode, Header: res.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	if err != nil {
		s.tb.Errorf("%s %s answers %d, which is not as openapi.yaml says: %v\n%s", req.Method, req.URL.Path, res.StatusCode, err, body)
	}
}

// find returns the path of the document that a URL is of: the one with the fewest parameters.
func find(document *openapi3.T, u *url.URL) (best string, item *openapi3.PathItem) {
	segments := strings.Split(u.EscapedPath(), "/")
	fewest := len(segments)
	for path, i := range document.Paths.Map() {
		parts, parameters := strings.Split(path, "/"), 0
		fits := len(parts) == len(segments)
		for n := 0; fits && n < len(parts); n++ {
			if strings.HasPrefix(parts[n], "{") {
				parameters++
			} else {
				fits = parts[n] == segments[n]
			}
		}
		if fits && parameters < fewest {
			best, item, fewest = path, i, parameters
		}
	}
	return best, item
}

// JSON reads an answer.
func (a Answer) JSON(tb testing.TB, into any) {
	tb.Helper()
	if err := json.Unmarshal([]byte(a.Body), into); err != nil {
		tb.Fatalf("%d, %s: %v", a.Status, a.Body, err)
	}
}

// Code is the code of the problem that the answer is.
func (a Answer) Code() string {
	var p struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal([]byte(a.Body), &p) // another answer has none
	return p.Code
}
