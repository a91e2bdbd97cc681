package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
)

// roles are whoever may send a request about contoso.
var roles = []struct {
	name string
	who  *access.Principal
}{
	{"operator", centertest.Operator},
	{"tenant admin", centertest.Admin},
	{"tenant admin of another tenant", centertest.OtherAdmin},
	{"auditor", centertest.Auditor},
	{"token that checks only", centertest.Checker},
	{"token that reads only", centertest.Reading},
	{"nobody", centertest.Nobody},
}

// What the roles get, in their order.
var (
	anybody  = []int{200, 200, 200, 200, 200, 200, 401}
	reads    = []int{200, 200, 404, 200, 404, 200, 401}
	commands = []int{200, 200, 404, 403, 404, 403, 401}
	operates = []int{200, 403, 404, 403, 404, 403, 401}
	connects = []int{201, 403, 403, 403, 403, 403, 401} // no path names the tenant
	starts   = []int{202, 202, 404, 403, 404, 403, 401}
)

// row says of one operation how it is asked about contoso, and who gets what.
type row struct {
	path string // with contoso's ids
	body string
	want []int
	// apart: it changes what the tenant is, so that it is asked for in a house of its own. before sets it up for each role.
	apart  bool
	before func(*house)
}

const (
	connectBody  = `{"id":"northwind","provider":"entra","directory_id":"9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11","connected_by":"admin@northwind.com"}`
	productsBody = `{"set":[{"id":"vault","name":"Vault","group":"acme-vault","licensed_actions":["vault.open"]}]}`
	seatsBody    = `{"purchased":250,"enforce":true}`
	settingsBody = `{"paused":false,"frozen":true,"hold":{"flips":"hold","share":20,"least":5,"expiry_seconds":604800}}`
)

var rows = map[string]row{
	"getMe":             {path: "/api/v1/me", want: anybody},
	"listTenants":       {path: "/api/v1/tenants", want: anybody},
	"connectTenant":     {path: "/api/v1/tenants", body: connectBody, want: connects, apart: true},
	"getTenant":         {path: "/api/v1/tenants/contoso", want: reads},
	"getConnection":     {path: "/api/v1/tenants/contoso/connection", want: reads},
	"changeProducts":    {path: "/api/v1/tenants/contoso/products", body: productsBody, want: commands, apart: true},
	"eraseTenant":       {path: "/api/v1/tenants/contoso/erase", body: `{"confirm":"contoso"}`, want: operates, apart: true, before: (*house).disconnected},
	"disconnectTenant":  {path: "/api/v1/tenants/contoso/disconnect", body: `{"licenses":"keep"}`, want: commands, apart: true},
	"listUsers":         {path: "/api/v1/tenants/contoso/users?product=drive", want: reads},
	"listEntitlements":  {path: "/api/v1/tenants/contoso/products/drive/entitlements", want: reads},
	"listEvents":        {path: "/api/v1/tenants/contoso/events", want: reads},
	"listGroups":        {path: "/api/v1/tenants/contoso/groups", want: reads},
	"getGroup":          {path: "/api/v1/tenants/contoso/groups/sales", want: reads},
	"listGroupMembers":  {path: "/api/v1/tenants/contoso/groups/sales/members", want: reads},
	"getUser":           {path: "/api/v1/tenants/contoso/users/ada", want: reads},
	"listUserHistory":   {path: "/api/v1/tenants/contoso/users/ada/history", want: reads},
	"listHeldChanges":   {path: "/api/v1/tenants/contoso/held", want: reads},
	"getHeldChange":     {path: "/api/v1/tenants/contoso/products/secure-share/held/revocations-2", want: reads},
	"listHeldLines":     {path: "/api/v1/tenants/contoso/products/secure-share/held/revocations-2/lines", want: reads},
	"approveHeldChange": {path: "/api/v1/tenants/contoso/products/secure-share/held/revocations-2/approve", body: `{"revision":4}`, want: commands},
	"rejectHeldChange":  {path: "/api/v1/tenants/contoso/products/secure-share/held/revocations-2/reject", want: commands},
	"listRefreshes":     {path: "/api/v1/tenants/contoso/refreshes", want: reads},
	"startRefresh":      {path: "/api/v1/tenants/contoso/refreshes", body: `{"preview":true}`, want: starts},
	"getRefresh":        {path: "/api/v1/tenants/contoso/refreshes/day", want: reads},
	"applyRefresh":      {path: "/api/v1/tenants/contoso/refreshes/day/apply", want: commands},
	"putActivation":     {path: "/api/v1/tenants/contoso/products/secure-share/activations/ada", body: `{"at":"2026-03-02T10:00:00+01:00"}`, want: commands},
	"getSeats":          {path: "/api/v1/tenants/contoso/products/secure-share/seats", want: reads},
	"putSeats":          {path: "/api/v1/tenants/contoso/products/secure-share/seats", body: seatsBody, want: commands},
	"listSeatsLine":     {path: "/api/v1/tenants/contoso/products/drive/seats/line", want: reads},
	"getSeatsDays":      {path: "/api/v1/tenants/contoso/products/secure-share/seats/days", want: reads},
	"getUsage":          {path: "/api/v1/tenants/contoso/products/secure-share/usage", want: reads},
	"getSettings":       {path: "/api/v1/tenants/contoso/settings", want: reads},
	"putSettings":       {path: "/api/v1/tenants/contoso/settings", body: settingsBody, want: commands},
	"patchSettings":     {path: "/api/v1/tenants/contoso/settings", body: `{"frozen":true}`, want: commands},
	"getCommand":        {path: "/api/v1/tenants/contoso/commands/seats.before", want: reads},
}

// TestEveryOperationForEveryRole asks for every operation of openapi.yaml as everybody. An operation that has no row here fails.
func TestEveryOperationForEveryRole(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	h.Work(done)
	h.refreshed(t, "contoso", "day", true)
	if a := h.Do(centertest.Operator, http.MethodPut, rows["putSeats"].path, seatsBody, "Idempotency-Key", "before"); a.Status != 200 {
		t.Fatalf("%+v", a)
	}
	unused := map[string]bool{}
	for id := range rows {
		unused[id] = true
	}
	for path, item := range centertest.Document(t).Paths.Map() {
		for method, o := range item.Operations() {
			if slices.Contains(o.Tags, "access") {
				continue // package authzen has the rows of AuthZEN
			}
			r, known := rows[o.OperationID]
			if !known {
				t.Errorf("%s (%s %s) has no row: say who gets what", o.OperationID, method, path)
				continue
			}
			delete(unused, o.OperationID)
			if !r.apart {
				h.try(t, o.OperationID, method, r)
				continue
			}
			own := newHouse(t, patience)
			own.Work(done)
			own.Receive()
			own.try(t, o.OperationID, method, r)
		}
	}
	for id := range unused {
		t.Errorf("%s has a row, and is not in openapi.yaml", id)
	}
}

// try asks for one operation as everybody. Of a tenant that one may not see, the answer is that of one that is not there.
func (h *house) try(t *testing.T, id, method string, r row) {
	t.Helper()
	for i, role := range roles {
		if r.before != nil {
			r.before(h)
		}
		got := h.Do(role.who, method, r.path, r.body)
		if got.Status != r.want[i] {
			t.Errorf("%s as %s: %d, want %d: %s", id, role.name, got.Status, r.want[i], got.Body)
		}
		if got.Status != http.StatusNotFound {
			continue
		}
		nowhere := h.Do(role.who, method, strings.Replace(r.path, "/contoso", "/nowhere", 1), r.body)
		got.Header.Del("Date")
		nowhere.Header.Del("Date")
		if nowhere.Status != got.Status || nowhere.Body != got.Body || len(nowhere.Header) != len(got.Header) {
			t.Errorf("%s as %s: %+v of a tenant that is not to be seen, %+v of none", id, role.name, got, nowhere)
		}
		if got.Code() != "no-such-tenant" {
			t.Errorf("%s as %s: %s", id, role.name, got.Body)
		}
	}
}
