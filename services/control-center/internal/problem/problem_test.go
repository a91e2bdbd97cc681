package problem_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// written is what a client gets of an error.
func written(t *testing.T, err error) (*http.Response, problem.Problem, string) {
	t.Helper()
	w := httptest.NewRecorder()
	problem.Of(err).Write(w)
	body := w.Body.String()
	var p problem.Problem
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return w.Result(), p, body
}

func TestErrorsHaveTheirCodes(t *testing.T) {
	t.Parallel()
	refused := func(code string) error {
		return &command.Refused{Answer: event.Answered{Code: code, Message: "so it is"}}
	}
	for err, want := range map[error]problem.Code{
		fmt.Errorf("tenant x: %w", tenant.ErrNotFound):          problem.NoSuchTenant,
		fmt.Errorf("tenant x: %w", ledger.ErrNoTenant):          problem.NoSuchTenant,
		fmt.Errorf("tenant x: %w", ledger.ErrNoProduct):         problem.NoSuchProduct,
		fmt.Errorf("tenant x: %w", ledger.ErrNoUser):            problem.NoSuchUser,
		fmt.Errorf("tenant x: %w", ledger.ErrManyUser):          problem.SeveralUsers,
		fmt.Errorf("tenant x: %w", ledger.ErrNoHeld):            problem.NoSuchHeld,
		fmt.Errorf("tenant x: %w", answer.ErrNotRead):           problem.NotReadYet,
		fmt.Errorf("give: %w", command.ErrKeyUsed):              problem.KeyUsed,
		fmt.Errorf("give: %w", bus.ErrUnavailable):              problem.Unavailable,
		fmt.Errorf("give: %w", refused("revision")):             problem.HeldChanged,
		fmt.Errorf("give: %w", refused("not-open")):             problem.HeldNotOpen,
		fmt.Errorf("give: %w", refused("listing")):              problem.HeldListing,
		fmt.Errorf("give: %w", refused("no-such-held")):         problem.NoSuchHeld,
		fmt.Errorf("give: %w", refused("frozen")):               problem.TenantFrozen,
		fmt.Errorf("give: %w", refused("bad-request")):          problem.Refused,
		fmt.Errorf("give: %w", refused("of a later day")):       problem.Refused,
		fmt.Errorf("read: %w", &http.MaxBytesError{}):           problem.TooLarge,
		fmt.Errorf("x: %w", problem.New(problem.MediaType, "")): problem.MediaType,
		errors.New("sql: no such table"):                        problem.Internal,
	} {
		res, p, _ := written(t, err)
		if p.Code != want || res.StatusCode != want.Status() || p.Status != res.StatusCode || p.Type != "urn:rollcall:problem:"+string(want) {
			t.Errorf("%v: %d, %+v, want %s", err, res.StatusCode, p, want)
		}
	}
}

// TestErrorsTellNobody: neither what an unknown error says, nor an address that a known one names.
func TestErrorsTellNobody(t *testing.T) {
	t.Parallel()
	_, _, body := written(t, errors.New("open /var/lib/rollcall/ledger.db: ada@contoso.com"))
	if strings.Contains(body, "ledger.db") || strings.Contains(body, "ada") {
		t.Error(body)
	}
	p := problem.New(problem.InvalidRequest, `"ada@contoso.com" is odd, and so is <bob@contoso.com>`)
	p.Faults = []problem.Fault{{Where: "body:/ada@contoso.com", Message: "it has cid@contoso.com"}}
	_, got, body := written(t, p)
	if strings.Contains(body, "contoso.com") || got.Detail != `"(address)" is odd, and so is <(address)>` || len(got.Faults) != 1 {
		t.Error(body)
	}
	if p.Faults[0].Message != "it has cid@contoso.com" {
		t.Error("writing a problem changes it")
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	res, _, _ := written(t, bus.ErrUnavailable)
	if res.Header.Get("Retry-After") != "2" || res.Header.Get("Content-Type") != problem.ContentType || res.Header.Get("Cache-Control") != "no-store" {
		t.Error(res.Header)
	}
	res, _, _ = written(t, problem.New(problem.Unauthenticated, ""))
	if res.Header.Get("WWW-Authenticate") == "" || res.Header.Get("Retry-After") != "" {
		t.Error(res.Header)
	}
}

func TestRefusalsNameWhatHasChanged(t *testing.T) {
	t.Parallel()
	_, p, _ := written(t, &command.Refused{Answer: event.Answered{
		Code: event.CodeRevision, Revision: 9, Message: "it has changed", Changes: []event.HeldUser{{User: "u1", Listed: true, Reason: "not-a-member"}},
	}})
	if p.Revision != 9 || len(p.Changes) != 1 || p.Changes[0].User != "u1" || p.Detail != "it has changed" {
		t.Errorf("%+v", p)
	}
}

func TestEveryCodeIsComplete(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	for _, c := range problem.Codes() {
		if !form.MatchString(string(c)) || c.Status() < 400 || c.Title() == "" || strings.HasSuffix(c.Title(), ".") {
			t.Errorf("%q: %d %q", c, c.Status(), c.Title())
		}
	}
}
