package signed

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
)

// Seal makes a token of our own, by HS256 with a secret.
func Seal(c Claims, secret []byte) (string, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("encode the claims of a token: %w", err)
	}
	text := compact(`{"typ":"JWT","alg":"HS256"}`, string(body))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac(text, secret)), nil
}

// Sign makes a token of the claims, a JSON object, by RS256.
func Sign(claims, keyName string, key *rsa.PrivateKey) (string, error) {
	text := compact(fmt.Sprintf(`{"alg":"RS256","kid":%q,"typ":"JWT"}`, keyName), claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

func compact(header, body string) string {
	enc := base64.RawURLEncoding
	return enc.EncodeToString([]byte(header)) + "." + enc.EncodeToString([]byte(body))
}

func mac(text string, secret []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// ReadPublicKey reads the first PEM block of a text: a public key, or a certificate that holds one. Nil when it is neither.
func ReadPublicKey(text string) crypto.PublicKey {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil
	}
	if block.Type == "CERTIFICATE" {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil
		}
		return cert.PublicKey
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil
	}
	return key
}
