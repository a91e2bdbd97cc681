package entraid

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func newCertificate(t *testing.T) (pemText string, key *rsa.PrivateKey) {
	t.Helper()
	key = newKey(t)
	return certificateOf(t, key, time.Now().Add(time.Hour)) + privateOf(t, key), key
}

func newKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// certificateOf is the PEM of a certificate for the key that ends at a time.
func certificateOf(t *testing.T, key *rsa.PrivateKey, ends time.Time) string {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "rollcall"}, NotBefore: time.Now(), NotAfter: ends}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func privateOf(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

// A file may hold the chain too, or a new certificate for the key behind the old one: what signs is what ends.
func TestCertificateEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key, issuer := newKey(t), newKey(t)
	ends := time.Date(2030, 12, 24, 9, 0, 0, 0, time.UTC)
	mine, chain, private := certificateOf(t, key, ends), certificateOf(t, issuer, ends.AddDate(5, 0, 0)), privateOf(t, key)
	for name, c := range map[string]struct {
		file string
		want time.Time
		says string
	}{
		"alone":             {mine + private, ends, ""},
		"before its issuer": {mine + chain + private, ends, ""},
		"behind its issuer": {private + chain + mine, ends, ""},
		"behind an old one": {certificateOf(t, key, ends.AddDate(-1, 0, 0)) + mine + private, ends, ""},
		"of another key":    {chain + private, time.Time{}, "none of its certificates"},
		"no certificate":    {"sesame", time.Time{}, "read the certificate"},
	} {
		got, err := CertificateEnd(tenant.Credential{Kind: tenant.Certificate, File: b.write(t, strings.ReplaceAll(name, " ", "-"), c.file)}, nil)
		if !got.Equal(c.want) || (err == nil) != (c.says == "") {
			t.Errorf("%s: %v, %v, want %v", name, got, err, c.want)
		}
		if err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "sesame")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := CertificateEnd(tenant.Credential{Kind: tenant.Certificate, File: t.TempDir() + "/away"}, nil); err == nil {
		t.Error("a file that is away has an end")
	}
}
