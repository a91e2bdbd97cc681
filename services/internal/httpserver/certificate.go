package httpserver

import (
	"crypto/tls"
	"os"
	"sync"
	"time"
)

// certificate is a key pair that is read again when its file has changed, so that a renewed one needs no restart.
type certificate struct {
	certFile, keyFile string

	mu     sync.Mutex
	pair   *tls.Certificate
	read   time.Time // modification time of certFile when it was read
	looked time.Time
}

// lookEvery is how long a pair is used before its file is looked at again.
const lookEvery = 10 * time.Second

func newCertificate(certFile, keyFile string) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile}
	return c, c.load()
}

func (c *certificate) load() error {
	info, err := os.Stat(c.certFile)
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.pair, c.read = &pair, info.ModTime()
	return nil
}

// get returns the pair to serve with. A new one that cannot be read, such as a half-written one, leaves the old in use.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) > lookEvery {
		c.looked = time.Now()
		if info, err := os.Stat(c.certFile); err == nil && !info.ModTime().Equal(c.read) {
			_ = c.load()
		}
	}
	return c.pair, nil
}
