package bearer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/accessfile"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/issuer"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// maxToken is the most that a signed token may have, in bytes.
const maxToken = 8 << 10

// Machines tells of which machine of the access file a token is that an issuer has signed, by client credentials.
type Machines struct {
	file   *accessfile.Live
	finder *issuer.Finder
	logger *slog.Logger
	clock  clock.Clock
}

var _ access.Bearers = (*Machines)(nil)

// NewMachines makes Machines.
func NewMachines(file *accessfile.Live, finder *issuer.Finder, logger *slog.Logger, c clock.Clock) *Machines {
	return &Machines{file: file, finder: finder, logger: logger, clock: c}
}

// claims are what a token says, as far as it says who sends it.
type claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Party    string `json:"azp"`
	ClientID string `json:"client_id"`
	AppID    string `json:"appid"`
	Scope    any    `json:"scp"`   // a text: of Entra, and of a person who uses the client
	Nonce    string `json:"nonce"` // of a token that says who somebody is
}

// client is the id of the client that asked for the token.
func (c claims) client() string {
	for _, id := range []string{c.Party, c.ClientID, c.AppID} {
		if id != "" {
			return id
		}
	}
	return ""
}

// Who returns of which machine a token is: see access.Bearers.
func (m *Machines) Who(ctx context.Context, token string) (access.Principal, error) {
	if len(token) > maxToken {
		return access.Principal{}, access.ErrRefused
	}
	jws, err := issuer.Parse(token)
	if err != nil {
		return access.Principal{}, access.ErrRefused
	}
	var said claims // by anybody
	if json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &said) != nil {
		return access.Principal{}, access.ErrRefused
	}
	all := slices.DeleteFunc(slices.Clone(m.file.Now(ctx).Machines), func(c accessfile.Machine) bool { return c.Issuer != said.Issuer })
	if len(all) == 0 {
		return access.Principal{}, access.ErrRefused
	}
	// Machines of one issuer may name different CAs; each is asked with its own.
	for _, machine := range all {
		p, err := m.whether(ctx, machine, token, jws.Signatures[0].Header.KeyID)
		if err == nil || !errors.Is(err, access.ErrRefused) {
			return p, err
		}
	}
	return access.Principal{}, access.ErrRefused
}

// whether a token is of a machine.
func (m *Machines) whether(ctx context.Context, machine accessfile.Machine, token, key string) (access.Principal, error) {
	found, err := m.finder.Find(ctx, machine.Issuer, machine.CAFile)
	if err == nil {
		err = found.Keys.Ready(ctx, key)
	}
	switch {
	case errors.Is(err, issuer.ErrTooMany):
		return access.Principal{}, access.ErrTooMany
	case err != nil:
		m.logger.WarnContext(ctx, "the issuer of a machine's token does not answer", "machine", machine.ID, "error", err)
		return access.Principal{}, fmt.Errorf("%w: %w", access.ErrUnavailable, err)
	}
	verifier := oidc.NewVerifier(machine.Issuer, found.Keys, &oidc.Config{
		ClientID: machine.Audience, SupportedSigningAlgs: issuer.Algorithms, Now: m.clock.Now,
	})
	verified, err := verifier.Verify(ctx, token)
	if err != nil {
		return access.Principal{}, access.ErrRefused
	}
	var c claims
	if err := verified.Claims(&c); err != nil || !isOf(machine, c) {
		return access.Principal{}, access.ErrRefused
	}
	return machine.Principal(), nil
}

// isOf reports whether a token was given to the machine itself, and not to a person who uses it.
func isOf(machine accessfile.Machine, c claims) bool {
	if _, delegated := c.Scope.(string); delegated || c.Nonce != "" {
		return false
	}
	if machine.Subject != "" {
		return c.Subject == machine.Subject
	}
	return machine.ClientID != "" && c.client() == machine.ClientID
}
