package endtoend

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// TestSecretsAndAddressesStayWhereTheyBelong holds the whole to rule 6 of docs/architecture.md: after a story with all that
// may go wrong in it, no log line, no subject and no header holds a secret, a token or an address of a person; no stream or
// bucket holds a secret; and what says what went wrong holds no address either.
func TestSecretsAndAddressesStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	log := &transcript{}
	h := open(t, plan{log: log})
	c := h.found(t, "contoso")
	users := c.hire(t, 12)
	c.makeGroup(t, users[:6]...)
	c.connect(t)
	addresses := h.trouble(t, c, users)

	secrets := h.gate.secrets(t)
	if len(secrets) == 0 || len(addresses) < len(users) {
		t.Fatalf("nothing to look for: %d secrets, %d addresses", len(secrets), len(addresses))
	}
	secrets = append(secrets, appSecret, "eyJ0eXAiOi", "eyJhbGciOi") // as the simulator's tokens and other JWTs begin
	said := log.String()
	if !strings.Contains(said, "level=DEBUG") || !strings.Contains(said, "level=WARN") {
		t.Errorf("the log is not at its most talkative:\n%s", said)
	}
	absent(t, "the log", said, secrets)
	absent(t, "the log", said, addresses)
	stored := h.stored(t)
	for _, stream := range []string{bus.Notifications, bus.LedgerIn, bus.Licenses, bus.DeadLetters, "KV_" + bus.BucketChannels, "KV_" + bus.BucketTenants} {
		if len(stored[stream]) == 0 {
			t.Errorf("%s holds nothing: the story did not reach it", stream)
		}
	}
	for stream, messages := range stored {
		for _, m := range messages {
			absent(t, stream, m.envelope+m.body, secrets)
			absent(t, "a subject or header of "+stream, m.envelope, addresses)
			if stream != bus.LedgerIn && stream != bus.DeadLetters { // which hold what was observed
				absent(t, stream, m.body, addresses)
			}
		}
	}
}

// trouble has a bit of everything go wrong, and returns the addresses that people had.
func (h *house) trouble(t *testing.T, c *company, users []string) (addresses []string) {
	t.Helper()
	ctx := t.Context()
	told, err := h.control.Users(ctx, c.id)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range told {
		addresses = append(addresses, u.Address)
	}
	mark := c.licenses.mark()
	must(t)(h.control.RenameUser(ctx, c.id, users[0], control.Rename{Address: "renamed.person@contoso.com"}))
	addresses = append(addresses, "renamed.person@contoso.com")
	must(t)(h.control.RemoveMembers(ctx, c.id, c.group(), users[1]))
	c.awaitLicense(t, mark, users[1], false)

	// A notification that proves nothing, one that is none, and an event that cannot be used, with an address in it.
	forged := []byte(`{"value":[{"subscriptionId":"s","clientState":"v1.a.contoso.b.forged","changeType":"updated","resource":"Users/` +
		users[2] + `","tenantId":"` + c.directory + `"}]}`)
	h.gate.post(t, bytes.NewReader(forged))
	h.gate.post(t, strings.NewReader(`{"value":"`+addresses[0]+`"`))
	b, _ := h.clients(t, h.dial(t))
	_, err = b.JetStream().Publish(ctx, "directory.contoso.page", []byte(`not an event about `+addresses[0]))
	if err != nil {
		t.Fatal(err)
	}

	// The provider refuses: first everything, then the app's secret.
	mark = c.licenses.mark()
	fault := control.Fault{Tenant: c.id, Status: 503, Count: 2}
	if err := h.control.AddFault(ctx, fault); err != nil {
		t.Fatal(err)
	}
	must(t)(h.control.RemoveMembers(ctx, c.id, c.group(), users[3]))
	c.awaitLicense(t, mark, users[3], false)
	wrong := h.found(t, "initech")
	wrong.hire(t, 2)
	if _, err := h.control.PutTenant(ctx, control.Tenant{
		ID: wrong.id, DirectoryID: wrong.directory, Domains: []string{wrong.domain}, App: control.App{ClientID: appID, Secret: "another"},
	}); err != nil {
		t.Fatal(err)
	}
	wrong.join(t)
	eventually(t, "the refusal of the secret is logged", func() bool {
		return strings.Contains(h.plan.log.(*transcript).String(), "AADSTS7000215")
	})
	return addresses
}

// secrets are the clientStates that have come by.
func (g *gate) secrets(tb testing.TB) []string {
	tb.Helper()
	found := map[string]bool{}
	pushes, _ := g.pushes.since(0)
	for _, p := range pushes {
		var body struct {
			Value []struct{ ClientState string }
		}
		if err := json.Unmarshal(p.body, &body); err != nil {
			tb.Fatal(err)
		}
		for _, item := range body.Value {
			found[item.ClientState] = true
		}
	}
	return slices.Collect(maps.Keys(found))
}

// message is one message as it is stored.
type message struct{ envelope, body string }

// stored reads every stream there is, buckets among them, to its end.
func (h *house) stored(tb testing.TB) map[string][]message {
	tb.Helper()
	b, _ := h.clients(tb, h.dial(tb))
	all := map[string][]message{}
	names := b.JetStream().StreamNames(tb.Context())
	for name := range names.Name() {
		all[name] = readAll(tb, b.JetStream(), name)
	}
	if err := names.Err(); err != nil {
		tb.Fatal(err)
	}
	return all
}

func readAll(tb testing.TB, js jetstream.JetStream, name string) (all []message) {
	tb.Helper()
	stream, err := js.Stream(tb.Context(), name)
	if err != nil {
		tb.Fatal(err)
	}
	for sequence := stream.CachedInfo().State.FirstSeq; sequence <= stream.CachedInfo().State.LastSeq; sequence++ {
		m, err := stream.GetMsg(tb.Context(), sequence)
		if err != nil {
			continue // replaced by a later one of its key
		}
		header, err := json.Marshal(m.Header)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, message{envelope: m.Subject + " " + string(header), body: string(m.Data)})
	}
	return all
}

func absent(tb testing.TB, where, text string, all []string) {
	tb.Helper()
	for _, s := range all {
		if i := strings.Index(text, s); i >= 0 {
			tb.Errorf("%s holds %q: …%s…", where, s, text[max(0, i-200):min(len(text), i+200)])
		}
	}
}

// transcript keeps all that is written to it.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *transcript) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *transcript) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
