package connecting

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

func TestAWorkspaceIsConnected(t *testing.T) {
	t.Parallel()
	h := open(t)
	initech := h.initech()
	b := h.tab(t, "operator", "")
	b.Press("a", "Connect Google Workspace")
	b.Sees("Customer ID")
	b.Accessible("connect: the form for Workspace")
	b.Picture("connect-workspace-form")
	b.Type("Short name", "initech")
	b.Type("Customer ID", initech.DirectoryID)
	b.Type("Address of the admin who connects it", "admin@initech.com")
	b.Text(`document.querySelector('[name=product][value=drive]').click(), 'chosen'`)
	b.Press("button", "Continue")
	b.Sees("1. Delegate")
	b.Accessible("connect: the steps of Workspace")
	b.Picture("connect-workspace-steps")
	if got := b.Text(`document.getElementById('client-id').value`); got != h.account.App().ClientID {
		t.Errorf("client id %q", got)
	}
	if got := b.Text(`document.getElementById('scopes').value`); len(strings.Split(got, ",")) != 3 || !strings.Contains(got, control.ScopeReports) {
		t.Errorf("scopes %q", got)
	}
	b.Run(chromedp.Click(chromedp.CSS(`[data-copy=scopes]`)))
	b.Until(`String(getSelection()) === document.getElementById('scopes').value || document.activeElement.id === 'scopes' || document.querySelector('[data-copy=scopes]').innerText === 'Copied'`)

	b.Press("a", "Check")
	for _, scope := range control.DefaultScopes() {
		b.Sees("The scope " + scope + " is not delegated")
	}
	b.Accessible("connect: nothing is delegated")
	b.Picture("connect-workspace-missing")
	if err := h.control.SetScopes(t.Context(), "initech", []string{control.ScopeUsers, control.ScopeGroups}); err != nil {
		t.Fatal(err)
	}
	b.Press("a", "Check again")
	b.Sees("The scope " + control.ScopeUsers + " is delegated")
	b.Sees("The scope " + control.ScopeReports + " is not delegated")
	if strings.Contains(b.Text(`document.body.innerText`), "Connect initech\n") && b.Text(`String(document.querySelectorAll('form[action^="/connect/"] button').length)`) != "0" {
		t.Error("it can be connected already")
	}
	if err := h.control.SetScopes(t.Context(), "initech", control.DefaultScopes()); err != nil {
		t.Fatal(err)
	}
	b.Press("a", "Check again")
	b.Sees("Everything is there")
	b.Accessible("connect: everything is delegated")
	b.Picture("connect-workspace-ready")

	// What is taken away before the last click is found out by it.
	if err := h.control.SetScopes(t.Context(), "initech", nil); err != nil {
		t.Fatal(err)
	}
	b.Press("button", "Connect initech")
	b.Sees("Something is still to be done")
	if h.connected("initech") != nil {
		t.Error("it is connected without any scope")
	}
	if err := h.control.SetScopes(t.Context(), "initech", control.DefaultScopes()); err != nil {
		t.Fatal(err)
	}
	b.Press("a", "Check again")
	b.Press("button", "Connect initech")
	b.Sees("The directory is being read for the first time")
	stored := h.connected("initech")
	if stored == nil || stored.DirectoryID != initech.DirectoryID || stored.Credential.Subject != "admin@initech.com" || len(stored.Products) != 1 || stored.Products[0].ID != "drive" {
		t.Errorf("stored: %+v", stored)
	}
	b.Quiet("409")
}
