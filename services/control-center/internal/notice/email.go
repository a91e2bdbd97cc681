package notice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// email mails notices to one address.
type email struct {
	smtp SMTP
	to   string
}

// errRefused says that a server has refused a mail for good.
var errRefused = errors.New("refused for good")

// send hands the mail to the server. Its Message-ID is made from the notice's id, so that a second one is seen to be the same.
func (e email) send(ctx context.Context, n Notice) error {
	m := mail.NewMsg()
	if err := errors.Join(m.From(e.smtp.From), m.To(e.to)); err != nil {
		return fmt.Errorf("%w: address the mail: %w", errRefused, err)
	}
	m.Subject("[Rollcall] " + n.Subject)
	m.SetDateWithValue(n.Time)
	sum := sha256.Sum256([]byte(n.ID + " " + e.to))
	m.SetMessageIDWithValue(hex.EncodeToString(sum[:16]) + "@rollcall")
	m.SetGenHeader("Auto-Submitted", "auto-generated") // so that no holiday notice answers: RFC 3834
	m.SetBodyString(mail.TypeTextPlain, n.Text)
	client, err := e.client()
	if err != nil {
		return err
	}
	err = client.DialAndSendWithContext(ctx, m)
	if failed, ok := errors.AsType[*mail.SendError](err); ok && !failed.IsTemp() && failed.ErrorCode() >= 500 {
		return fmt.Errorf("%w: the server's code is %d", errRefused, failed.ErrorCode())
	}
	if err != nil {
		return errors.New("the mail was not taken: " + withoutAddress(err, e.to))
	}
	return nil
}

func (e email) client() (*mail.Client, error) {
	options := []mail.Option{mail.WithPort(e.smtp.Port), mail.WithTimeout(30 * time.Second), mail.WithTLSPortPolicy(mail.TLSMandatory)}
	if e.smtp.Plain {
		options = append(options, mail.WithTLSPortPolicy(mail.NoTLS), mail.WithPort(e.smtp.Port))
	} else if e.smtp.Port == 465 {
		options = append(options, mail.WithSSL())
	}
	if e.smtp.User != "" {
		password, err := os.ReadFile(e.smtp.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("read the password for mail: %w", err)
		}
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(e.smtp.User), mail.WithPassword(strings.TrimSpace(string(password))))
	}
	client, err := mail.NewClient(e.smtp.Host, options...)
	if err != nil {
		return nil, fmt.Errorf("set up mail: %w", err)
	}
	return client, nil
}

// withoutAddress is an error's text without whom the mail was for.
func withoutAddress(err error, address string) string {
	return strings.ReplaceAll(err.Error(), address, "the recipient")
}
