package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

const northwindID = "9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11"

func (h *house) connect(body, key string) centertest.Answer {
	var headers []string
	if key != "" {
		headers = []string{"Idempotency-Key", key}
	}
	return h.Do(centertest.Operator, http.MethodPost, rows["connectTenant"].path, body, headers...)
}

// TestADirectoryIsConnected once, however often the same is sent under its key, and the tag is that of what stands at its address.
func TestADirectoryIsConnected(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	if a := h.connect(connectBody, "k"); statusAndCode(a) != "503 no-receiver" || a.Header.Get("Retry-After") == "" {
		t.Errorf("without a receiver: %+v", a)
	}
	h.Receive()
	a := h.connect(strings.Replace(connectBody, northwindID, strings.ToUpper(northwindID), 1), "k")
	var told openapi.ConnectedTenant
	a.JSON(t, &told)
	if a.Status != http.StatusCreated || a.Header.Get("Location") != "/api/v1/tenants/northwind" || told.Tenant.Domain != "northwind.com" || len(told.Findings) != 2 {
		t.Fatalf("%+v", a)
	}
	stored, err := h.Registry.Get(t.Context(), "northwind")
	if err != nil || stored.DirectoryID != northwindID || stored.Credential.ClientID != "the-app" || len(stored.Products) != 1 {
		t.Errorf("%+v, %v", stored, err)
	}
	if strings.Contains(a.Body, "SECRET") || strings.Contains(a.Body, "the-app") {
		t.Errorf("the answer tells of the credential: %s", a.Body)
	}
	if now := h.Do(centertest.Operator, http.MethodGet, a.Header.Get("Location"), "", "If-None-Match", a.Header.Get("ETag")); now.Status != http.StatusNotModified {
		t.Errorf("the tag is of something else: %+v", now)
	}
	h.Finds() // nobody looks again
	if again := h.connect(connectBody, "k"); again.Status != http.StatusCreated || again.Header.Get("ETag") != a.Header.Get("ETag") {
		t.Errorf("the same again: %+v", again)
	}
	for key, want := range map[string]string{"": "409 tenant-exists", "other": "409 tenant-exists"} {
		if a := h.connect(connectBody, key); statusAndCode(a) != want {
			t.Errorf("under the key %q: %+v", key, a)
		}
	}
	if a := h.connect(strings.Replace(connectBody, "admin@northwind", "admin@fabrikam", 1), "k"); statusAndCode(a) != "422 idempotency-key-used" {
		t.Errorf("another one under the key: %+v", a)
	}
	h.Finds(centertest.Whole...)
	if a := h.connect(strings.Replace(connectBody, "northwind\"", "rival\"", 1), "k"); statusAndCode(a) != "409 directory-taken" || strings.Contains(a.Body, "northwind") {
		t.Errorf("the directory under another name: %+v", a)
	}
	if _, err := h.Registry.Change(t.Context(), "northwind", tenant.Disconnect); err != nil {
		t.Fatal(err)
	}
	if a := h.connect(connectBody, "k"); a.Status != http.StatusCreated {
		t.Errorf("the same again: %+v", a)
	}
	if stored, err := h.Registry.Get(t.Context(), "northwind"); err != nil || !stored.Disconnected {
		t.Errorf("what counted once has connected it again: %+v, %v", stored, err)
	}
}

// TestTheSameAtOnce makes one tenant, and everybody is answered as if it had been the only one.
func TestTheSameAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	h.Receive()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if a := h.connect(connectBody, "k"); a.Status != http.StatusCreated {
				t.Errorf("%+v", a)
			}
		})
	}
	all.Wait()
}

// TestWhatIsMissingIsTold with what to do, and with the address for an admin's consent if it is that.
func TestWhatIsMissingIsTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	h.Receive()
	h.Finds(receiver.Finding{Check: "sign-in", State: receiver.Failed, Detail: "Nobody has consented; ask ada@northwind.com.", Action: "Consent.", Consent: true})
	a := h.connect(connectBody, "k")
	var p openapi.Problem
	a.JSON(t, &p)
	if statusAndCode(a) != "409 not-consented" || strings.Contains(a.Body, "@") || len(p.Findings) != 1 || p.Findings[0].Action != "Consent." || !p.Findings[0].Consent {
		t.Errorf("%+v", a)
	}
	at, err := url.Parse(p.Consent)
	if err != nil || at.Host+at.Path != "login.microsoftonline.com/"+northwindID+"/v2.0/adminconsent" || at.Query().Has("state") ||
		at.Query().Get("client_id") != "the-app" || at.Query().Get("redirect_uri") != "https://rollcall.example.com/connect/entra/callback" {
		t.Errorf("consent is at %s, %v", p.Consent, err)
	}
	h.Finds(receiver.Finding{Check: "read-users", State: receiver.Failed, Detail: "It refuses.", Action: "Grant it."})
	p = openapi.Problem{}
	a = h.connect(connectBody, "k")
	a.JSON(t, &p)
	if statusAndCode(a) != "409 not-proved" || p.Consent != "" || len(p.Findings) != 1 {
		t.Errorf("%+v", a)
	}
	h.Finds(centertest.Whole...)
	if a := h.connect(connectBody, "k"); a.Status != http.StatusCreated { // a try that came to nothing has used up no key
		t.Errorf("%+v", a)
	}
}

// TestADirectoryIsConnectedAgain under its name, once the worker has heard of it.
func TestADirectoryIsConnectedAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	h.Receive()
	var s seen
	answers := make(chan event.Answered, 1)
	h.Work(func(ev event.Event) event.Answered { s.note(ev); return <-answers })
	h.connect(strings.Replace(connectBody, "}", `,"products":["drive"]}`, 1), "first")
	if _, err := h.Registry.Change(t.Context(), "northwind", tenant.Disconnect); err != nil {
		t.Fatal(err)
	}
	if a := h.connect(strings.Replace(connectBody, "9f4a", "1111", 1), "k"); statusAndCode(a) != "409 tenant-exists" {
		t.Errorf("another directory: %+v", a)
	}
	h.Finds()
	if a := h.connect(connectBody, "k"); statusAndCode(a) != "409 not-proved" || len(s.all) > 0 {
		t.Errorf("%+v, told %s", a, s.all)
	}
	h.Finds(centertest.Whole...)
	answers <- event.Answered{Outcome: event.OutcomeRefused, Code: event.CodeBadRequest, Message: "the tenant is being erased"}
	if a := h.connect(connectBody, "k"); statusAndCode(a) != "422 refused" {
		t.Errorf("refused: %+v", a)
	}
	answers <- event.Answered{Outcome: event.OutcomeDone}
	if a := h.connect(connectBody, "l"); a.Status != http.StatusCreated {
		t.Errorf("%+v", a)
	}
	stored, err := h.Registry.Get(t.Context(), "northwind")
	if err != nil || stored.Disconnected || len(stored.Products) != 1 || stored.Products[0].ID != "drive" {
		t.Errorf("%+v, %v", stored, err)
	}
	if got := strings.Join(s.all, ", "); got != `northwind.connect.k {"by":"olga"}, northwind.connect.l {"by":"olga"}` {
		t.Errorf("the worker was told %s", got)
	}
}

// TestWhatCannotBeConnected is said field by field, and nobody is asked for it; nor for a tenant that an operator's role is not for.
func TestWhatCannotBeConnected(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	for replaced, want := range map[[2]string]string{
		{"northwind\"", "north.wind\""}:          "body:/id",
		{`"entra"`, `"ldap"`}:                    "body:/provider",
		{northwindID, "contoso"}:                 "body:/directory_id",
		{"admin@northwind.com", "admin"}:         "body:/connected_by",
		{"}", `,"subject":"admin@contoso.com"}`}: "body:/subject",
		{"}", `,"products":["nothing"]}`}:        "body:/products",
		{"}", `,"client_secret":"hush"}`}:        "body:",
	} {
		a := h.connect(strings.Replace(connectBody, replaced[0], replaced[1], 1), "")
		var p openapi.Problem
		a.JSON(t, &p)
		if statusAndCode(a) != "400 invalid-request" || len(p.Faults) != 1 || p.Faults[0].Where != want || strings.Contains(a.Body, "@") && want != "body:/connected_by" {
			t.Errorf("%s: %+v", replaced[1], a)
		}
	}
	bound := &access.Principal{ID: "otto", Role: access.Operator, Tenants: []string{"fabrikam"}}
	for _, id := range []string{"northwind", "contoso"} {
		a := h.Do(bound, http.MethodPost, "/api/v1/tenants", strings.Replace(connectBody, "northwind\"", id+"\"", 1))
		if statusAndCode(a) != "403 forbidden" {
			t.Errorf("%s as an operator of another tenant: %+v", id, a)
		}
	}
}

// TestLooksAreBounded: each has a provider asked.
func TestLooksAreBounded(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	for n := range 21 {
		a := h.connect(connectBody, "")
		if limited := statusAndCode(a) == "429 rate-limited" && a.Header.Get("Retry-After") == "2"; limited != (n == 20) {
			t.Errorf("look %d: %+v", n, a)
		}
	}
}
