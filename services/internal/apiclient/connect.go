package apiclient

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"
)

// Config says which server is asked, and with which token.
type Config struct {
	Server    string // its https URL; http is for this machine alone, where nobody listens in between
	TokenFile string // path of a file with the token and nothing else
	CAFile    string // path of a PEM file with the CAs that are trusted; those of the system where it is empty
}

// How the server can be out of reach. What it answers is an Error.
var (
	ErrUnreachable = errors.New("the server cannot be reached")
	ErrUntrusted   = errors.New("the server's certificate is not trusted")
)

// patience is how long one request may take. The server itself waits five seconds for the answer to a command.
const patience = time.Minute

// Open makes a client that sends the token with every request, and nowhere else. Nothing is sent yet.
func Open(cfg Config) (*Client, error) {
	server, err := url.Parse(cfg.Server)
	switch {
	case err != nil || server.Host == "" || server.User != nil || server.RawQuery != "" || server.Fragment != "":
		return nil, errors.New("the server: want a URL such as https://rollcall.example.com")
	case server.Scheme == "http" && !local(server.Hostname()):
		return nil, errors.New("the server: a token is sent over https alone, but for this machine")
	case server.Scheme != "https" && server.Scheme != "http":
		return nil, fmt.Errorf("the server: %s is no scheme of it: want https", server.Scheme)
	}
	token, err := readToken(cfg.TokenFile)
	if err != nil {
		return nil, err
	}
	roots, err := trusted(cfg.CAFile)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 10 * time.Second,
	}
	return NewClient(server.String(), WithHTTPClient(&asker{token: token, server: server.Host, http: &http.Client{
		Transport: transport, Timeout: patience,
		// A token is for the server that was named.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}))
}

func local(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// readToken reads a token from a file. No error says what is in the file.
func readToken(path string) (string, error) {
	if path == "" {
		return "", errors.New("no token: name the file that has it")
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	token := strings.TrimSpace(string(body))
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("read the token: %s holds none: want the token and nothing else", path)
	}
	return token, nil
}

// trusted are the CAs of a file; nil are those of the system.
func trusted(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // which is what crypto/tls means by it
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the CAs: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read the CAs: %s holds no certificate", path)
	}
	return pool, nil
}

// asker sends requests with the token, and says in plain words why none is answered.
type asker struct {
	token, server string
	http          *http.Client
}

func (a *asker) Do(r *http.Request) (*http.Response, error) {
	r.Header.Set("Authorization", "Bearer "+a.token)
	res, err := a.http.Do(r)
	if err == nil {
		return res, nil
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the URL, which may name somebody
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return nil, fmt.Errorf("%w: %s: %w", ErrUntrusted, a.server, err)
	}
	if r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		err = e.Err
	}
	return nil, fmt.Errorf("%w: %s: %w", ErrUnreachable, a.server, err)
}
