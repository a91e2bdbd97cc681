// Package bearer tells whom the token of a program is of, whichever kind it is.
package bearer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/tokens"
)

// Tokens finds API tokens, see tokens.Store.
type Tokens interface {
	Find(ctx context.Context, secret string) (tokens.Token, error)
}

// Proofs tells whom a token is of: one of ours, or else one that an issuer has signed for a machine.
type Proofs struct {
	Tokens   Tokens
	Machines access.Bearers // tokens that are signed
	Logger   *slog.Logger
}

var _ access.Bearers = (*Proofs)(nil)

// Who returns whom a token is of: see access.Bearers.
func (p *Proofs) Who(ctx context.Context, token string) (access.Principal, error) {
	if !strings.HasPrefix(token, tokens.Prefix) {
		return p.Machines.Who(ctx, token)
	}
	found, err := p.Tokens.Find(ctx, token)
	switch {
	case errors.Is(err, tokens.ErrRefused):
		return access.Principal{}, access.ErrRefused
	case err != nil:
		p.Logger.ErrorContext(ctx, "a token of ours cannot be looked up", "error", err)
		return access.Principal{}, fmt.Errorf("%w: %w", access.ErrUnavailable, err)
	}
	return found.Principal(), nil
}
