package demo_test

import (
	"bytes"
	"context"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/rollcall-hq/rollcall/services/internal/browsertest"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/demo"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// TestChangesAreOnOpenPages: whoever watches the demo in a browser sees a member leave the group, on the user's page and in the
// worked example, in the directories of both providers, without a reload.
func TestChangesAreOnOpenPages(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	told := running(t, demo.Config{Data: data, HTTPAddr: "127.0.0.1:0", NATSAddr: "127.0.0.1:0", ShareAddr: "127.0.0.1:0"})
	pages := regexp.MustCompile(`pages +(http://\S+)`).FindStringSubmatch(told)
	links := regexp.MustCompile(`http://\S+/\?tenant=\S+`).FindAllString(told, -1)
	if pages == nil || len(links) != 2 {
		t.Fatalf("it does not say where its pages are:\n%s", told)
	}
	found, err := datadir.Find(data)
	if err != nil {
		t.Fatal(err)
	}
	directories, err := control.NewWithCA(found.Simulator.URL, found.Simulator.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	browser := browsertest.Start(t, chromedp.IgnoreCertErrors) // the simulator's is of an authority of its own
	for _, link := range links {
		at, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		tenant, user := at.Query().Get("tenant"), at.Query().Get("user")
		center, share := browsertest.Open(t, browser, pages[1]), browsertest.Open(t, browser, "http://"+at.Host)
		center.Go("/sign-in")
		center.Press("button", "Sign in")
		center.Sees("contoso")
		center.Go("/tenants/" + tenant + "/users/" + user)
		center.Sees("a member of the provisioning group")
		center.Live()
		share.Go("/?" + at.RawQuery)
		share.Press("button", "Sign in")
		share.Sees("You are licensed")
		for _, b := range []*browsertest.Tab{center, share} {
			b.Text(`window.sameAsBefore = "yes"`)
		}
		began := time.Now()
		if _, err := directories.RemoveMembers(t.Context(), tenant, group(tenant), user); err != nil {
			t.Fatal(err)
		}
		center.Sees("not a member of the provisioning group")
		t.Logf("%s: on the page after %s", tenant, time.Since(began).Round(time.Millisecond))
		share.Sees("You are not licensed")
		for _, b := range []*browsertest.Tab{center, share} {
			if b.Text(`String(window.sameAsBefore)`) != "yes" {
				t.Error("the page was loaded anew")
			}
			b.Quiet()
		}
	}
	newcomer := regexp.MustCompile(`(http\S+)(/connect\?provider=entra)\s+short name (\S+), tenant ID (\S+), admin (\S+)`).FindStringSubmatch(told)
	if newcomer == nil {
		t.Fatalf("it tells of no third directory:\n%s", told)
	}
	connectNewcomer(browsertest.Open(t, browser, newcomer[1]), newcomer[2:])
}

// connectNewcomer does what the demo tells a person to do.
func connectNewcomer(b *browsertest.Tab, told []string) {
	b.Go("/sign-in?next=" + url.QueryEscape(told[0]))
	b.Press("button", "Sign in")
	b.Type("Short name", told[1])
	b.Type("Tenant ID", told[2])
	b.Type("Address of the admin who connects it", told[3])
	b.Press("button", "Continue")
	b.Press("a", "Ask for consent at Microsoft")
	b.Press("button", "Accept")
	b.Press("button", "Connect "+told[1])
	b.Sees("The directory is being read for the first time")
	b.Go("/tenants/" + told[1])
	b.Live()
	b.Sees("licensed")
}

// group is the provisioning group's address.
func group(tenant string) string {
	return "virtru-secure-share-provisioning-group@" + tenant + ".com"
}

// running runs a demo until the test ends, and returns what it has told when it stays up.
func running(t *testing.T, cfg demo.Config) (told string) {
	t.Helper()
	cfg.Users, cfg.Again, cfg.Settle, cfg.Poll = 200, 0, 300*time.Millisecond, 10*time.Second
	logger, err := telemetry.NewLogger(&bytes.Buffer{}, "error", "text")
	if err != nil {
		t.Fatal(err)
	}
	stays, ended := make(chan string, 1), make(chan error, 1)
	ctx, leave := context.WithCancel(context.Background())
	go func() {
		_, err := demo.Run(ctx, cfg, demo.Deps{Out: &leaver{leave: func(told string) { stays <- told }}, Logger: logger, Started: time.Now()})
		ended <- err
	}()
	t.Cleanup(func() {
		leave()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	select {
	case told = <-stays:
		return told
	case err := <-ended:
		ended <- err
		t.Fatalf("it ended with %v", err)
		return ""
	}
}
