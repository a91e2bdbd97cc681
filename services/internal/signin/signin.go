// Package signin is how a program of Rollcall proves itself to a NATS server that is not its own.
package signin

import (
	"fmt"
	"os"
	"strings"

	"github.com/nats-io/nats.go"
)

// As says as whom. Empty fields prove nothing.
type As struct {
	User            string
	PasswordFile    string // read again for each connection
	CredentialsFile string // in place of a user and a password: a NATS .creds file
	CAFile          string // of the CA that signed the server's certificate, where it is a private one
}

// Options are for nats.Connect. Answers come to an inbox that only this user may listen to, where there is one: see
// deploy/nats/users.conf.
func (a As) Options() ([]nats.Option, error) {
	var options []nats.Option
	if a.User != "" {
		if _, err := a.password(); err != nil {
			return nil, err
		}
		options = append(options, nats.CustomInboxPrefix("_INBOX_"+a.User), nats.UserInfoHandler(func() (string, string) {
			password, _ := a.password() // refused, the server says so
			return a.User, password
		}))
	}
	if a.CredentialsFile != "" {
		options = append(options, nats.UserCredentials(a.CredentialsFile))
	}
	if a.CAFile != "" {
		options = append(options, nats.RootCAs(a.CAFile))
	}
	return options, nil
}

func (a As) password() (string, error) {
	if a.PasswordFile == "" {
		return "", nil
	}
	body, err := os.ReadFile(a.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("read the password for NATS: %w", err)
	}
	return strings.TrimRight(string(body), "\r\n"), nil
}
