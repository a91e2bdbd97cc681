package session

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrNoErrand says that a name is of no errand of this session: it is made up, of another session, used up, or too old.
var ErrNoErrand = errors.New("this session has no such errand")

// errand is what somebody who is signed in is about: it is kept here, under a name that is worth nothing in another session.
type errand struct {
	Session string          `json:"session"` // by its hash
	Kind    string          `json:"kind"`
	Data    json.RawMessage `json:"data"`
}

// BeginErrand keeps what somebody is about, for as long as life, and returns the name by which the same session finds it again:
// 128 random bits or more. Errands of one kind are not found as another.
func (m *Manager) BeginErrand(r *http.Request, kind string, life time.Duration, data any) (name string, err error) {
	name = rand.Text()
	body, err := m.errand(r, kind, m.clock.Now().Add(life), data)
	if err == nil {
		_, err = m.kv.Create(r.Context(), errandKey+digest(name), body)
	}
	if err != nil {
		return "", fmt.Errorf("keep an errand: %w", err)
	}
	return name, nil
}

func (m *Manager) errand(r *http.Request, kind string, until time.Time, data any) ([]byte, error) {
	token := m.token(r)
	if token == "" {
		return nil, ErrNoErrand
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	inner, err := json.Marshal(errand{Session: digest(token), Kind: kind, Data: raw})
	if err != nil {
		return nil, err
	}
	return json.Marshal(kept{Until: until, Data: inner})
}

// Errand reads an errand into data, and leaves it where it is.
func (m *Manager) Errand(r *http.Request, kind, name string, data any) error {
	_, _, err := m.findErrand(r, kind, name, data)
	return err
}

// TakeErrand reads an errand into data and uses it up: of two that do, one is told ErrNoErrand.
func (m *Manager) TakeErrand(r *http.Request, kind, name string, data any) error {
	_, revision, err := m.findErrand(r, kind, name, data)
	if err != nil {
		return err
	}
	if err := m.use(r.Context(), errandKey+digest(name), revision); errors.Is(err, ErrNoAttempt) {
		return ErrNoErrand
	} else if err != nil {
		return err
	}
	return nil
}

// ChangeErrand replaces what an errand says. It ends when it would have.
func (m *Manager) ChangeErrand(r *http.Request, kind, name string, data any) error {
	k, revision, err := m.findErrand(r, kind, name, new(json.RawMessage))
	if err != nil {
		return err
	}
	body, err := m.errand(r, kind, k.Until, data)
	if err == nil {
		_, err = m.kv.Update(r.Context(), errandKey+digest(name), body, revision)
	}
	if errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return ErrNoErrand
	}
	if err != nil {
		return fmt.Errorf("change an errand: %w", err)
	}
	return nil
}

func (m *Manager) findErrand(r *http.Request, kind, name string, data any) (kept, uint64, error) {
	k, revision, err := read(r.Context(), m.kv, errandKey+digest(name))
	if errors.Is(err, errGone) {
		return kept{}, 0, ErrNoErrand
	}
	if err != nil {
		return kept{}, 0, err
	}
	var e errand
	token := m.token(r)
	ours := json.Unmarshal(k.Data, &e) == nil && token != "" && subtle.ConstantTimeCompare([]byte(digest(token)), []byte(e.Session)) == 1
	if !ours || e.Kind != kind || !m.clock.Now().Before(k.Until) {
		return kept{}, 0, ErrNoErrand
	}
	if err := json.Unmarshal(e.Data, data); err != nil {
		return kept{}, 0, ErrNoErrand
	}
	return k, revision, nil
}
