package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// attemptLife is how long somebody may take to sign in at an issuer.
const attemptLife = 10 * time.Minute

// Attempt is a sign-in under way: what has to come back from the issuer, and where the person wanted to go.
type Attempt struct {
	Issuer   string `json:"issuer"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"` // of PKCE
	Next     string `json:"next"`     // a path of ours
}

// stored is an Attempt as it is kept: with the browser that it is of, by the hash of what that has in a cookie.
type stored struct {
	Attempt
	Browser string `json:"browser"`
}

// ErrNoAttempt says that a state is of no sign-in that this browser has under way: it is made up, of another browser, used
// already, or took too long.
var ErrNoAttempt = errors.New("no sign-in with this state is under way in this browser")

// BeginAttempt keeps an attempt for ten minutes and returns the state by which it is found again, once, and from the same
// browser alone.
func (m *Manager) BeginAttempt(w http.ResponseWriter, r *http.Request, a Attempt) (state string, err error) {
	browser := m.browser(r)
	if browser == "" {
		browser = rand.Text()
	}
	state = rand.Text()
	data, err := json.Marshal(stored{Attempt: a, Browser: digest(browser)})
	if err != nil {
		return "", fmt.Errorf("keep a sign-in: %w", err)
	}
	body, err := json.Marshal(kept{Until: m.clock.Now().Add(attemptLife), Data: data})
	if err != nil {
		return "", fmt.Errorf("keep a sign-in: %w", err)
	}
	if _, err := m.kv.Create(r.Context(), attemptKey+digest(state), body); err != nil {
		return "", fmt.Errorf("keep a sign-in: %w", err)
	}
	http.SetCookie(w, m.attemptCookie(browser, int(attemptLife.Seconds())))
	return state, nil
}

// TakeAttempt returns the attempt that a state is of, which is used up by it.
func (m *Manager) TakeAttempt(r *http.Request, state string) (Attempt, error) {
	key := attemptKey + digest(state)
	k, revision, err := read(r.Context(), m.kv, key)
	if errors.Is(err, errGone) {
		return Attempt{}, ErrNoAttempt
	}
	if err != nil {
		return Attempt{}, err
	}
	var s stored
	if err := json.Unmarshal(k.Data, &s); err != nil {
		return Attempt{}, ErrNoAttempt
	}
	browser := digest(m.browser(r))
	if !m.clock.Now().Before(k.Until) || subtle.ConstantTimeCompare([]byte(browser), []byte(s.Browser)) != 1 {
		return Attempt{}, ErrNoAttempt
	}
	return s.Attempt, m.use(r.Context(), key, revision)
}

// use takes an attempt away; of two that do, one is too late.
func (m *Manager) use(ctx context.Context, key string, revision uint64) error {
	err := m.kv.Delete(ctx, key, jetstream.LastRevision(revision))
	refused, ok := errors.AsType[*jetstream.APIError](err)
	if ok && (refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant) {
		return ErrNoAttempt
	}
	if err != nil {
		return fmt.Errorf("use a sign-in up: %w", err)
	}
	return nil
}

func (m *Manager) attemptCookie(value string, seconds int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure wherever browsers reach us by https
		Name: cookieName(m.cfg.Secure, "rollcall-sign-in"), Value: value, Path: "/", MaxAge: seconds,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: m.cfg.Secure,
	}
}

// browser is what tells a browser from others while somebody signs in, "" where it has nothing.
func (m *Manager) browser(r *http.Request) string {
	cookies := r.CookiesNamed(cookieName(m.cfg.Secure, "rollcall-sign-in"))
	if len(cookies) != 1 || len(cookies[0].Value) < 26 {
		return ""
	}
	return cookies[0].Value
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
