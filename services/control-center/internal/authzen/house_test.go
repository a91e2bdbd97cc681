package authzen_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/authzen"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

// house is a policy decision point with two tenants to decide about.
type house struct {
	*centertest.House
	*centertest.Server
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := centertest.New(t)
	logger, err := telemetry.NewLogger(t.Output(), "info", "text")
	if err != nil {
		t.Fatal(err)
	}
	s := authzen.New(authzen.Config{PublicURL: "https://rollcall.example.com/"}, authzen.Deps{Ledger: h.Reader, Tenants: h.Registry, Logger: logger})
	metadata, err := s.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/access/", s.Handler())
	mux.Handle("/.well-known/", metadata)
	return &house{House: h, Server: centertest.Serve(t, mux)}
}

// body writes a question briefly: 'user ada', 'share.initiate', and more of the object where it is given.
func body(user, action, product, tenant string, more ...string) string {
	q := `"subject":{"type":"user","id":"` + user + `"},"resource":{"type":"product","id":"` + product + `","properties":{"tenant":"` + tenant + `"}}`
	if action != "" {
		q += `,"action":{"name":"` + action + `"}`
	}
	return "{" + strings.Join(append([]string{q}, more...), ",") + "}"
}

type told struct {
	Decision *bool
	Context  struct {
		Reason, Sentence, Tenant, Product, User string
		Licensed                                *bool
		Error                                   *struct {
			Status  int
			Message string
		}
	}
	Evaluations []told
	Page        *struct {
		NextToken string `json:"next_token"`
		Count     int
		Total     int
	}
	Results []struct {
		Type, ID, Name string
		Properties     map[string]string
	}
}

// post asks, and wants an answer.
func (h *house) post(t *testing.T, who *access.Principal, path, body string) told {
	t.Helper()
	a := h.Do(who, http.MethodPost, path, body)
	if a.Status != http.StatusOK || a.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%s: %d %s", body, a.Status, a.Body)
	}
	var all told
	if err := json.Unmarshal([]byte(a.Body), &all); err != nil {
		t.Fatalf("%s: %v", a.Body, err)
	}
	return all
}

// TestOneHouse has all that only asks ask one house.
func TestOneHouse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for name, test := range map[string]func(*testing.T, *house){
		"who may do what":                whoMayDoWhat,
		"whose tenant":                   whoseTenant,
		"foreign tenants are none":       foreignTenantsAreNone,
		"questions that are none":        questionsThatAreNone,
		"unknown fields are ignored":     unknownFieldsAreIgnored,
		"request ids come back":          requestIDsComeBack,
		"defaults":                       defaults,
		"semantics":                      semantics,
		"without evaluations":            withoutEvaluations,
		"searches":                       searches,
		"what is found is allowed":       whatIsFoundIsAllowed,
		"pages of users":                 pagesOfUsers,
		"pages":                          pages,
		"searches that are none":         searchesThatAreNone,
		"metadata":                       metadata,
		"every operation for every role": everyOperationForEveryRole,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, h.in(t))
		})
	}
}

// in is the house for a test within a test: what is wrong is wrong there.
func (h *house) in(t *testing.T) *house {
	own := *h
	own.Server = h.Server.For(t)
	return &own
}
