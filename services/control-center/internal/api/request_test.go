package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
)

func statusAndCode(a centertest.Answer) string { return fmt.Sprint(a.Status, " ", a.Code()) }

// requestsThatSayTooMuch, or what is not known, are refused, with where the fault is and without a word of what was sent.
func requestsThatSayTooMuch(t *testing.T, h *house) {
	const tenants, seats, approve = "/api/v1/tenants", "/api/v1/tenants/contoso/products/drive/seats", "/api/v1/tenants/contoso/products/secure-share/held/revocations-2/approve"
	for _, c := range []struct {
		method, path, body, want, where string
		headers                         []string
	}{
		{"GET", tenants + "?page=2", "", "400 invalid-request", "query:page", nil},
		{"GET", tenants + "?ada@contoso.com=2", "", "400 invalid-request", "query:(address)", nil},
		{"GET", tenants + "?limit=0", "", "400 invalid-request", "query:limit", nil},
		{"GET", tenants + "?limit=501", "", "400 invalid-request", "query:limit", nil},
		{"GET", tenants + "?limit=many", "", "400 invalid-request", "query:limit", nil},
		{"GET", tenants + "?limit=1&limit=2", "", "400 invalid-request", "query:limit", nil},
		{"GET", tenants + "?limit=%zz", "", "400 invalid-request", "query:", nil},
		{"GET", tenants + "?cursor=", "", "400 invalid-request", "query:cursor", nil},
		{"GET", tenants + "?cursor=ada@contoso.com", "", "400 invalid-cursor", "", nil},
		{"GET", tenants + "?cursor=" + strings.Repeat("A", 2049), "", "400 invalid-request", "query:cursor", nil},
		{"GET", tenants + "/contoso/users", "", "400 invalid-request", "query:product", nil},
		{"GET", tenants + "/contoso/users?product=drive&search=is:ada@contoso.com", "", "400 invalid-search", "", nil},
		{"GET", tenants + "/contoso/users?product=drive&search=(a", "", "400 invalid-search", "", nil},
		{"GET", tenants + "/contoso/users?product=drive&sort=age", "", "400 invalid-request", "query:sort", nil},
		{"GET", tenants + "/contoso/users?product=drive&as_of=2026-03-02", "", "400 invalid-request", "query:as_of", nil},
		{"GET", tenants + "/contoso/users?product=drive&count=perhaps", "", "400 invalid-request", "query:count", nil},
		{"GET", tenants + "/contoso/users?product=email", "", "404 no-such-product", "", nil},
		{"GET", tenants, "{}", "400 invalid-request", "body:", nil},
		{"GET", "/api/v1/tenants/contoso/held?state=closed", "", "400 invalid-request", "query:state", nil},
		{"GET", seats + "/days?from=yesterday", "", "400 invalid-request", "query:from", nil},
		{"GET", seats + "/days?from=2026-03-02&to=2026-03-01", "", "400 invalid-request", "query:from", nil},
		{"GET", seats + "/days?from=2020-03-02", "", "400 invalid-request", "query:from", nil},
		{"PUT", seats, `{"purchased":5,"enforce":true,"ada@contoso.com":1}`, "400 invalid-request", "body:", nil},
		{"PUT", seats, `{"purchased":"ada@contoso.com","enforce":true}`, "400 invalid-request", "body:/purchased", nil},
		{"PUT", seats, `{"purchased":-1,"enforce":true}`, "400 invalid-request", "body:/purchased", nil},
		{"PUT", seats, `{"purchased":1.5,"enforce":true}`, "400 invalid-request", "body:/purchased", nil},
		{"PUT", seats, `{"enforce":true}`, "400 invalid-request", "body:", nil},
		{"PUT", seats, `{"purchased":5,"enforce":null}`, "400 invalid-request", "body:/enforce", nil},
		{"PUT", seats, `{"purchased":5,"enforce":true} {}`, "400 invalid-request", "body:", nil},
		{"PUT", seats, `[]`, "400 invalid-request", "body:", nil},
		{"PUT", seats, `{`, "400 invalid-request", "body:", nil},
		{"PUT", seats, ``, "415 unsupported-media-type", "", nil},
		{"PUT", seats, `purchased=5`, "415 unsupported-media-type", "", []string{"Content-Type", "application/x-www-form-urlencoded"}},
		{"PUT", seats, `{"purchased":5,"enforce":true,"x":"` + strings.Repeat("x", 70<<10) + `"}`, "413 too-large", "", nil},
		{"PUT", seats, `{"purchased":5,"enforce":true}`, "400 invalid-request", "header:Idempotency-Key", []string{"Idempotency-Key", "ada@contoso.com"}},
		{"PUT", seats, `{"purchased":5,"enforce":true}`, "400 invalid-request", "header:Idempotency-Key", []string{"Idempotency-Key", strings.Repeat("k", 129)}},
		{"POST", approve, `{"revision":0}`, "400 invalid-request", "body:/revision", nil},
		{"POST", strings.Replace(approve, "approve", "reject", 1), `{}`, "400 invalid-request", "body:", nil},
		{"POST", "/api/v1/tenants/contoso/refreshes", `{"preview":"yes"}`, "400 invalid-request", "body:/preview", nil},
		{"PUT", rows["putActivation"].path, `{"at":"0001-01-01T00:00:00Z"}`, "400 invalid-request", "body:/at", nil},
		{"PUT", "/api/v1/tenants/contoso/settings", strings.Replace(settingsBody, `"share":20`, `"share":101`, 1), "400 invalid-request", "body:/hold/share", nil},
		{"PATCH", "/api/v1/tenants/contoso/settings", `{}`, "400 invalid-request", "body:", nil},
		{"PATCH", "/api/v1/tenants/contoso/settings", `{"hold":{}}`, "400 invalid-request", "body:/hold", nil},
		{"PATCH", "/api/v1/tenants/contoso/settings", `{"hold":{"flips":""}}`, "400 invalid-request", "body:/hold/flips", nil},
		{"PUT", "/api/v1/tenants/contoso/settings", strings.Replace(settingsBody, `"hold"`, `"fold"`, 1), "400 invalid-request", "body:", nil},
		{"DELETE", tenants, "", "405 method-not-allowed", "", nil},
		{"PATCH", seats, "", "405 method-not-allowed", "", nil},
		{"GET", "/api/v1/nothing", "", "404 not-found", "", nil},
		{"GET", "/api/v2/tenants", "", "404 not-found", "", nil},
	} {
		a := h.Do(centertest.Operator, c.method, c.path, c.body, c.headers...)
		var p struct {
			Faults []struct{ Where, Message string }
		}
		a.JSON(t, &p)
		where := ""
		if len(p.Faults) > 0 {
			where = p.Faults[0].Where
			if p.Faults[0].Message == "" {
				t.Errorf("%s %s %.80s: no word of what is wrong", c.method, c.path, c.body)
			}
		}
		if got := statusAndCode(a); got != c.want || where != c.where {
			t.Errorf("%s %.60s %.60s: %s at %q, want %s at %q", c.method, c.path, c.body, got, where, c.want, c.where)
		}
		if strings.Contains(a.Body, "@contoso.com") {
			t.Errorf("%s %s %s tells an address: %s", c.method, c.path, c.body, a.Body)
		}
	}
	if a := h.Do(centertest.Operator, http.MethodDelete, seats, ""); a.Header.Get("Allow") != "GET, HEAD, PUT" {
		t.Errorf("Allow: %q", a.Header.Get("Allow"))
	}
}

// readsHaveATag, by which a client that has the answer is spared it.
func readsHaveATag(t *testing.T, h *house) {
	for id, r := range rows {
		if r.want[0] != http.StatusOK || r.body != "" || id == "applyRefresh" || id == "rejectHeldChange" || id == "getRefresh" || id == "getCommand" {
			continue
		}
		a := h.Do(centertest.Operator, http.MethodGet, r.path, "")
		tag := a.Header.Get("ETag")
		if !strings.HasPrefix(tag, `"`) || a.Header.Get("Cache-Control") != "private, no-cache" || a.Header.Get("Vary") != "Authorization, Cookie" {
			t.Errorf("%s: %v", id, a.Header)
		}
		for _, header := range []string{tag, `"other", W/` + tag, "*"} {
			if a := h.Do(centertest.Operator, http.MethodGet, r.path, "", "If-None-Match", header); a.Status != http.StatusNotModified || a.Body != "" || a.Header.Get("ETag") != tag {
				t.Errorf("%s with %s: %+v", id, header, a)
			}
		}
		if a := h.Do(centertest.Operator, http.MethodGet, r.path, "", "If-None-Match", `"other"`); a.Status != http.StatusOK {
			t.Errorf("%s with another tag: %d", id, a.Status)
		}
		if a := h.Do(centertest.Operator, http.MethodHead, r.path, ""); a.Status != http.StatusOK || a.Header.Get("ETag") != tag || a.Body != "" {
			t.Errorf("HEAD of %s: %+v", id, a)
		}
	}
	before := h.Do(centertest.Operator, http.MethodGet, "/api/v1/tenants", "").Header.Get("ETag")
	other := h.Do(centertest.OtherAdmin, http.MethodGet, "/api/v1/tenants", "", "If-None-Match", before)
	if other.Status != http.StatusOK {
		t.Errorf("somebody else's tag: %d", other.Status)
	}
}
