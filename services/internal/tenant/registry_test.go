package tenant_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// bucket returns an empty KV bucket on a NATS server of its own.
func bucket(t *testing.T) jetstream.KeyValue {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		ServerName: t.Name(), DontListen: true, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the NATS server does not start")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	kv, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "tenants"})
	if err != nil {
		t.Fatal(err)
	}
	return kv
}

func contoso() tenant.Tenant {
	return tenant.Tenant{
		ID: "contoso", Provider: directory.Entra, DirectoryID: "9f4a1c2e-0000-4000-8000-000000000001", Domain: "contoso.com",
		Products:   []tenant.Product{tenant.SecureShare()},
		Credential: tenant.Credential{Kind: tenant.ClientSecret, ClientID: "app", Env: "CONTOSO_SECRET"},
		CreatedAt:  time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC),
	}
}

func fabrikam() tenant.Tenant {
	t := contoso()
	t.ID, t.DirectoryID, t.Domain = "fabrikam", "9f4a1c2e-0000-4000-8000-000000000002", "fabrikam.com"
	return t
}

func TestRegistryStoresAndLists(t *testing.T) {
	t.Parallel()
	r := tenant.NewRegistry(bucket(t))
	ctx := t.Context()
	for _, one := range []tenant.Tenant{fabrikam(), contoso()} {
		if err := r.Add(ctx, one); err != nil {
			t.Fatal(err)
		}
	}
	all, err := r.List(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]tenant.Tenant{contoso(), fabrikam()}, all); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
	if err := r.Delete(ctx, "fabrikam"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Get(ctx, "fabrikam"); !errors.Is(err, tenant.ErrNotFound) {
		t.Errorf("after delete: %v", err)
	}
	if got, err := r.Get(ctx, "contoso"); err != nil || got.Domain != "contoso.com" {
		t.Errorf("contoso: %+v, %v", got, err)
	}
}

func TestRegistryKeepsDirectoriesApart(t *testing.T) {
	t.Parallel()
	r := tenant.NewRegistry(bucket(t))
	ctx := t.Context()
	if err := r.Add(ctx, contoso()); err != nil {
		t.Fatal(err)
	}
	if err := r.Add(ctx, contoso()); !errors.Is(err, tenant.ErrExists) {
		t.Errorf("the same tenant again: %v", err)
	}
	twin := fabrikam()
	twin.DirectoryID = contoso().DirectoryID
	if err := r.Add(ctx, twin); !errors.Is(err, tenant.ErrDirectoryTaken) {
		t.Errorf("a second tenant on one directory: %v", err)
	}
	twin.Provider = directory.GoogleWorkspace
	twin.Credential = tenant.Credential{Kind: tenant.GoogleImpersonation, ServiceAccount: "reader@vendor.iam.gserviceaccount.com", Subject: "admin@fabrikam.com"}
	if err := r.Add(ctx, twin); err != nil {
		t.Errorf("the same id at the other provider: %v", err)
	}
	if err := r.Delete(ctx, "contoso"); err != nil {
		t.Fatal(err)
	}
	heir := contoso()
	heir.ID = "contoso-again"
	if err := r.Add(ctx, heir); err != nil {
		t.Errorf("the directory of a deleted tenant: %v", err)
	}
}

func TestPutChangesAllButTheDirectory(t *testing.T) {
	t.Parallel()
	r := tenant.NewRegistry(bucket(t))
	ctx := t.Context()
	if err := r.Put(ctx, contoso()); err != nil {
		t.Fatal(err)
	}
	changed := contoso()
	changed.Endpoints.API = "https://graph.microsoft.us/v1.0"
	changed.CreatedAt = time.Time{}
	if err := r.Put(ctx, changed); err != nil {
		t.Fatal(err)
	}
	changed.CreatedAt = contoso().CreatedAt
	if got, err := r.Get(ctx, "contoso"); err != nil || !cmp.Equal(changed, got) {
		t.Errorf("after put: %v\n%s", err, cmp.Diff(changed, got))
	}
	moved := contoso()
	moved.DirectoryID = fabrikam().DirectoryID
	if err := r.Put(ctx, moved); !errors.Is(err, tenant.ErrDirectoryFixed) {
		t.Errorf("another directory: %v", err)
	}
	if err := r.Put(ctx, tenant.Tenant{ID: "broken"}); err == nil {
		t.Error("an invalid tenant was stored")
	}
}

func TestWatchTellsWhatIsAndWhatChanges(t *testing.T) {
	t.Parallel()
	kv := bucket(t)
	r := tenant.NewRegistry(kv)
	faults := make(chan string, 1)
	r.OnFault = func(id string, _ error) { faults <- id }
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := kv.Put(ctx, "broken", []byte("{")); err != nil {
		t.Fatal(err)
	}
	if err := r.Add(ctx, contoso()); err != nil {
		t.Fatal(err)
	}
	changes, ended := make(chan tenant.Change), make(chan error, 1)
	go func() { ended <- r.Watch(ctx, func(c tenant.Change) { changes <- c }) }()

	want := func(id string, there, initial, done bool) {
		t.Helper()
		c := <-changes
		if c.ID != id || (c.Tenant != nil) != there || c.Initial != initial || c.InitialDone != done {
			t.Fatalf("change %+v", c)
		}
	}
	if id := <-faults; id != "broken" {
		t.Errorf("fault of %q", id)
	}
	want("contoso", true, true, false)
	want("", false, false, true)
	if err := r.Add(ctx, fabrikam()); err != nil {
		t.Fatal(err)
	}
	want("fabrikam", true, false, false)
	if err := r.Delete(ctx, "contoso"); err != nil {
		t.Fatal(err)
	}
	want("contoso", false, false, false)
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the watch ended with %v", err)
	}
}

func TestLiveFollowsTheRegistry(t *testing.T) {
	t.Parallel()
	r := tenant.NewRegistry(bucket(t))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	live := tenant.NewLive(r)
	if live.Ready(ctx) == nil {
		t.Error("ready before it has read anything")
	}
	if err := r.Add(ctx, contoso()); err != nil {
		t.Fatal(err)
	}
	if got, err := live.Get(ctx, "contoso"); err != nil || got.ID != "contoso" {
		t.Errorf("before it runs: %v, %v", got.ID, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- live.Run(ctx) }()
	for live.Ready(ctx) != nil {
		runtime.Gosched()
	}
	if err := r.Delete(ctx, "contoso"); err != nil {
		t.Fatal(err)
	}
	for { // the news is on its way
		if _, err := live.Get(ctx, "contoso"); errors.Is(err, tenant.ErrNotFound) {
			break
		}
		runtime.Gosched()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}
