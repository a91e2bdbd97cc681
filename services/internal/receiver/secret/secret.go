// Package secret makes and proves the secret that a provider echoes with every push. The secret carries its own proof,
// so that a push which comes before its channel is stored anywhere is still told from a forged one.
//
//	v1.<key id>.<tenant>.<channel>.<mac>
//
// The mac is HMAC-SHA-256 over version, provider, tenant and channel under the key with that id, cut to 160 bits, in
// base64url. The whole is at most 128 characters: the least that any provider keeps.
package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

const (
	version   = "v1"
	macBytes  = 20
	maxLength = 128
)

// ErrNotProved says that a secret is none of ours, is another tenant's or channel's, or was made with a key that is gone.
// It never says which.
var ErrNotProved = errors.New("the secret does not prove itself")

// Proof is what a secret that holds says.
type Proof struct {
	Tenant  string
	Channel string // our own id of the channel
}

// Sign makes the secret of a tenant's channel under the current key.
func (k Keys) Sign(provider directory.Provider, p Proof) (string, error) {
	if len(k.all) == 0 {
		return "", errors.New("sign a channel's secret: there is no key")
	}
	if !event.ValidSlug(p.Tenant) || !event.ValidToken(p.Channel) {
		return "", fmt.Errorf("sign a channel's secret: tenant %q and channel %q must be tokens", p.Tenant, p.Channel)
	}
	key := k.all[0]
	s := strings.Join([]string{version, key.id, p.Tenant, p.Channel, mac(key, provider, p)}, ".")
	if len(s) > maxLength {
		return "", fmt.Errorf("sign a channel's secret: %d characters, at most %d are kept", len(s), maxLength)
	}
	return s, nil
}

// Verify proves an echoed secret in constant time under any of the keys.
func (k Keys) Verify(provider directory.Provider, echoed string) (Proof, error) {
	if len(echoed) > maxLength {
		return Proof{}, ErrNotProved
	}
	parts := strings.Split(echoed, ".")
	if len(parts) != 5 || parts[0] != version {
		return Proof{}, ErrNotProved
	}
	p := Proof{Tenant: parts[2], Channel: parts[3]}
	if !event.ValidSlug(p.Tenant) || !event.ValidToken(p.Channel) {
		return Proof{}, ErrNotProved
	}
	for _, key := range k.all {
		if key.id == parts[1] && hmac.Equal([]byte(parts[4]), []byte(mac(key, provider, p))) {
			return p, nil
		}
	}
	return Proof{}, ErrNotProved
}

// mac covers fields that hold no dot, joined by dots: no two sets of fields read the same.
func mac(key key, provider directory.Provider, p Proof) string {
	h := hmac.New(sha256.New, key.bytes)
	h.Write([]byte(strings.Join([]string{version, string(provider), p.Tenant, p.Channel}, ".")))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:macBytes])
}
