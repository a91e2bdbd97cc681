package notice_test

import (
	"os"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/notice"
)

func TestFaultsOfTheFile(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"tenants: {contoso: {webhooks: [{url: 'http://hooks.example.com', secret_file: f}]}}":                                                   {"tenants.contoso.webhooks[0].url: want an https URL"},
		"tenants: {contoso: {webhooks: [{url: 'https://u:p@hooks.example.com', secret_file: f}]}}":                                              {"holds a user or password"},
		"tenants: {contoso: {webhooks: [{url: 'https://hooks.example.com'}]}}":                                                                  {"webhooks[0].secret_file"},
		"tenants: {contoso: {webhooks: [{url: 'https://a', secret_file: f}, {url: 'https://a', secret_file: f}]}}":                              {"it is there twice"},
		"tenants: {Contoso: {email: ['Ada <ada@contoso.com>']}}":                                                                                {`"Contoso" is no id`, "email[0]: want an address, without a name", "smtp.host", "smtp.from"},
		"smtp: {host: mail.example.com, from: a@example.com, plain: true, user: a}":                                                             {"smtp.plain", "smtp.user"},
		"smtp: {host: mail.example.com, from: a@example.com, port: 70000}":                                                                      {"smtp.port: 70000"},
		"tenants: {contoso: {hooks: []}}":                                                                                                       {"field hooks not found"},
		"smtp: {host: mail.example.com, from: a@example.com}\ntenants: {contoso: {email: [a@contoso.com, \"a@contoso.com\"]}}":                  {"it is there twice"},
		"smtp: {host: mail.example.com, from: a@example.com}\ntenants: {contoso: {email: [\"a@contoso.com\\r\\nBcc: everybody@contoso.com\"]}}": {"want an address"},
	} {
		_, err := notice.Parse([]byte(text))
		for _, part := range want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v, want %q", text, err, part)
			}
		}
	}
	if d, err := notice.Parse(nil); err != nil || len(d.Tenants) != 0 {
		t.Errorf("an empty file is %+v, %v", d, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("smtp: {host: mail.example.com, from: a@example.com}\ntenants: {contoso: {email: [a@contoso.com], webhooks: [{url: 'https://a', secret_file: f}]}}")
	f.Add("tenants: {contoso: {}}")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := notice.Parse([]byte(text))
		if err != nil && len(d.Tenants) > 0 {
			t.Errorf("what is wrong is returned all the same: %v", err)
		}
		for tenant, r := range d.Tenants {
			if !event.ValidSlug(tenant) {
				t.Errorf("tenant %q", tenant)
			}
			for _, to := range r.Email {
				if strings.ContainsAny(to, "\r\n") {
					t.Errorf("address %q", to)
				}
			}
		}
	})
}

func TestAKeyMustBeOne(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.write("")
	n, stop := o.start()
	texts := []string{"", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_%%%"}
	for _, text := range texts {
		if err := os.WriteFile(o.file+".key", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, failed := n.Test(t.Context(), "contoso", "x"); failed != 1 {
			t.Errorf("with the key %q it is sent", text)
		}
	}
	if err := os.Remove(o.file + ".key"); err != nil {
		t.Fatal(err)
	}
	if _, failed := n.Test(t.Context(), "contoso", "x"); failed != 1 {
		t.Error("without a key it is sent")
	}
	stop()
	for _, text := range texts[1:] {
		if strings.Contains(o.log.String(), text) {
			t.Errorf("the log shows the key:\n%s", o.log)
		}
	}
}
