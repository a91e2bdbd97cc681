// Package signed reads, verifies and makes compact JSON web tokens, as both sign-in services do.
package signed

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"time"
)

// Token is a compact JSON web token, read but not yet verified.
type Token struct {
	Header struct {
		Alg     string `json:"alg"`
		SHA1    string `json:"x5t"`
		SHA256  string `json:"x5t#S256"`
		KeyName string `json:"kid"`
	}
	Claims    Claims
	signed    []byte
	signature []byte
}

// Claims are those that any of the two services knows.
type Claims struct {
	Issuer    string   `json:"iss,omitempty"`
	Subject   string   `json:"sub,omitempty"`
	Audience  Audience `json:"aud,omitempty"`
	Expires   float64  `json:"exp,omitempty"` // seconds since 1970, as below
	NotBefore float64  `json:"nbf,omitempty"`
	IssuedAt  float64  `json:"iat,omitempty"`
	Tenant    string   `json:"tid,omitempty"`
	App       string   `json:"appid,omitempty"`
	Roles     []string `json:"roles,omitempty"`
	Version   string   `json:"ver,omitempty"`
	Scope     string   `json:"scope,omitempty"` // several are parted by spaces
	Use       string   `json:"use,omitempty"`   // what a token of our own is for
}

// Audience is one string or a list of them: issuers of federated tokens differ.
type Audience []string

// UnmarshalJSON takes either form.
func (a *Audience) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*a = Audience{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(a))
}

// MarshalJSON writes a single audience as a string.
func (a Audience) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return json.Marshal(a[0])
	}
	return json.Marshal([]string(a))
}

var errToken = errors.New("not a signed JSON web token")

// Parse reads a token. It verifies nothing.
func Parse(token string) (*Token, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errToken
	}
	var raw [3][]byte
	for i, p := range parts {
		var err error
		if raw[i], err = base64.RawURLEncoding.Strict().DecodeString(p); err != nil {
			return nil, errToken
		}
	}
	t := &Token{signed: []byte(parts[0] + "." + parts[1]), signature: raw[2]}
	if json.Unmarshal(raw[0], &t.Header) != nil || json.Unmarshal(raw[1], &t.Claims) != nil {
		return nil, errToken
	}
	return t, nil
}

// SignedBy reports whether the token's signature is of the public key, by RS256, PS256 or ES256.
func (t *Token) SignedBy(key crypto.PublicKey) bool {
	sum := sha256.Sum256(t.signed)
	switch k := key.(type) {
	case *rsa.PublicKey:
		switch t.Header.Alg {
		case "RS256":
			return rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], t.signature) == nil
		case "PS256":
			return rsa.VerifyPSS(k, crypto.SHA256, sum[:], t.signature, nil) == nil
		}
	case *ecdsa.PublicKey:
		if t.Header.Alg != "ES256" || len(t.signature) != 64 {
			return false
		}
		r, s := new(big.Int).SetBytes(t.signature[:32]), new(big.Int).SetBytes(t.signature[32:])
		return ecdsa.Verify(k, sum[:], r, s)
	}
	return false
}

// Sealed reports whether Seal made the token with the secret.
func (t *Token) Sealed(secret []byte) bool {
	return t.Header.Alg == "HS256" && hmac.Equal(t.signature, mac(string(t.signed), secret))
}

// Current reports whether the token is within its time, with five minutes for clocks that differ.
func (t *Token) Current(now time.Time) bool {
	const skew = 5 * time.Minute
	after := func(seconds float64) time.Time { return time.Unix(int64(seconds), 0) }
	return t.Claims.Expires > 0 && now.Before(after(t.Claims.Expires).Add(skew)) && !now.Add(skew).Before(after(t.Claims.NotBefore))
}
