// Package session keeps who is signed in, in the KV bucket "sessions" under hashes: neither a key nor a value of the bucket is
// of use as a cookie. What somebody may do is not kept: that is looked up at each request.
package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// Config says how long sessions live.
type Config struct {
	Secure   bool          // browsers reach us by https
	Idle     time.Duration // without a request; 0: an hour
	Absolute time.Duration // from signing in; 0: 12 hours
}

// Identity is what somebody has proved at signing in.
type Identity struct {
	Issuer   string `json:"issuer"` // its id in the access file
	Subject  string `json:"subject"`
	Email    string `json:"email,omitempty"` // only where the issuer has verified it
	Name     string `json:"name,omitempty"`
	Domain   string `json:"domain,omitempty"` // Google's hd
	TenantID string `json:"tid,omitempty"`    // Entra's tid

	// Of a development login alone, which proves nothing and chooses.
	Role    access.Role `json:"role,omitempty"`
	Tenants []string    `json:"tenants,omitempty"`
}

// seenEvery is how often it is noted that a session is in use: a request more often writes nothing.
const seenEvery = time.Minute

// The values of a session.
const (
	keyIdentity = "identity"
	keyBegun    = "begun"
	keySeen     = "seen"
)

// Manager begins, reads and ends sessions. It is safe for concurrent use.
type Manager struct {
	cfg   Config
	scs   *scs.SessionManager
	kv    jetstream.KeyValue
	js    jetstream.JetStream
	clock clock.Clock
}

// Open opens the bucket.
func Open(ctx context.Context, cfg Config, b *bus.Bus, c clock.Clock) (*Manager, error) {
	kv, err := b.KeyValue(ctx, bus.BucketSessions)
	if err != nil {
		return nil, err
	}
	if cfg.Idle == 0 {
		cfg.Idle = time.Hour
	}
	if cfg.Absolute == 0 {
		cfg.Absolute = 12 * time.Hour
	}
	// Not scs.New, which has a goroutine for the store that ours replaces.
	sessions := &scs.SessionManager{
		Store: &store{kv: kv, clock: c}, Codec: codec{}, HashTokenInStore: true, Lifetime: cfg.Absolute,
		Cookie: scs.SessionCookie{
			Name: cookieName(cfg.Secure, "rollcall"), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: cfg.Secure,
		},
	}
	return &Manager{cfg: cfg, scs: sessions, kv: kv, js: b.JetStream(), clock: c}, nil
}

// cookieName has the prefix for which browsers see to it that nobody but this very host has set the cookie. They do so by https
// alone.
func cookieName(secure bool, name string) string {
	if secure {
		return "__Host-" + name
	}
	return name
}

// Begin begins a session in a browser: always a new one, with a token that nobody has seen. The one that the browser had ends.
func (m *Manager) Begin(w http.ResponseWriter, r *http.Request, who Identity) error {
	if err := m.drop(r); err != nil {
		return err
	}
	text, err := json.Marshal(who)
	if err != nil {
		return fmt.Errorf("begin a session: %w", err)
	}
	ctx, err := m.scs.Load(r.Context(), "")
	if err != nil {
		return fmt.Errorf("begin a session: %w", err)
	}
	m.scs.Put(ctx, keyIdentity, string(text))
	m.scs.Put(ctx, keyBegun, m.clock.Now().Unix())
	m.seen(ctx)
	token, until, err := m.scs.Commit(ctx)
	if err != nil {
		return err
	}
	m.scs.WriteSessionCookie(ctx, w, token, until)
	return nil
}

// seen notes that a session is in use, and by that when it ends.
func (m *Manager) seen(ctx context.Context) {
	now := m.clock.Now()
	until := time.Unix(m.scs.GetInt64(ctx, keyBegun), 0).Add(m.cfg.Absolute)
	if idle := now.Add(m.cfg.Idle); idle.Before(until) {
		until = idle
	}
	m.scs.Put(ctx, keySeen, now.Unix())
	m.scs.SetDeadline(ctx, until)
}

// Read returns who a request's session is of. ok is false where it has none, or none any more.
func (m *Manager) Read(r *http.Request) (who Identity, ok bool, err error) {
	ctx, err := m.load(r)
	if err != nil {
		return Identity{}, false, err
	}
	text := m.scs.GetString(ctx, keyIdentity)
	if text == "" || json.Unmarshal([]byte(text), &who) != nil {
		return Identity{}, false, nil
	}
	if m.clock.Now().Sub(time.Unix(m.scs.GetInt64(ctx, keySeen), 0)) < seenEvery {
		return who, true, nil
	}
	m.seen(ctx)
	if _, _, err := m.scs.Commit(ctx); err != nil && !errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return Identity{}, false, err
	}
	// Where somebody else has written it meanwhile it was seen as well, or it has ended, which the next request finds.
	return who, true, nil
}

func (m *Manager) load(r *http.Request) (context.Context, error) {
	ctx, err := m.scs.Load(withRevision(r.Context()), m.token(r))
	if err != nil {
		return nil, fmt.Errorf("read a session: %w", err)
	}
	return ctx, nil
}

// token is what the browser sent: of two cookies of the name, which only somebody else can have set, none.
func (m *Manager) token(r *http.Request) string {
	cookies := r.CookiesNamed(m.scs.Cookie.Name)
	if len(cookies) != 1 {
		return ""
	}
	return cookies[0].Value
}

// End ends the session of a browser, and takes its cookie.
func (m *Manager) End(w http.ResponseWriter, r *http.Request) error {
	if err := m.drop(r); err != nil {
		return err
	}
	m.scs.WriteSessionCookie(r.Context(), w, "", time.Time{})
	return nil
}

// drop deletes the session that a request has, if it has one.
func (m *Manager) drop(r *http.Request) error {
	ctx, err := m.load(r)
	if err != nil || m.scs.Token(ctx) == "" {
		return err
	}
	return m.scs.Destroy(ctx)
}
