package endtoend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/control-center/tokens"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// caller is a program with a token.
type caller struct {
	url, token string
	http       *http.Client
}

// caller makes a token as somebody does on the command line.
func (c *company) caller(t *testing.T, w tokens.Wanted) *caller {
	t.Helper()
	b, _ := c.house.clients(t, c.house.dial(t))
	store, err := tokens.Open(t.Context(), b, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	w.Name, w.By, w.Expires = "a program", "test", time.Now().Add(time.Hour)
	secret, _, err := store.Make(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	return &caller{url: c.house.process.HTTPURL(), token: secret, http: client(t, c.house.pair.cert)}
}

// call asks, reads the answer where one is wanted, and returns status and header.
func (c *caller) call(t *testing.T, method, path, body string, into any) (int, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err == nil && into != nil {
		err = json.NewDecoder(bytes.NewReader(text)).Decode(into)
	}
	if err != nil || res.StatusCode >= 500 {
		t.Fatalf("%s %s: %d %s: %v", method, path, res.StatusCode, text, err)
	}
	return res.StatusCode, res.Header
}

// TestTheAPIOrdersWhatTheWorkerDoes: seats that are set stand in the answer to the next question; a preview shows what a read
// brings, and changes nothing before it is applied; and "may this user?" says the same as the list.
func TestTheAPIOrdersWhatTheWorkerDoes(t *testing.T) {
	t.Parallel()
	h := open(t, plan{unpushed: true})
	c := h.found(t, "contoso")
	users := c.hire(t, 6)
	c.connect(t)
	operator := c.caller(t, tokens.Wanted{Role: "operator"})
	const seatsPath = "/api/v1/tenants/contoso/products/secure-share/seats"

	if status, _ := operator.call(t, http.MethodPut, seatsPath, `{"purchased":100,"enforce":true}`, nil); status != http.StatusOK {
		t.Errorf("set the seats: %d", status)
	}
	var stand struct {
		Purchased, Used int
		Enforce         bool
	}
	operator.call(t, http.MethodGet, seatsPath, "", &stand)
	if stand.Purchased != 100 || !stand.Enforce || stand.Used != len(c.users(t)) {
		t.Errorf("the seats stand at %+v", stand)
	}

	must(t)(h.control.Suspend(t.Context(), c.id, users[0]))
	var asked struct{ ID, State string }
	status, header := operator.call(t, http.MethodPost, "/api/v1/tenants/contoso/refreshes", `{"preview":true}`, &asked)
	if status != http.StatusAccepted || header.Get("Location") == "" {
		t.Fatalf("ask for a preview: %d %v", status, header)
	}
	var refresh struct {
		State  string
		Result struct {
			Holds []struct{ Held, Product string }
		}
	}
	eventually(t, "the end of the preview", func() bool {
		operator.call(t, http.MethodGet, header.Get("Location"), "", &refresh)
		return refresh.State == "done"
	})
	if len(refresh.Result.Holds) != 1 {
		t.Fatalf("the preview has come to %+v", refresh)
	}
	gate := c.caller(t, tokens.Wanted{Role: "auditor", Tenants: []string{"contoso"}, Scopes: []tokens.Scope{"check"}})
	may := func(action string) string {
		var d struct {
			Decision bool
			Context  struct{ Reason string }
		}
		gate.call(t, http.MethodPost, "/access/v1/evaluation",
			`{"subject":{"type":"user","id":"`+users[1]+`"},"action":{"name":"`+action+`"},"resource":{"type":"product","id":"secure-share"}}`, &d)
		return fmt.Sprint(d.Decision, " ", d.Context.Reason)
	}
	if got := may("share.initiate"); got != "true domain-default" {
		t.Errorf("may a licensed user initiate: %s", got)
	}
	if status, _ := gate.call(t, http.MethodGet, seatsPath, "", nil); status != http.StatusNotFound {
		t.Errorf("a token to check reads: %d", status)
	}
	var applied struct {
		Items []struct {
			Held    string
			Command struct{ State string }
		}
	}
	operator.call(t, http.MethodPost, header.Get("Location")+"/apply", "", &applied)
	if len(applied.Items) != 1 || applied.Items[0].Command.State != "done" || applied.Items[0].Held != refresh.Result.Holds[0].Held {
		t.Errorf("applied: %+v", applied)
	}
	licensed := func() (ids []string) {
		var page struct{ Items []struct{ User string } }
		operator.call(t, http.MethodGet, "/api/v1/tenants/contoso/products/secure-share/entitlements", "", &page)
		for _, e := range page.Items {
			ids = append(ids, e.User)
		}
		return ids
	}
	eventually(t, "the preview is carried out", func() bool { return len(licensed()) == len(c.users(t))-1 })
	var found struct{ Results []struct{ ID string } }
	gate.call(t, http.MethodPost, "/access/v1/search/subject",
		`{"subject":{"type":"user"},"action":{"name":"use"},"resource":{"type":"product","id":"secure-share"}}`, &found)
	var searched []string
	for _, r := range found.Results {
		searched = append(searched, r.ID)
	}
	if diff := cmp.Diff(licensed(), searched); diff != "" {
		t.Errorf("who is licensed and who may use (-entitlements +AuthZEN):\n%s", diff)
	}
}
