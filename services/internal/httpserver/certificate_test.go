package httpserver_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/httpserver"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
)

// keyPair writes a self-signed certificate for 127.0.0.1 and returns its paths and a pool that trusts it.
func keyPair(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, body []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: body}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert, key = write("tls.crt", "CERTIFICATE", der), write("tls.key", "PRIVATE KEY", secret)
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return cert, key, pool
}

func TestTLS(t *testing.T) {
	t.Parallel()
	cert, key, pool := keyPair(t)
	url, _ := serve(t, httpserver.Config{CertFile: cert, KeyFile: key}, httpserver.Deps{})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	if status, _ := get(t, client, url+"/healthz"); status != http.StatusOK {
		t.Errorf("over TLS: %d", status)
	}
	_, err := httpserver.New(httpserver.Config{Addr: "127.0.0.1:0", CertFile: cert, KeyFile: cert}, httpserver.Deps{Logger: telemetry.Discard()})
	if err == nil {
		t.Error("a certificate for a key was accepted")
	}
}

func TestARenewedCertificateNeedsNoRestart(t *testing.T) {
	t.Parallel()
	cert, key, _ := keyPair(t)
	url, _ := serve(t, httpserver.Config{CertFile: cert, KeyFile: key}, httpserver.Deps{})
	renewed, renewedKey, pool := keyPair(t)
	for from, to := range map[string]string{renewedKey: key, renewed: cert} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	later := time.Now().Add(time.Second) // a file system may tell times apart by the second only
	if err := os.Chtimes(cert, later, later); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	if status, _ := get(t, client, url+"/healthz"); status != http.StatusOK {
		t.Errorf("with the renewed certificate: %d", status)
	}
}
