package identity

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

// jws is a compact JSON web token, read but not yet verified.
type jws struct {
	header struct {
		Alg     string `json:"alg"`
		SHA1    string `json:"x5t"`
		SHA256  string `json:"x5t#S256"`
		KeyName string `json:"kid"`
	}
	claims    claims
	signed    []byte
	signature []byte
}

type claims struct {
	Issuer    string   `json:"iss,omitempty"`
	Subject   string   `json:"sub,omitempty"`
	Audience  audience `json:"aud,omitempty"`
	Expires   float64  `json:"exp,omitempty"` // seconds since 1970, as below
	NotBefore float64  `json:"nbf,omitempty"`
	IssuedAt  float64  `json:"iat,omitempty"`
	Tenant    string   `json:"tid,omitempty"`
	App       string   `json:"appid,omitempty"`
	Roles     []string `json:"roles,omitempty"`
	Version   string   `json:"ver,omitempty"`
}

// audience is one string or a list of them: issuers of federated tokens differ.
type audience []string

func (a *audience) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(a))
}

func (a audience) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return json.Marshal(a[0])
	}
	return json.Marshal([]string(a))
}

var errToken = errors.New("not a signed JSON web token")

func parse(token string) (*jws, error) {
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
	t := &jws{signed: []byte(parts[0] + "." + parts[1]), signature: raw[2]}
	if json.Unmarshal(raw[0], &t.header) != nil || json.Unmarshal(raw[1], &t.claims) != nil {
		return nil, errToken
	}
	return t, nil
}

// signedBy reports whether the token's signature is of the public key, by one of the algorithms that the platform takes.
func (t *jws) signedBy(key crypto.PublicKey) bool {
	sum := sha256.Sum256(t.signed)
	switch k := key.(type) {
	case *rsa.PublicKey:
		switch t.header.Alg {
		case "RS256":
			return rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], t.signature) == nil
		case "PS256":
			return rsa.VerifyPSS(k, crypto.SHA256, sum[:], t.signature, nil) == nil
		}
	case *ecdsa.PublicKey:
		if t.header.Alg != "ES256" || len(t.signature) != 64 {
			return false
		}
		r, s := new(big.Int).SetBytes(t.signature[:32]), new(big.Int).SetBytes(t.signature[32:])
		return ecdsa.Verify(k, sum[:], r, s)
	}
	return false
}

// current reports whether the token is within its time, with five minutes for clocks that differ.
func (t *jws) current(now time.Time) bool {
	const skew = 5 * time.Minute
	after := func(seconds float64) time.Time { return time.Unix(int64(seconds), 0) }
	return t.claims.Expires > 0 && now.Before(after(t.claims.Expires).Add(skew)) && !now.Add(skew).Before(after(t.claims.NotBefore))
}

// mint signs claims with a secret of our own.
func mint(c claims, secret []byte) (string, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	enc := base64.RawURLEncoding
	signed := enc.EncodeToString([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." + enc.EncodeToString(body)
	return signed + "." + enc.EncodeToString(mac(signed, secret)), nil
}

func mac(signed string, secret []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(signed))
	return h.Sum(nil)
}
