package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// ConnectTenant has a receiver look at a directory, and store it as a tenant if nothing is missing.
func (a *API) ConnectTenant(ctx context.Context, r openapi.ConnectTenantRequestObject) (openapi.ConnectTenantResponseObject, error) {
	who, _ := access.From(ctx)
	wanted := connect.Wanted{
		Tenant: r.Body.ID, Provider: directory.Provider(r.Body.Provider), DirectoryID: r.Body.DirectoryID,
		ConnectedBy: directory.Address(r.Body.ConnectedBy), Subject: directory.Address(r.Body.Subject), Products: r.Body.Products,
	}
	if wanted.Provider == directory.Entra {
		wanted.DirectoryID = strings.ToLower(wanted.DirectoryID)
	}
	if !who.Operates(wanted.Tenant) { // whether there is such a tenant is not said
		return nil, problem.New(problem.Forbidden, "")
	}
	if faults := wanted.Faults(); len(faults) > 0 {
		p := problem.New(problem.InvalidRequest, "")
		p.Faults = mapped(faults, func(f connect.Fault) problem.Fault { return problem.Fault{Where: "body:/" + f.Field, Message: f.Want} })
		return nil, p
	}
	if wait, ok := a.deps.Connector.Allow(who); !ok {
		p := problem.New(problem.RateLimited, "")
		p.RetryAfter = wait
		return nil, p
	}
	found, err := a.deps.Connector.Connect(ctx, who, wanted, r.Params.IdempotencyKey)
	if errors.Is(err, connect.ErrNotProved) {
		return nil, a.notProved(ctx, wanted, found)
	}
	if err != nil {
		return nil, err
	}
	return a.connected(ctx, wanted, found)
}

// notProved says what is missing, and where an admin consents if it is that.
func (a *API) notProved(ctx context.Context, w connect.Wanted, found connect.Proof) error {
	p := problem.New(problem.NotProved, "")
	if slices.ContainsFunc(found.Findings, func(f receiver.Finding) bool { return f.Consent }) {
		address, err := a.deps.Connector.Consent(ctx, w, "")
		if err != nil {
			return err
		}
		p = problem.New(problem.NotConsented, "An admin of the directory opens the address in \"consent\" in a browser and accepts; then send the same again.")
		p.Consent = address
	}
	p.Findings = found.Findings
	return p
}

func (a *API) connected(ctx context.Context, w connect.Wanted, found connect.Proof) (openapi.ConnectTenantResponseObject, error) {
	t, err := a.tenant(ctx, w.Tenant)
	if err != nil {
		return nil, err
	}
	told, err := a.describe(ctx, t)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer // as GetTenant writes it
	if err := json.NewEncoder(&body).Encode(told); err != nil {
		return nil, err
	}
	return openapi.ConnectTenant201JSONResponse{
		Headers: openapi.ConnectTenant201ResponseHeaders{Location: "/api/v1/tenants/" + t.ID, ETag: tagOf(body.Bytes())},
		Body:    openapi.ConnectedTenant{Tenant: told, Findings: mapped(found.Findings, findingOf)},
	}, nil
}

func findingOf(f receiver.Finding) openapi.Finding {
	return openapi.Finding{Check: f.Check, State: openapi.FindingState(f.State), Detail: f.Detail, Action: f.Action, Consent: f.Consent}
}
