// Package pki makes the simulator's own certificate authority and server certificate, and keeps them in a folder.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The files in the folder. Keys are readable by their owner only.
const (
	caCert, caKey         = "ca.pem", "ca.key"
	serverCert, serverKey = "server.pem", "server.key"
)

const life = 10 * 365 * 24 * time.Hour

// Ensure returns the server certificate in dir and the path of its authority's PEM file. What is missing is made. The
// server certificate is made anew, by the same authority, when it lacks one of the hosts.
func Ensure(dir string, hosts []string, now time.Time) (tls.Certificate, string, error) {
	caPath := filepath.Join(dir, caCert)
	hosts = append([]string{"localhost", "127.0.0.1", "::1"}, hosts...)
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, serverCert), filepath.Join(dir, serverKey))
	if err == nil && covers(cert.Leaf, hosts) {
		return cert, caPath, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return tls.Certificate{}, "", fmt.Errorf("read the server certificate: %w", err)
	}
	ca, err := ensureCA(dir, now)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "Rollcall simulator"},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	if err := issue(dir, serverCert, serverKey, template, ca, now); err != nil {
		return tls.Certificate{}, "", fmt.Errorf("make the server certificate: %w", err)
	}
	cert, err = tls.LoadX509KeyPair(filepath.Join(dir, serverCert), filepath.Join(dir, serverKey))
	return cert, caPath, err
}

func covers(leaf *x509.Certificate, hosts []string) bool {
	return !slices.ContainsFunc(hosts, func(h string) bool { return leaf.VerifyHostname(h) != nil })
}

func ensureCA(dir string, now time.Time) (*tls.Certificate, error) {
	pair := func() (*tls.Certificate, error) {
		ca, err := tls.LoadX509KeyPair(filepath.Join(dir, caCert), filepath.Join(dir, caKey))
		return &ca, err
	}
	ca, err := pair()
	if err == nil {
		return ca, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the certificate authority: %w", err)
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Rollcall simulator authority"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	if err := issue(dir, caCert, caKey, template, nil, now); err != nil {
		return nil, fmt.Errorf("make the certificate authority: %w", err)
	}
	return pair()
}

// issue makes a key and a certificate from the template, signed by ca or, when that is nil, by itself. The key is
// written first, so that a certificate file is never without its key.
func issue(dir, certFile, keyFile string, template *x509.Certificate, ca *tls.Certificate, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	template.SerialNumber, template.NotBefore, template.NotAfter = serial, now.Add(-24*time.Hour), now.Add(life)
	parent, signer := template, crypto.PrivateKey(key)
	if ca != nil {
		parent, signer = ca.Leaf, ca.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := write(filepath.Join(dir, keyFile), "PRIVATE KEY", keyDER, 0o600); err != nil {
		return err
	}
	return write(filepath.Join(dir, certFile), "CERTIFICATE", der, 0o644)
}

func write(path, kind string, der []byte, mode fs.FileMode) error {
	part := path + ".part"
	if err := os.WriteFile(part, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// Secret returns the 32 random bytes kept in the folder's file of that name, making them when they are missing.
func Secret(dir, name string) ([]byte, error) {
	path := filepath.Join(dir, name)
	if raw, err := os.ReadFile(path); err == nil && len(raw) == 32 {
		return raw, nil
	}
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return nil, err
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		return nil, fmt.Errorf("keep a secret: %w", err)
	}
	return raw, nil
}
