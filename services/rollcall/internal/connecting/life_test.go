package connecting

import (
	"errors"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/browsertest"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// follow connects northwind, whose admin has consented, as the Control Center does.
func (h *house) follow() {
	h.t.Helper()
	made, err := h.control.PutTenant(h.t.Context(), control.Tenant{
		ID: "northwind", Name: "Northwind", Domains: []string{"northwind.com"}, App: control.App{ClientID: clientID, Secret: secret},
	})
	if err == nil {
		_, err = h.control.Generate(h.t.Context(), "northwind", control.Generate{Users: 20})
	}
	if err != nil {
		h.t.Fatal(err)
	}
	asks := connect.NewClient(h.nats.Bus("control-center", bus.Config{Partitions: 2}))
	for { // until the receiver listens
		_, _, err := asks.Add(h.t.Context(), connect.Wanted{
			Tenant: "northwind", Provider: directory.Entra, DirectoryID: made.DirectoryID, ConnectedBy: "admin@northwind.com",
		})
		if err == nil {
			return
		}
		if !errors.Is(err, connect.ErrNoReceiver) {
			h.t.Fatal(err)
		}
	}
}

// read looks at a page of northwind until it says something, which comes with what the directory shows.
func (h *house) read(b *browsertest.Tab, path, says string) {
	h.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		b.Go("/tenants/northwind" + path)
		if b.Text(`String(document.body.innerText.includes(`+quoted(says)+`))`) == "true" {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%s does not come to say %q:\n%s", path, says, b.Text(`document.querySelector("main").innerText.slice(0, 1200)`))
		}
	}
}

// An admin of the tenant adds a product, gives it another group, and disconnects the directory, which an operator
// erases: with the rights of deploy/nats.
func TestATenantIsChangedFromThePages(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.follow()
	b := h.tab(t, "tenant-admin", "northwind")
	b.Sees("Connect Entra ID")
	h.read(b, "/users?licensed=yes", "19 users")
	b.Go("/tenants/northwind/settings")
	b.Press("button", "Add Drive")
	b.Sees("It holds from now on")
	h.read(b, "/users?product=drive&licensed=yes", "19 users")
	b.Go("/tenants/northwind/settings")
	b.Run(chromedp.Click(chromedp.CSS(`#change-drive summary`)))
	b.Sees("users keep the licenses that they hold")
	b.Accessible("settings: a product is changed")
	b.Picture("settings-product")
	b.Run(chromedp.SetValue(chromedp.CSS(`#name-drive`), "Our Drive"), chromedp.SetValue(chromedp.CSS(`#group-drive`), tenant.SecureShare().Group))
	b.Press("button", "Save Drive")
	b.Sees("nest one group in the groups of both instead")
	if typed := b.Text(`document.querySelector('#name-drive').value + ', ' + document.activeElement.id`); typed != "Our Drive, group-drive" {
		t.Errorf("of what was typed and is wrong there is %s", typed)
	}
	b.Accessible("settings: a product that cannot be")
	b.Picture("settings-product-fault")
	b.Run(chromedp.SetValue(chromedp.CSS(`#name-drive`), "Drive"), chromedp.SetValue(chromedp.CSS(`#group-drive`), "drivers"))
	b.Press("button", "Save Drive")
	b.Sees("It holds from now on")
	h.read(b, "/settings", "drivers@northwind.com")
	if drive, has := h.connected("northwind").Product("drive"); !has || drive.Group != "drivers" || drive.Name != tenant.Drive().Name || len(drive.Active) != 2 {
		t.Errorf("stored: %+v", drive)
	}
	b.Sees("Danger")
	b.Picture("settings-danger")
	b.Press("a", "Disconnect northwind")
	b.Sees("19 users hold a license")
	b.Accessible("disconnect")
	b.Picture("disconnect")
	b.Text(`document.querySelector('[value=revoke]').click(), 'chosen'`)
	b.Press("button", "Disconnect northwind")
	b.Sees("It holds from now on")
	if stored := h.connected("northwind"); stored == nil || !stored.Disconnected {
		t.Errorf("stored: %+v", stored)
	}
	h.read(b, "/users?licensed=no", "20 users")
	b.Go("/tenants/northwind/settings")
	b.Sees("Purchased seats")
	if b.Text(`String(document.body.innerText.includes('Danger'))`) != "false" {
		t.Error("there is something left to disconnect")
	}
	b.Quiet("422")

	b = h.tab(t, "operator", "")
	b.Sees("Connect Entra ID")
	h.read(b, "/erase", "Type the tenant’s name")
	b.Accessible("erase")
	b.Picture("erase")
	b.Type("Type the tenant’s name to go on", "northwind")
	b.Press("button", "Erase northwind")
	b.Sees("No tenant yet")
	if h.connected("northwind") != nil {
		t.Error("it is stored all the same")
	}
	b.Quiet()
	if !h.log.line(`msg="a tenant is erased"`, "role=graph-receiver", "by=development:operator") {
		t.Errorf("the log of the receiver does not tell who:\n%s", h.log)
	}
	if !h.log.line(`msg="a directory is disconnected"`, "role=graph-receiver", "tenant=northwind", "by=development:tenant-admin") {
		t.Errorf("the log of the receiver does not tell who:\n%s", h.log)
	}
	if h.log.line("ermissions ") {
		t.Errorf("NATS has refused something:\n%s", h.log)
	}
}
