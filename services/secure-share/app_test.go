package secureshare_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
	secureshare "github.com/rollcall-hq/rollcall/services/secure-share"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

// shop is the example over a real NATS server, and a browser in front of it.
type shop struct {
	t        *testing.T
	bus      *bus.Bus
	url      string
	browser  *http.Client
	sequence uint64
}

func open(t *testing.T) *shop {
	t.Helper()
	server := bustest.StartServer(t)
	s := &shop{t: t, bus: server.Bus(bus.Config{})}
	client, err := license.New(server.Connect())
	if err != nil {
		t.Fatal(err)
	}
	app, follow, err := secureshare.Follow(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- follow(ctx) }()
	web := httptest.NewServer(app)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.url, s.browser = web.URL, &http.Client{Jar: jar}
	t.Cleanup(func() {
		s.browser.CloseIdleConnections()
		web.CloseClientConnections()
		web.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("following the licenses: %v", err)
		}
	})
	return s
}

// tell publishes what the worker would have of ada.
func (s *shop) tell(licensed bool, reason string) {
	s.t.Helper()
	s.sequence++
	kind := event.TypeLicenseGranted
	if !licensed {
		kind = event.TypeLicenseRevoked
	}
	ev, err := event.New(kind, event.Meta{
		ID: event.LicenseID("contoso", secureshare.Product, s.sequence), Source: event.LicenseSource("contoso", secureshare.Product),
		Subject: "ada", Time: time.Now(), Tenant: "contoso", Sequence: s.sequence,
	}, event.Entitlement{Tenant: "contoso", Product: secureshare.Product, User: "ada", Licensed: licensed, Reason: reason, Since: time.Now()})
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.bus.Publish(s.t.Context(), event.LicenseSubject("contoso", secureshare.Product, "ada"), ev); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) do(method, path string, form url.Values, header ...string) (status int, body string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		if request.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			request.Host = header[i+1]
		}
	}
	response, err := s.browser.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func (s *shop) signIn(user string) (status int, body string) {
	s.t.Helper()
	return s.do(http.MethodPost, "/sign-in", url.Values{"tenant": {"contoso"}, "user": {user}})
}

// may asks the server what the signed-in user may do, one letter each: share, request, receive, reply.
func (s *shop) may() (letters string) {
	s.t.Helper()
	for _, action := range []string{"share.initiate", "request.initiate", "share.receive", "request.respond"} {
		switch status, body := s.do(http.MethodPost, "/actions/"+action, url.Values{}); status {
		case http.StatusOK:
			letters += "y"
		case http.StatusForbidden:
			letters += "n"
		default:
			s.t.Fatalf("%s: %d %s", action, status, body)
		}
	}
	return letters
}

// page is what an open page shows: each of its states, as it comes.
func (s *shop) page() (next func() string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+"/live", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := s.browser.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = response.Body.Close() })
	lines := bufio.NewScanner(response.Body)
	return func() string {
		s.t.Helper()
		var text strings.Builder
		for lines.Scan() {
			if lines.Text() == "" && text.Len() > 0 {
				return text.String()
			}
			text.WriteString(strings.TrimPrefix(lines.Text(), "data: ") + "\n")
		}
		s.t.Fatalf("the page's events ended: %v", lines.Err())
		return ""
	}
}

// buttons are the states of the four buttons of a page, as may has them.
func buttons(html string) (letters string) {
	for _, label := range []string{"Share", "Request", "Receive", "Reply"} {
		if strings.Contains(html, ">"+label+"</button>") {
			letters += "y"
		} else {
			letters += "n"
		}
	}
	return letters
}

// TestAUserThroughItsLicense is the table of who may do what, on an open page and at the server.
func TestAUserThroughItsLicense(t *testing.T) {
	t.Parallel()
	s := open(t)
	if status, html := s.signIn("ada"); status != http.StatusOK || buttons(html) != "nnyy" {
		t.Fatalf("signed in: %d\n%s", status, html)
	}
	next := s.page()
	for i, c := range []struct {
		licensed bool
		reason   string
		want     string
	}{
		{false, "never licensed", "nnyy"},
		{true, "domain-default", "yyyy"},
		{false, "not-a-member", "nnyy"},
		{true, "group-member", "yyyy"},
		{false, "suspended", "nnnn"},
		{true, "group-member", "yyyy"},
		{false, "deleted", "nnnn"},
		{false, "guest", "nnyy"},
		{false, "over-seat-limit", "nnyy"},
	} {
		if i > 0 {
			s.tell(c.licensed, c.reason)
		}
		html := next()
		if got := buttons(html); got != c.want || !strings.Contains(html, c.reason) {
			t.Errorf("%s: the page shows %s, want %s\n%s", c.reason, got, c.want, html)
		}
		if got := s.may(); got != c.want {
			t.Errorf("%s: the server allows %s, want %s", c.reason, got, c.want)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	for name, c := range map[string]struct {
		method, path string
		form         url.Values
		header       []string
		want         int
	}{
		"the page without a sign-in":    {http.MethodGet, "/", nil, nil, http.StatusOK},
		"an action without a sign-in":   {http.MethodPost, "/actions/share.receive", url.Values{}, nil, http.StatusUnauthorized},
		"a live page without a sign-in": {http.MethodGet, "/live", nil, nil, http.StatusUnauthorized},
		"a tenant that is none":         {http.MethodPost, "/sign-in", url.Values{"tenant": {"*"}, "user": {"ada"}}, nil, http.StatusBadRequest},
		"a user that is none":           {http.MethodPost, "/sign-in", url.Values{"tenant": {"contoso"}, "user": {"<script>"}}, nil, http.StatusBadRequest},
		"another site's form":           {http.MethodPost, "/sign-in", url.Values{"tenant": {"contoso"}, "user": {"ada"}}, []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		"another name of this machine":  {http.MethodGet, "/", nil, []string{"Host", "rebound.example.com"}, http.StatusForbidden},
	} {
		if status, body := s.do(c.method, c.path, c.form, c.header...); status != c.want {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if _, html := s.do(http.MethodGet, "/?tenant=contoso&user=%22%3E%3Cscript%3E", nil); !strings.Contains(html, `value="contoso"`) || strings.Contains(html, `"><script>`) {
		t.Errorf("the form begins with\n%s", html)
	}
	s.signIn("ada")
	if status, body := s.do(http.MethodPost, "/actions/everything", url.Values{}); status != http.StatusForbidden {
		t.Errorf("an action that there is not: %d %s", status, body)
	}
	if status, html := s.do(http.MethodPost, "/sign-out", url.Values{}); status != http.StatusOK || !strings.Contains(html, "Sign in") {
		t.Errorf("signed out: %d\n%s", status, html)
	}
	if status, _ := s.do(http.MethodPost, "/actions/share.receive", url.Values{}); status != http.StatusUnauthorized {
		t.Errorf("signed out, an action: %d", status)
	}
}

func TestManySessionsEndTheOldest(t *testing.T) {
	t.Parallel()
	app, err := secureshare.New(nobody{})
	if err != nil {
		t.Fatal(err)
	}
	var first *http.Cookie
	for i := range secureshare.MaxSessions + 1 {
		w := httptest.NewRecorder()
		form := url.Values{"tenant": {"contoso"}, "user": {fmt.Sprint("u-", i)}}
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/sign-in", strings.NewReader(form.Encode()))
		r.RemoteAddr = "127.0.0.1:1000"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		app.ServeHTTP(w, r)
		if i == 0 {
			first = w.Result().Cookies()[0]
		}
	}
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/actions/share.receive", nil)
	r.RemoteAddr = "127.0.0.1:1000"
	r.AddCookie(first)
	w := httptest.NewRecorder()
	if app.ServeHTTP(w, r); w.Code != http.StatusUnauthorized {
		t.Errorf("the first session is answered with %d", w.Code)
	}
}

type nobody struct{}

func (nobody) Watch(license.Key) (license.State, bool, <-chan struct{}) {
	return license.State{}, false, make(chan struct{})
}
