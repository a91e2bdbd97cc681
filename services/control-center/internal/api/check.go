package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
)

// maxBody is more than any request needs.
const maxBody = 64 << 10

var filter = &openapi3filter.Options{
	MultiError:         true,
	AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, // who sends it is known
}

// check refuses a request that says what the document does not know. It reads the body, and puts it back.
func (o *operation) check(w http.ResponseWriter, r *http.Request) error {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return invalid("query:", "it is not percent-encoded as it should be")
	}
	for name, given := range values {
		if !slices.Contains(o.query, name) {
			return invalid("query:"+name, "there is no such parameter")
		}
		if len(given) > 1 {
			return invalid("query:"+name, "it is given more than once")
		}
	}
	if err := o.readBody(w, r); err != nil {
		return err
	}
	path := map[string]string{}
	for _, p := range slices.Concat(o.route.PathItem.Parameters, o.route.Operation.Parameters) {
		if p.Value.In == openapi3.ParameterInPath {
			path[p.Value.Name] = r.PathValue(p.Value.Name)
		}
	}
	err = openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: path, QueryParams: values, Route: &o.route, Options: filter,
	})
	if err != nil {
		p := problem.New(problem.InvalidRequest, "")
		p.Faults = faultsOf(err)
		return p
	}
	return nil
}

// readBody reads the body where there is to be one.
func (o *operation) readBody(w http.ResponseWriter, r *http.Request) error {
	if o.route.Operation.RequestBody == nil {
		if r.ContentLength != 0 {
			return invalid("body:", "none is taken here")
		}
		return nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return err
		}
		return invalid("body:", "it broke off")
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return problem.New(problem.MediaType, "")
	}
	if !json.Valid(body) {
		return invalid("body:", "it is not JSON")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// faultsOf says what is wrong with a request, and where.
func faultsOf(err error) (faults []problem.Fault) {
	if several, ok := err.(openapi3.MultiError); ok { //nolint:errorlint // what it is, not what is in it: that comes next
		for _, one := range several {
			faults = append(faults, faultsOf(one)...)
		}
		return faults
	}
	e, ok := errors.AsType[*openapi3filter.RequestError](err)
	if !ok {
		return []problem.Fault{{Message: "it is not as it should be"}}
	}
	where := "body:"
	if e.Parameter != nil {
		where = e.Parameter.In + ":" + e.Parameter.Name
	}
	if several, ok := errors.AsType[openapi3.MultiError](e.Err); ok {
		for _, one := range several {
			faults = append(faults, faultAt(where, e.Reason, one))
		}
		return faults
	}
	return []problem.Fault{faultAt(where, e.Reason, e.Err)}
}

// faultAt tells one fault.
func faultAt(where, reason string, err error) problem.Fault {
	f := problem.Fault{Where: where, Message: cmp.Or(reason, "it is not as it should be")}
	if e, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		if pointer := e.JSONPointer(); len(pointer) > 0 {
			f.Where += "/" + strings.Join(pointer, "/")
		}
		f.Message = cmp.Or(e.Reason, f.Message)
	} else if e, ok := errors.AsType[*openapi3filter.ParseError](err); ok {
		f.Message = cmp.Or(e.Reason, f.Message)
	}
	return f
}
