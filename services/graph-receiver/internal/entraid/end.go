package entraid

import (
	"crypto"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// CertificateEnd reads when the certificate of a credential ends, as its file is now. Entra refuses it from then on.
func CertificateEnd(c tenant.Credential, lookup func(string) (string, bool)) (time.Time, error) {
	read, err := source(c, lookup)
	if err != nil {
		return time.Time{}, err
	}
	m, err := read()
	if err != nil {
		return time.Time{}, err
	}
	certs, key, err := azidentity.ParseCertificates(m.data, m.password)
	if err != nil {
		return time.Time{}, fmt.Errorf("read the certificate %s: %w", c.File, err)
	}
	public, ok := publicOf(key)
	for i := len(certs) - 1; ok && i >= 0; i-- { // of several for the key the last one signs
		if public.Equal(certs[i].PublicKey) {
			return certs[i].NotAfter.UTC(), nil
		}
	}
	return time.Time{}, errors.New("the key in " + c.File + " is of none of its certificates")
}

type publicKey interface{ Equal(crypto.PublicKey) bool }

func publicOf(key crypto.PrivateKey) (publicKey, bool) {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, false
	}
	public, ok := signer.Public().(publicKey)
	return public, ok
}
