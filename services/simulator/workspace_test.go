package simulator_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/signed"
)

const (
	serviceAccount = "rollcall@vendor-project.iam.gserviceaccount.com"
	initechAdmin   = "admin@initech.com"
)

// customer is a running simulator with the Workspace tenant initech.
type customer struct {
	*sim
	key *rsa.PrivateKey
	now func() time.Time
}

// fileKey is the key of the service account's key file. Making one takes long, and so all tests have the same.
var fileKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, _ := rsa.GenerateKey(rand.Reader, 2048) // it fails for short keys only
	return key
})

// initech starts a simulator and makes the tenant, with its admin as the only user.
func initech(t *testing.T, cfg simulator.Config, c clock.Clock) *customer {
	t.Helper()
	key := fileKey()
	s := &customer{sim: start(t, cfg, c), key: key, now: time.Now}
	if c != nil {
		s.now = c.Now
	}
	s.tenant = must(s.control.PutTenant(t.Context(), control.Tenant{
		ID: "initech", Provider: directory.GoogleWorkspace, Name: "Initech", Domains: []string{"initech.com", "initech.co.uk"},
		App: control.App{ServiceAccount: serviceAccount, PublicKey: publicPEM(t, key), CallerToken: "a caller's token"},
	}))(t)
	return s
}

func publicPEM(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// assertion is a service account's, signed with its key file's key. Google's libraries date it by the machine's clock.
func (c *customer) assertion(claims object) string {
	c.t.Helper()
	now := time.Now()
	all := object{
		"iss": serviceAccount, "sub": initechAdmin, "aud": "https://oauth2.googleapis.com/token",
		"scope": strings.Join(control.DefaultScopes(), " "), "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	for name, value := range claims {
		all[name] = value
	}
	raw, err := json.Marshal(all)
	if err != nil {
		c.t.Fatal(err)
	}
	return must(signed.Sign(string(raw), "key of the file", c.key))(c.t)
}

// grant asks the token endpoint.
func (c *customer) grant(assertion string) (int, object) {
	c.t.Helper()
	return c.post("/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}})
}

// signInAs gets a token that acts as an admin.
func (c *customer) signInAs(subject string, scopes ...string) {
	c.t.Helper()
	if scopes == nil {
		scopes = control.DefaultScopes()
	}
	status, out := c.grant(c.assertion(object{"sub": subject, "scope": strings.Join(scopes, " ")}))
	if status != http.StatusOK {
		c.t.Fatal(status, out)
	}
	c.token, _ = out["access_token"].(string)
}

// admin sends a request to the admin APIs as the admin of initech; path begins behind /admin/.
func (c *customer) admin(method, path string, body any) (int, object) {
	c.t.Helper()
	if c.token == "" {
		c.signInAs(initechAdmin)
	}
	status, out, _ := c.call(method, c.server.URL()+"/admin/"+path, body)
	return status, out
}

// read is admin for a GET below directory/v1/ that must be answered 200.
func (c *customer) read(path string) object {
	c.t.Helper()
	status, out := c.admin(http.MethodGet, "directory/v1/"+path, nil)
	if status != http.StatusOK {
		c.t.Fatalf("GET %s: %d %v", path, status, out)
	}
	return out
}

// list reads all pages of a list.
func (c *customer) list(path, of string) (all []object, pages int) {
	c.t.Helper()
	next := ""
	for {
		at := path
		if next != "" {
			at += "&pageToken=" + url.QueryEscape(next)
		}
		out := c.read(at)
		pages++
		items, _ := out[of].([]any)
		for _, v := range items {
			all = append(all, v.(object))
		}
		if next, _ = out["nextPageToken"].(string); next == "" {
			return all, pages
		}
	}
}

func (c *customer) person(name string) string {
	c.t.Helper()
	return must(c.control.AddUser(c.t.Context(), "initech", control.NewUser{Address: name + "@initech.com", Name: name}))(c.t).ID
}

func (c *customer) team(name string) string {
	c.t.Helper()
	return must(c.control.AddGroup(c.t.Context(), "initech", control.NewGroup{Address: name + "@initech.com"}))(c.t).ID
}

// refused is the reason and the message of an error.
func refused(out object) string {
	e, _ := out["error"].(object)
	list, _ := e["errors"].([]any)
	if len(list) == 0 {
		return "no error"
	}
	first, _ := list[0].(object)
	return first["reason"].(string) + ": " + first["message"].(string)
}

func values(objects []object, name string) string {
	var out []string
	for _, o := range objects {
		v, _ := o[name].(string)
		out = append(out, v)
	}
	return strings.Join(out, " ")
}

// post sends a form and returns the answer's status and body.
func (c *customer) post(path string, form url.Values) (int, object) {
	c.t.Helper()
	res, err := c.http.PostForm(c.server.URL()+path, form)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, _ := io.ReadAll(res.Body)
	var out object
	if err := json.Unmarshal(raw, &out); err != nil {
		c.t.Fatalf("%s: %d %q", path, res.StatusCode, raw)
	}
	return res.StatusCode, out
}

// googleHook is an address that keeps the headers of the pushes that come in.
type googleHook struct {
	*httptest.Server
	got chan http.Header
}

func newGoogleHook(t *testing.T) *googleHook {
	t.Helper()
	h := &googleHook{got: make(chan http.Header, 100)}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.got <- r.Header
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *googleHook) next(t *testing.T) http.Header {
	t.Helper()
	select {
	case got := <-h.got:
		return got
	case <-time.After(10 * time.Second):
		t.Fatal("no push came")
		return nil
	}
}
