package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/schemas"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
)

// reach says who may have an operation done: the document has it as x-rollcall-access. There is none for an operation that the
// document forgets.
type reach string

const (
	anybody  reach = "anybody"  // who has proved who it is; the answer holds what it may see
	see      reach = "see"      // who may see the tenant
	orders   reach = "command"  // who may change something of the tenant
	operates reach = "operator" // operators who may; where the path has no tenant, of which one they may is the method's to see
)

// operation is one operation of the document.
type operation struct {
	id    string
	reach reach
	route routers.Route
	query []string // names of its parameters
}

// readOperations reads the document: its operations by method and path, as patterns of http.ServeMux.
func readOperations() (map[string]*operation, error) {
	document, err := openapi3.NewLoader().LoadFromData([]byte(schemas.OpenAPI()))
	if err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	if err := document.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("check openapi.yaml: %w", err)
	}
	all := map[string]*operation{}
	for path, item := range document.Paths.Map() {
		for method, o := range item.Operations() {
			if slices.Contains(o.Tags, "access") {
				continue // of AuthZEN, which package authzen serves
			}
			told, _ := o.Extensions["x-rollcall-access"].(string)
			op := &operation{id: o.OperationID, reach: reach(told), route: routers.Route{
				Spec: document, Path: path, PathItem: item, Method: method, Operation: o,
			}}
			for _, p := range slices.Concat(item.Parameters, o.Parameters) {
				if p.Value.In == openapi3.ParameterInQuery {
					op.query = append(op.query, p.Value.Name)
				}
			}
			all[method+" "+path] = op
		}
	}
	return all, nil
}

// tenantless reports whether the path names no tenant.
func (o *operation) tenantless() bool { return !strings.Contains(o.route.Path, "{tenant}") }

// admit decides whether who sends the request may have the operation done. A tenant that it may not see does not exist for it.
func (o *operation) admit(r *http.Request) error {
	p, ok := access.From(r.Context())
	if !ok {
		return problem.New(problem.Unauthenticated, "")
	}
	id := r.PathValue("tenant")
	switch {
	case o.reach == operates && o.tenantless():
		if p.Role != access.Operator || !p.Connects() {
			return problem.New(problem.Forbidden, "")
		}
		return nil
	case o.reach == anybody && id == "":
		return nil
	case id == "" || !event.ValidSlug(id) || !p.Sees(id):
		return problem.New(problem.NoSuchTenant, "")
	case o.reach == see:
		return nil
	case o.reach == orders && p.Commands(id):
		return nil
	case o.reach == operates && p.Operates(id):
		return nil
	}
	return problem.New(problem.Forbidden, "")
}
