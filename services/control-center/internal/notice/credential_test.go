package notice_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// A credential that ends is told once of all products, at each threshold, with what to do; and that it was replaced.
func TestACredentialThatEnds(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.write("    email: [ada@contoso.com]\n")
	_, _ = o.start()
	o.await(2)
	ends := time.Date(2026, 12, 24, 9, 0, 0, 0, time.UTC)
	expiring := func(product string, days int) string {
		return o.tell(event.TypeCredentialExpiring, "connection", product, o.clock.Now(), event.CredentialExpiring{
			Tenant: "contoso", Product: product, Expires: ends, Days: days, Detail: "The certificate ends.", Action: "Make a new certificate.",
		})
	}
	replaced := func(product string) string {
		return o.tell(event.TypeCredentialReplaced, "connection", product, o.clock.Now(), event.CredentialReplaced{
			Tenant: "contoso", Product: product, Was: ends, Expires: ends.AddDate(1, 0, 0),
		})
	}
	var want []string
	for _, days := range []int{30, 7} {
		want = append(want, expiring("secure-share", days))
		expiring("drive", days)
	}
	want = append(want, replaced("secure-share"))
	replaced("drive")
	for i, id := range want {
		h, text := receive(t, o.hooks), strings.NewReplacer("=\r\n", "", "\r\n ", " ").Replace(receive(t, o.mails))
		if got := h.header.Get("webhook-id"); got != id {
			t.Errorf("told of %s, want %s", got, id)
		}
		if i == 2 {
			if !strings.Contains(text, "the credential for the directory was replaced") || !strings.Contains(text, "ends at 2027-12-24 09:00 UTC") {
				t.Errorf("the mail is\n%s", text)
			}
			continue
		}
		if body := string(h.body); !strings.Contains(body, "ends on 2026-12-24") || !strings.Contains(body, `"action":"Make a new certificate."`) {
			t.Errorf("the webhook is %s", body)
		}
		if !strings.Contains(text, "ends on 2026-12-24") || !strings.Contains(text, "What to do: Make a new certificate.") {
			t.Errorf("the mail is\n%s", text)
		}
	}
	o.tellHeld("revocations-1")
	if body := string(receive(t, o.hooks).body); !strings.Contains(body, "revocations-1") {
		t.Errorf("told once more: %s", body)
	}
}
