package controlcenter

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
)

// asked is what one way to ask has said of a user and a product.
type asked struct {
	Licensed bool   `json:"licensed"`
	Reason   string `json:"reason"`
}

// browser is somebody who has signed in as an operator.
type browser struct {
	t       *testing.T
	address string
	client  *http.Client
}

func signedIn(t *testing.T, h *centertest.House) *browser {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	address := "http://" + server.Listener.Addr().String()
	c, err := New(t.Context(), Config{PublicURL: address, DevelopmentLogin: true}, Deps{
		Bus: h.Bus, Ledger: h.Reader, Tenants: h.Registry, Logger: telemetry.Discard(), Clock: clock.System(), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = c.Handler()
	server.Start()
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, address: address, client: &http.Client{Jar: jar}}
	b.send(http.MethodPost, "/sign-in/development", url.Values{"role": {"operator"}, "next": {"/sign-in"}}.Encode())
	return b
}

// send returns the body of what is answered with 200.
func (b *browser) send(method, path, body string, headers ...string) string {
	b.t.Helper()
	status, text := send(b.t, b.client, method, b.address+path, body, headers...)
	_, text, _ = strings.Cut(text, " ")
	if status != http.StatusOK {
		b.t.Fatalf("%s: %d %s", path, status, text)
	}
	return text
}

func (b *browser) json(into any, text string) {
	b.t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		b.t.Fatalf("%s: %v", text, err)
	}
}

// user is what the API says of one user.
func (b *browser) user(id string) map[string]asked {
	b.t.Helper()
	var told struct {
		Decisions []struct {
			Product string `json:"product"`
			asked
		} `json:"decisions"`
	}
	b.json(&told, b.send(http.MethodGet, "/api/v1/tenants/contoso/users/"+id, ""))
	all := map[string]asked{}
	for _, d := range told.Decisions {
		all[d.Product] = d.asked
	}
	return all
}

// list is what the API's list says of everybody.
func (b *browser) list(product string) map[string]asked {
	b.t.Helper()
	var told struct {
		Items []struct {
			ID string `json:"id"`
			asked
		} `json:"items"`
	}
	b.json(&told, b.send(http.MethodGet, "/api/v1/tenants/contoso/users?product="+product, ""))
	all := map[string]asked{}
	for _, u := range told.Items {
		all[u.ID] = u.asked
	}
	return all
}

// table is what the CSV of the pages says of everybody.
func (b *browser) table(product string) map[string]asked {
	b.t.Helper()
	lines, err := csv.NewReader(strings.NewReader(b.send(http.MethodGet, "/tenants/contoso/users.csv?product="+product, ""))).ReadAll()
	if err != nil {
		b.t.Fatal(err)
	}
	all := map[string]asked{}
	for _, line := range lines[1:] {
		all[line[0]] = asked{line[5] == "yes", line[6]}
	}
	return all
}

// may is what AuthZEN says of a user's use of a product, and of the license.
func (b *browser) may(user, product string) (use, licensed bool) {
	b.t.Helper()
	var told struct {
		Decision bool  `json:"decision"`
		Context  asked `json:"context"`
	}
	b.json(&told, b.send(http.MethodPost, "/access/v1/evaluation", fmt.Sprintf(
		`{"subject":{"type":"user","id":%q,"properties":{"tenant":"contoso"}},"action":{"name":"use"},"resource":{"type":"product","id":%q}}`, user, product,
	), "Content-Type", "application/json"))
	return told.Decision, told.Context.Licensed
}

// Whichever way somebody asks, the answer about a user is the one of package answer.
func TestAllWaysToAskAgree(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*ledger.Tenant){
		"followed":                   func(*ledger.Tenant) {},
		"disconnected, and kept":     func(t *ledger.Tenant) { t.Disconnected = ledger.LicensesKept },
		"being restored, and paused": func(t *ledger.Tenant) { t.Restoring, t.Paused = true, true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := centertest.New(t)
			h.Write(func(tx *ledger.Tx) error {
				contoso, err := tx.Tenant(centertest.Contoso)
				if err != nil {
					return err
				}
				change(&contoso)
				seen := ledger.Evidence{Stamp: directory.Stamp{Epoch: 1, Counter: 2}, At: centertest.Nine}
				for _, u := range []directory.User{
					{ID: "hal", Name: "suspended guest", Guest: true, Status: directory.Suspended}, {ID: "ida", Name: "archived", Status: directory.Archived},
				} {
					if _, err := tx.PutUser(contoso, u, seen); err != nil {
						return err
					}
				}
				return tx.SaveTenant(contoso)
			})
			b := signedIn(t, h)
			for _, product := range []string{centertest.Share, centertest.Drive} {
				b.agrees(h, product)
			}
			h.Remove(centertest.Contoso, centertest.Share) // whose licenses stand as they were
			for _, product := range []string{centertest.Share, centertest.Drive} {
				b.agrees(h, product)
			}
		})
	}
}

func (b *browser) agrees(h *centertest.House, product string) {
	b.t.Helper()
	list, table := b.list(product), b.table(product)
	if len(list) != len(centertest.People)+2 || len(table) != len(list) {
		b.t.Errorf("%s: %d on the list, %d in the table", product, len(list), len(table))
	}
	for id := range list {
		d, _, err := answer.Decide(b.t.Context(), h.Reader, answer.Question{Tenant: centertest.Contoso, Product: product, User: id})
		if err != nil {
			b.t.Fatal(err)
		}
		want := asked{d.Licensed, d.Reason}
		for way, got := range map[string]asked{"of one user": b.user(id)[product], "list": list[id], "table": table[id]} {
			if got != want {
				b.t.Errorf("%s, %s, %s: %+v, want %+v", product, id, way, got, want)
			}
		}
		if use, licensed := b.may(id, product); use != (d.Licensed && d.Active) || licensed != d.Licensed {
			b.t.Errorf("%s, %s: may use %t, licensed %t, want %+v and active %t", product, id, use, licensed, want, d.Active)
		}
	}
}
