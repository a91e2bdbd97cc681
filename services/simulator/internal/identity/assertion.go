package identity

import (
	"crypto/sha1" //nolint:gosec // x5t is defined as SHA-1
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/signed"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

const (
	assertionType   = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	defaultAudience = "api://AzureADTokenExchange"
)

// checkAssertion verifies a client assertion: one with a certificate's thumbprint in its header is signed with that
// certificate, any other is a token of a federated issuer.
func checkAssertion(app store.App, assertion, tokenURL string, now time.Time) *fault {
	token, err := signed.Parse(assertion)
	if err != nil {
		return badAssertion(50027, "JWT token is invalid or malformed.")
	}
	if !token.Current(now) {
		return badAssertion(700024, "Client assertion is not within its valid time range. Current time and the assertion's own differ.")
	}
	if token.Header.SHA1 != "" || token.Header.SHA256 != "" {
		return checkCertificate(app, token, tokenURL)
	}
	return checkFederated(app, token)
}

func checkCertificate(app store.App, token *signed.Token, tokenURL string) *fault {
	cert := readCertificate(app.Certificate)
	if cert == nil || !hasThumbprint(cert, token) {
		return badAssertion(700027, "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found.]")
	}
	if !token.SignedBy(cert.PublicKey) {
		return badAssertion(700027, "Client assertion failed signature validation. [Reason - The provided signature value did not match the expected signature value.]")
	}
	if token.Claims.Issuer != app.ClientID || token.Claims.Subject != app.ClientID {
		return badAssertion(700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
	}
	if !slices.ContainsFunc(token.Claims.Audience, func(aud string) bool { return sameTokenURL(aud, tokenURL) }) {
		return badAssertion(700023, "Client assertion audience claim does not match Realm issuer. Review the documentation.")
	}
	return nil
}

// sameTokenURL compares all but the tenant's name: it may be its id or one of its domains.
func sameTokenURL(a, b string) bool {
	if strings.EqualFold(a, b) {
		return true
	}
	cut := func(s string) string {
		parts := strings.SplitN(s, "/", 5) // https:, "", host, tenant, rest
		if len(parts) != 5 {
			return s
		}
		return parts[2] + "/" + parts[4]
	}
	return strings.EqualFold(cut(a), cut(b))
}

func checkFederated(app store.App, token *signed.Token) *fault {
	var issuer, subject bool
	for _, f := range app.Federated {
		if f.Issuer != token.Claims.Issuer {
			continue
		}
		issuer = true
		if f.Subject != token.Claims.Subject {
			continue
		}
		subject = true
		audience := f.Audience
		if audience == "" {
			audience = defaultAudience
		}
		if !slices.Contains(token.Claims.Audience, audience) {
			continue
		}
		if f.PublicKey != "" && !token.SignedBy(signed.ReadPublicKey(f.PublicKey)) {
			return badAssertion(700027, "Client assertion failed signature validation.")
		}
		return nil
	}
	switch {
	case !issuer:
		return badAssertion(700211, "No matching federated identity record found for presented assertion issuer.")
	case !subject:
		return badAssertion(700213, "No matching federated identity record found for presented assertion subject.")
	default:
		return badAssertion(700212, "No matching federated identity record found for presented assertion audience.")
	}
}

func hasThumbprint(cert *x509.Certificate, token *signed.Token) bool {
	same := func(claimed string, sum []byte) bool {
		raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(claimed), "="))
		return err == nil && string(raw) == string(sum)
	}
	if token.Header.SHA256 != "" {
		sum := sha256.Sum256(cert.Raw)
		return same(token.Header.SHA256, sum[:])
	}
	sum := sha1.Sum(cert.Raw) //nolint:gosec // see the import
	return same(token.Header.SHA1, sum[:])
}

func readCertificate(text string) *x509.Certificate {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil
		}
		if block.Type == "CERTIFICATE" {
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil
			}
			return cert
		}
	}
}
