package workspace

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// simulated is a simulator with the Workspace tenant initech, and a directory that is connected to it.
type simulated struct {
	*control.Client
	provider  *Provider
	tenant    tenant.Tenant
	directory receiver.Directory
	cursors   map[receiver.FeedKind]string
}

func simulate(t *testing.T, settings control.Settings) *simulated {
	t.Helper()
	p, err := New(Config{}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	server, err := simulator.New(simulator.Config{DataDir: t.TempDir(), AllowLoopbackHTTP: true, PageSize: settings.PageSize}, simulator.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the simulator: %v", err)
		}
	})
	s := &simulated{provider: p, cursors: map[receiver.FeedKind]string{}}
	if s.Client, err = control.NewWithCA(server.URL(), server.CAFile()); err != nil {
		t.Fatal(err)
	}
	if err := s.PutSettings(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	key, public := accountKey()
	keyFile := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(keyFile, key, 0o600); err != nil {
		t.Fatal(err)
	}
	made, err := s.PutTenant(t.Context(), control.Tenant{
		ID: "initech", Provider: directory.GoogleWorkspace, Domains: []string{"initech.com", "initech.net"},
		App: control.App{ServiceAccount: account, PublicKey: public},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.tenant = tenant.Tenant{
		ID: "initech", Provider: directory.GoogleWorkspace, DirectoryID: made.DirectoryID, Domain: "initech.com",
		Products:   []tenant.Product{tenant.SecureShare()},
		Credential: tenant.Credential{Kind: tenant.GoogleKeyFile, File: keyFile, ServiceAccount: account, Subject: "admin@initech.com"},
		Endpoints:  tenant.Endpoints{API: server.URL(), Authority: server.URL(), CAFile: server.CAFile()},
	}
	if s.directory, err = p.Connect(s.tenant); err != nil {
		t.Fatal(err)
	}
	return s
}

// did returns the id of what a change made or changed.
func did(t *testing.T, c control.Change, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return c.ID
}

// drain reads a feed on from where it stands to its end, all pages as one.
func (s *simulated) drain(t *testing.T, feed receiver.Feed) receiver.Page {
	t.Helper()
	var all receiver.Page
	for range 1000 {
		p := change(t, s.directory, feed, s.cursors[feed.Kind])
		s.cursors[feed.Kind] = p.Cursor
		if len(p.SetAside) > 0 || len(p.Unclear) > 0 {
			t.Errorf("%s: set aside %v, unclear %v", feed.Kind, p.SetAside, p.Unclear)
		}
		all.Observations, all.Stale, all.Shown = append(all.Observations, p.Observations...), append(all.Stale, p.Stale...), append(all.Shown, p.Shown...)
		all.Anew = all.Anew || p.Anew
		if !p.More {
			return all
		}
	}
	t.Fatalf("%s: no end", feed.Kind)
	return all
}

// both reads both feeds.
func (s *simulated) both(t *testing.T) receiver.Page {
	t.Helper()
	u, g := s.drain(t, users), s.drain(t, groups)
	u.Observations, u.Stale, u.Shown = append(u.Observations, g.Observations...), append(u.Stale, g.Stale...), append(u.Shown, g.Shown...)
	u.Anew = u.Anew || g.Anew
	return u
}

// members lists a group.
func (s *simulated) members(t *testing.T, group string) map[directory.Membership]bool {
	t.Helper()
	got := map[directory.Membership]bool{}
	for cursor, more := "", true; more; {
		p, err := s.directory.Members(t.Context(), group, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range p.Observations {
			got[*o.Membership] = true
		}
		cursor, more = p.Cursor, p.More
	}
	return got
}

// within is how long something may take that another goroutine does.
const within = 10 * time.Second
