package house

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	certificateLife = 90 * 24 * time.Hour
	certificateRest = 24 * time.Hour // what must be left of it to be used again
)

// Certificate makes what a process on this machine takes pushes with: a certificate that signs itself, which the simulator
// is told to trust, and its key, as PEM files in a folder. Those that are there are used for as long as they are good.
func Certificate(folder string, now time.Time) (cert, key string, err error) {
	cert, key = filepath.Join(folder, "push.crt"), filepath.Join(folder, "push.key")
	if stillGood(cert, now) {
		return cert, key, nil
	}
	certificate, private, err := selfSigned(now)
	if err == nil {
		err = errors.Join(write(key, "PRIVATE KEY", private), write(cert, "CERTIFICATE", certificate))
	}
	if err != nil {
		return "", "", fmt.Errorf("make a certificate to take pushes with: %w", err)
	}
	return cert, key, nil
}

func stillGood(path string, now time.Time) bool {
	body, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	block, _ := pem.Decode(body)
	if block == nil {
		return false
	}
	c, err := x509.ParseCertificate(block.Bytes)
	return err == nil && c.NotAfter.Sub(now) > certificateRest
}

// selfSigned returns the DER of a certificate for 127.0.0.1 and of its key.
func selfSigned(now time.Time) (certificate, private []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Rollcall on this machine"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, DNSNames: []string{"localhost"},
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if certificate, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key); err != nil {
		return nil, nil, err
	}
	private, err = x509.MarshalPKCS8PrivateKey(key)
	return certificate, private, err
}

func write(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
