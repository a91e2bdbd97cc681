package controlcenter

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/oidctest"
	"github.com/rollcall-hq/rollcall/services/internal/browsertest"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
)

// The way to the list of a group's users, by what is to be read on the pages: sign in, "Users & Groups", "Users", "All Users in
// Groups" and the group's address, the magnifying glass. The list says what the ledger says.
func TestChromiumGoesTheFiveSteps(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	h := centertest.New(t)
	issuer := oidctest.Start(t, nil)
	server := httptest.NewUnstartedServer(nil)
	address := "http://" + server.Listener.Addr().String()
	secret := issuer.Register(oidctest.Client{ID: "rollcall", Secret: "its own", Redirects: []string{address + "/sign-in/house/callback"}})
	issuer.SignIn(map[string]any{"sub": "1142", "name": "Ada Admin"})
	file := filepath.Join(t.TempDir(), "access.yaml")
	err := os.WriteFile(file, fmt.Appendf(nil, `issuers:
  - {id: house, name: the house, issuer: %q, client_id: rollcall, client_secret_file: %q}
people:
  - {issuer: house, subject: "1142", role: tenant-admin, tenants: [contoso]}
`, issuer.URL, secret), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(t.Context(), Config{PublicURL: address, AccessFile: file}, Deps{
		Bus: h.Bus, Ledger: h.Reader, Tenants: h.Registry, Logger: telemetry.Discard(), Clock: clock.System(), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	server.Config.Handler = c.Handler()
	server.Start()
	b := browsertest.Open(t, browser, address)
	t.Cleanup(func() {
		cancel()
		server.CloseClientConnections()
		server.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})

	b.Go("/")
	b.Sees("Sign in with the house")
	b.Accessible("the page to sign in")
	b.Picture("sign-in")
	b.Press("a", "Sign in with the house")
	b.Sees("Ada Admin")
	b.Follow("nav a", "Users & Groups")
	b.Follow("nav a", "Users")
	b.Type("All Users in Groups", "virtru-secure-share-provisioning-group@contoso.com")
	b.Press("button", "Search")
	b.Until(`location.search.includes('group=virtru')`)
	b.Until(`document.querySelectorAll('tbody tr').length === 2`)
	for user, want := range map[string]string{"ada": "Licensed", "cid": "Not licensed"} {
		if got := b.Text(`document.querySelector('#user-` + user + `').closest('tr').querySelector('.badge').innerText.trim()`); got != want {
			t.Errorf("%s: %q, want %q", user, got, want)
		}
	}
	b.Picture("five-steps")
	b.Go("/tenants/fabrikam")
	b.Sees("Nothing is here")
	b.Press("button", "Sign out")
	b.Sees("Sign in with the house")
	b.Quiet("404")
}
