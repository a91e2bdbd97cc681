package authzen_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/authzen"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
)

// FuzzQuestions: whatever is sent is answered with a decision, results, or a problem that says what is wrong, and never with a
// failure of ours; and who may not ask about a tenant is never told that somebody may.
func FuzzQuestions(f *testing.F) {
	for _, r := range rows {
		f.Add(r.path, []byte(r.body))
	}
	f.Add(many, []byte(`{"evaluations":[{},7,null,{"subject":{"type":"user","id":"ada"}}],"options":{"evaluations_semantic":"deny_on_first_deny"}}`))
	f.Add(actions, []byte(`{"subject":{"type":"user","id":"ada"},"resource":{"type":"product","id":"drive"},"page":{"token":"AAAAAAAAAAAAAAAAWyIyIiwidXNlIl0","limit":2}}`))
	f.Add(one, []byte("{\"subject\":{\"type\":\"user\",\"id\":\"\\u0000\"},\"action\":{\"name\":\"use\"},\"resource\":{\"type\":\"product\",\"id\":\"x\"}}"))
	h := centertest.New(f)
	logger, err := telemetry.NewLogger(f.Output(), "error", "text")
	if err != nil {
		f.Fatal(err)
	}
	handler := authzen.New(authzen.Config{}, authzen.Deps{Ledger: h.Reader, Tenants: h.Registry, Logger: logger}).Handler()
	f.Fuzz(func(t *testing.T, path string, body []byte) {
		if _, known := map[string]bool{one: true, many: true, subjects: true, resources: true, actions: true}[path]; !known {
			t.Skip("another path")
		}
		for _, who := range []*access.Principal{centertest.Operator, {ID: "x", Role: access.TenantAdmin, Tenants: []string{"nowhere"}}} {
			r := httptest.NewRequestWithContext(access.With(t.Context(), *who), http.MethodPost, path, bytes.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s %q: %d %s", path, body, w.Code, w.Body)
			}
			if who != centertest.Operator && bytes.Contains(w.Body.Bytes(), []byte(`"decision":true`)) {
				t.Errorf("%s %q as somebody else: %s", path, body, w.Body)
			}
		}
	})
}
