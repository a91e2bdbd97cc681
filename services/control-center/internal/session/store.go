package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// store keeps sessions for scs, which hashes their tokens: a key of the bucket is worth nothing in a cookie.
type store struct {
	kv    jetstream.KeyValue
	clock clock.Clock
}

// sessionKey is where a session is kept. The keys of attempts begin with attemptKey, those of errands with errandKey.
const (
	sessionKey = "session."
	attemptKey = "attempt."
	errandKey  = "errand."
)

// kept is the value of every key.
type kept struct {
	Until time.Time `json:"until"`
	Data  []byte    `json:"data"`
}

// revision holds, in a context, the revision that was found: what is committed replaces that one and no other. A session that
// was ended meanwhile stays ended.
type revision struct{ found uint64 }

type revisionKey struct{}

func withRevision(ctx context.Context) context.Context {
	return context.WithValue(ctx, revisionKey{}, &revision{})
}

func (s *store) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	k, rev, err := read(ctx, s.kv, sessionKey+token)
	if errors.Is(err, errGone) || err == nil && !s.clock.Now().Before(k.Until) {
		return nil, false, nil
	}
	if r, ok := ctx.Value(revisionKey{}).(*revision); ok {
		r.found = rev
	}
	return k.Data, err == nil, err
}

func (s *store) CommitCtx(ctx context.Context, token string, b []byte, until time.Time) error {
	body, err := json.Marshal(kept{Until: until, Data: b})
	if err != nil {
		return fmt.Errorf("keep a session: %w", err)
	}
	if r, ok := ctx.Value(revisionKey{}).(*revision); ok && r.found != 0 {
		r.found, err = s.kv.Update(ctx, sessionKey+token, body, r.found)
	} else {
		_, err = s.kv.Create(ctx, sessionKey+token, body)
	}
	if err != nil {
		return fmt.Errorf("keep a session: %w", err)
	}
	return nil
}

func (s *store) DeleteCtx(ctx context.Context, token string) error {
	if err := s.kv.Delete(ctx, sessionKey+token); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// scs calls these where a store knows no contexts. Ours does.
func (s *store) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}
func (s *store) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
func (s *store) Commit(token string, b []byte, until time.Time) error {
	return s.CommitCtx(context.Background(), token, b, until)
}

// codec reads what is no session as an empty one, so that whoever has its cookie signs in anew.
type codec struct{ scs.GobCodec }

func (c codec) Decode(b []byte) (time.Time, map[string]any, error) {
	until, values, err := c.GobCodec.Decode(b)
	if err != nil {
		return time.Time{}, map[string]any{}, nil //nolint:nilerr // see above
	}
	return until, values, nil
}

var errGone = errors.New("there is no such key")

// read reads a key. What cannot be read is not there: whoever has it begins anew.
func read(ctx context.Context, kv jetstream.KeyValue, key string) (kept, uint64, error) {
	entry, err := kv.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrInvalidKey) {
		return kept{}, 0, errGone
	}
	if err != nil {
		return kept{}, 0, fmt.Errorf("read the bucket of sessions: %w", err)
	}
	var k kept
	if json.Unmarshal(entry.Value(), &k) != nil {
		return kept{}, 0, errGone
	}
	return k, entry.Revision(), nil
}
