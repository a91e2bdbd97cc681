package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

const publicAuthority = "https://login.microsoftonline.com"

// Authority is where tokens come from, and admins consent: the public cloud's, unless another is named.
func Authority(e tenant.Endpoints) string {
	return strings.TrimSuffix(cmp.Or(e.Authority, publicAuthority), "/")
}

// ofDirectory asks the authority, which needs no right for it, in which directory the connecting domain is. A domain of
// another one would make all provisioning groups look absent.
func (v *verification) ofDirectory(ctx context.Context) {
	id, err := v.directoryOf(ctx, v.tenant.Domain)
	switch {
	case err != nil:
		v.add(checkDirectory, receiver.Unknown, fmt.Sprintf("In which directory %s is could not be found out: %v.", v.tenant.Domain, remote.Bare(err)), "")
	case id == "":
		v.add(checkDirectory, receiver.Failed, v.tenant.Domain+" is a domain of no directory.",
			"Verify the domain under Entra admin center > Settings > Domain names, or connect the tenant again with an admin's address at a domain that is listed there.")
	case !strings.EqualFold(id, v.tenant.DirectoryID):
		v.add(checkDirectory, receiver.Failed, v.tenant.Domain+" is a domain of another directory than the one that is read.", compareID)
	default:
		v.passed(checkDirectory, v.tenant.Domain+" is a domain of this directory.")
	}
}

// directoryOf returns the id of the directory that a domain is in, "" where it is in none. The authority's OpenID document
// may be asked for by domain, and names the directory in its issuer.
// Source: learn.microsoft.com/entra/identity-platform/v2-protocols-oidc.
func (v *verification) directoryOf(ctx context.Context, domain string) (string, error) {
	pool, err := v.provider.pools.Transport(v.tenant.Endpoints.CAFile)
	if err != nil {
		return "", err
	}
	base := Authority(v.tenant.Endpoints)
	ctx, cancel := context.WithTimeout(ctx, v.client.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/"+domain+"/v2.0/.well-known/openid-configuration", http.NoBody)
	if err != nil {
		return "", err
	}
	res, err := remote.Observed{Next: pool, Route: authorityRoute, Tell: v.provider.deps.Observe}.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
		return issuingDirectory(io.LimitReader(res.Body, 1<<20))
	case http.StatusBadRequest: // AADSTS90002
		return "", nil
	}
	return "", fmt.Errorf("the authority answers %d", res.StatusCode)
}

// issuingDirectory reads the directory from an issuer such as https://login.microsoftonline.com/<id>/v2.0.
func issuingDirectory(document io.Reader) (string, error) {
	var answer struct {
		Issuer string `json:"issuer"`
	}
	_ = json.NewDecoder(document).Decode(&answer) // what is no document names no issuer
	path := strings.Split(strings.TrimSuffix(answer.Issuer, "/v2.0"), "/")
	if id := path[len(path)-1]; len(path) > 3 && id != "" {
		return id, nil
	}
	return "", errors.New("the authority's document names no directory")
}
