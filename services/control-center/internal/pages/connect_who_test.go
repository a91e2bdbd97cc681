package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
)

// Who may have a directory connected, and under which name: an operator, and an admin for whom the name is meant and who has signed
// in from that very directory.
func TestWhoMayConnectWhat(t *testing.T) {
	t.Parallel()
	w, _, _ := entering(t)
	w.house("fabrikam")
	at := func(id string) access.Home { return access.Home{Directory: id} }
	domain := func(d string) access.Home { return access.Home{Domain: d} }
	workspace := []string{"provider", "google-workspace", "directory_id", "C03az79cb"}
	const ok, notYours, notHome = "", "Want a name that your role is for", "that you have signed in from"
	for name, c := range map[string]struct {
		who    access.Principal
		fields []string
		says   string
	}{
		"an operator":                        {somebody(access.Operator, access.Home{}), nil, ok},
		"an operator of another tenant":      {somebody(access.Operator, at(northwindID), "contoso"), nil, notYours},
		"the admin":                          {somebody(access.TenantAdmin, at(northwindID), "northwind"), nil, ok},
		"an admin from another directory":    {somebody(access.TenantAdmin, at(fabrikamID), "northwind"), nil, notHome},
		"an admin from nowhere":              {somebody(access.TenantAdmin, access.Home{}, "northwind"), nil, notHome},
		"an admin from Google":               {somebody(access.TenantAdmin, domain("northwind.com"), "northwind"), nil, notHome},
		"an admin of another tenant":         {somebody(access.TenantAdmin, at(northwindID), "contoso"), nil, notYours},
		"a name that another has":            {somebody(access.TenantAdmin, at(northwindID), "contoso"), []string{"tenant", "fabrikam"}, notYours},
		"the admin, in capitals":             {somebody(access.TenantAdmin, at(northwindID), "northwind"), []string{"directory_id", strings.ToUpper(northwindID)}, ok},
		"an operator, Workspace":             {somebody(access.Operator, access.Home{}), workspace, ok},
		"the admin, Workspace":               {somebody(access.TenantAdmin, domain("northwind.com"), "northwind"), workspace, ok},
		"an admin from elsewhere, Workspace": {somebody(access.TenantAdmin, domain("fabrikam.com"), "northwind"), workspace, notHome},
		"an admin from Microsoft, Workspace": {somebody(access.TenantAdmin, at(northwindID), "northwind"), workspace, notHome},
		"to read as somebody elsewhere": {
			somebody(access.TenantAdmin, domain("northwind.com"), "northwind"), append([]string{"subject", "admin@fabrikam.com"}, workspace...), notHome,
		},
		"to read as somebody at home": {
			somebody(access.TenantAdmin, domain("northwind.com"), "northwind"), append([]string{"subject", "reader@northwind.com"}, workspace...), ok,
		},
	} {
		w.as(c.who)
		a := w.enter(c.fields...)
		switch {
		case c.says == ok && a.status != http.StatusSeeOther, c.says != ok && a.status != http.StatusUnprocessableEntity:
			t.Errorf("%s: %d\n%s", name, a.status, plain(a.body))
		case c.says != ok:
			has(t, a.body, c.says)
		}
	}
}

// Whoever may only look, or nothing at all, has no page of it and reaches nothing past the pages.
func TestOthersConnectNothing(t *testing.T) {
	t.Parallel()
	w, _, _ := entering(t)
	page := w.entered()
	for name, who := range map[string]access.Principal{
		"an auditor": auditor, "nobody": {}, "a token that reads": {ID: "t", Role: access.Operator, Scopes: []access.Scope{access.ScopeRead}},
	} {
		w.as(who)
		for _, path := range []string{"/connect", "/connect?provider=entra", page, page + "/consent", page + "/check", "/connect/entra/callback?state=x"} {
			if a := w.get(path, cookie("one")...); a.status != http.StatusForbidden {
				t.Errorf("%s: %s: %d", name, path, a.status)
			}
		}
		for _, path := range []string{"/connect", page} {
			if a := w.do(http.MethodPost, path, url.Values{"key": {"k"}}, cookie("one")...); a.status != http.StatusForbidden {
				t.Errorf("%s: POST %s: %d", name, path, a.status)
			}
		}
		if a := w.get("/"); strings.Contains(a.body, "/connect") {
			t.Errorf("%s is shown the way", name)
		}
	}
	w.as(operator)
	has(t, w.page("/"), `href="/connect"`)
}

// A directory that somebody is connecting is of one session, and goes with the right.
func TestAConnectionIsOfItsSession(t *testing.T) {
	t.Parallel()
	w, _, _ := entering(t)
	ours := somebody(access.TenantAdmin, access.Home{Directory: northwindID}, "northwind")
	w.as(ours)
	page := w.entered()
	has(t, w.get(page, cookie("one")...).body, "Connect northwind", "northwind.com")
	paths := []string{page, page + "/consent", page + "/check"}
	for _, path := range append(paths, "/connect/none") {
		for _, headers := range [][]string{cookie("two"), nil} {
			if a := w.get(path, headers...); a.status != http.StatusNotFound && path != "/connect/none" {
				t.Errorf("%s of another session: %d", path, a.status)
			}
		}
	}
	if a := w.do(http.MethodPost, page, url.Values{"key": {"k"}}, cookie("two")...); a.status != http.StatusNotFound {
		t.Errorf("another session connects it: %d", a.status)
	}
	w.as(somebody(access.TenantAdmin, access.Home{Directory: northwindID}, "contoso")) // by now
	for _, path := range paths {
		if a := w.get(path, cookie("one")...); a.status != http.StatusForbidden {
			t.Errorf("%s without the role: %d", path, a.status)
		}
	}
	if a := w.do(http.MethodPost, page, url.Values{"key": {"k"}}, cookie("one")...); a.status != http.StatusForbidden {
		t.Errorf("it is connected without the role: %d", a.status)
	}
	if all, err := w.registry.List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("connected: %v, %v", all, err)
	}
}
