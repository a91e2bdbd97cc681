package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
	jose "github.com/go-jose/go-jose/v4"
	"golang.org/x/time/rate"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// ErrTooMany says that keys were asked for so often that the issuer is left alone.
var ErrTooMany = errors.New("the issuer's keys were asked for too often")

// Keys are an issuer's, for tokens that anybody may send: no token makes us ask the issuer but one that names a key which is not
// known, and those only so often. Issuers change keys, and say so by no other way.
type Keys struct {
	issuer *Issuer
	clock  clock.Clock

	mu    sync.Mutex
	keys  []jose.JSONWebKey
	limit *rate.Limiter
}

var _ oidc.KeySet = (*Keys)(nil)

func newKeys(i *Issuer, c clock.Clock) *Keys {
	return &Keys{issuer: i, clock: c, limit: rate.NewLimiter(rate.Limit(1.0/30), 5)}
}

// Ready sees to it that the key is there which signed a token, as far as the issuer has it. Errors: ErrTooMany, or that the issuer
// does not answer.
func (k *Keys) Ready(ctx context.Context, id string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.named(id)) > 0 {
		return nil
	}
	if !k.limit.AllowN(k.clock.Now(), 1) {
		return ErrTooMany
	}
	keys, err := k.issuer.fetch(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	k.keys = keys
	return nil
}

// named are the keys with an id; all of them for none.
func (k *Keys) named(id string) (found []jose.JSONWebKey) {
	for _, key := range k.keys {
		if id == "" || key.KeyID == id {
			found = append(found, key)
		}
	}
	return found
}

func (i *Issuer) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, i.jwks, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for the issuer's keys: %w", err)
	}
	answer, err := i.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("ask for the issuer's keys: %w", err)
	}
	defer answer.Body.Close()
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(answer.Body).Decode(&set); err != nil || answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask for the issuer's keys: it answers %d, without keys", answer.StatusCode)
	}
	var keys []jose.JSONWebKey
	for _, key := range set.Keys {
		if key.Valid() && key.IsPublic() && (key.Use == "" || key.Use == "sig") {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// VerifySignature returns what a token says, if one of the keys that are there has signed it: see Ready.
func (k *Keys) VerifySignature(_ context.Context, token string) ([]byte, error) {
	jws, err := Parse(token)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	candidates := k.named(jws.Signatures[0].Header.KeyID)
	k.mu.Unlock()
	for _, key := range candidates {
		if payload, err := jws.Verify(&key); err == nil {
			return payload, nil
		}
	}
	return nil, errors.New("no key of the issuer has signed it")
}

// Parse reads a token with one signature, by an algorithm that it may be signed by. Nothing of it is proved yet.
func Parse(token string) (*jose.JSONWebSignature, error) {
	algorithms := make([]jose.SignatureAlgorithm, len(Algorithms))
	for n, a := range Algorithms {
		algorithms[n] = jose.SignatureAlgorithm(a)
	}
	jws, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, errors.New("it is no token that is signed as one has to be")
	}
	return jws, nil
}
