package connecting

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
)

// Callback is where browsers come back to with an admin's consent. It is registered with the application, exactly.
const Callback = "/connect/entra/callback"

// Consent is the address at which an admin of the directory consents in a browser, "" where the provider has none. State comes back
// with the answer; empty: nobody waits for it here. Errors are those of connect.Client.Describe.
func (c *Connector) Consent(ctx context.Context, w connect.Wanted, state string) (string, error) {
	if w.Provider != directory.Entra {
		return "", nil
	}
	shown, err := c.deps.Receivers.Describe(ctx, w.Provider)
	if err != nil {
		return "", err
	}
	to, err := url.Parse(shown.Authority)
	if err != nil || to.Scheme != "https" || to.Host == "" {
		return "", errors.New("the receiver names no authority at which an admin could consent")
	}
	to = to.JoinPath(w.DirectoryID, "v2.0", "adminconsent")
	query := url.Values{
		"client_id": {shown.ClientID}, "scope": {strings.Join(shown.Scopes, " ")}, "redirect_uri": {c.deps.PublicURL + Callback},
	}
	if state != "" {
		query.Set("state", state)
	}
	to.RawQuery = query.Encode()
	return to.String(), nil
}
