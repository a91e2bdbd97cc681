package tokens

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// Store makes, finds and revokes tokens. It is safe for use by many goroutines, and by many processes.
type Store struct {
	kv    jetstream.KeyValue
	clock clock.Clock
}

// Open opens the bucket.
func Open(ctx context.Context, b *bus.Bus, c clock.Clock) (*Store, error) {
	kv, err := b.KeyValue(ctx, bus.BucketTokens)
	if err != nil {
		return nil, err
	}
	return &Store{kv: kv, clock: c}, nil
}

// Make makes a token, which is returned this once, or says all that is wrong with what is wanted.
func (s *Store) Make(ctx context.Context, w Wanted) (secret string, t Token, err error) {
	now := s.clock.Now().UTC().Truncate(time.Second)
	if err := w.Validate(now); err != nil {
		return "", Token{}, fmt.Errorf("make a token: %w", err)
	}
	t = Token{
		ID: random(10), Name: w.Name, Role: w.Role, Tenants: orNil(w.Tenants), Scopes: orNil(w.Scopes), By: w.By,
		Made: now, Expires: w.Expires.UTC().Truncate(time.Second),
	}
	secret = Prefix + t.ID + "_" + random(32)
	body, err := json.Marshal(record{Token: t, Hash: hash(secret)})
	if err == nil {
		_, err = s.kv.Create(ctx, t.ID, body)
	}
	if err != nil {
		return "", Token{}, fmt.Errorf("make a token: %w", err)
	}
	return secret, t, nil
}

// orNil is a sorted copy without repetitions; nil for nothing.
func orNil[T cmp.Ordered](all []T) []T {
	if len(all) == 0 {
		return nil
	}
	return slices.Compact(slices.Sorted(slices.Values(all)))
}

// Find returns the token that a program sent, and notes the day. ErrRefused says that it is none, or expired, or revoked; any
// other error that nobody can tell now.
func (s *Store) Find(ctx context.Context, secret string) (Token, error) {
	id, ok := idOf(secret)
	if !ok {
		return Token{}, ErrRefused
	}
	entry, err := s.kv.Get(ctx, id)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return Token{}, ErrRefused
	}
	if err != nil {
		return Token{}, fmt.Errorf("look for a token: %w", err)
	}
	r, err := decode(entry.Value())
	if err != nil {
		return Token{}, err
	}
	now := s.clock.Now().UTC()
	if !r.is(secret) || r.ID != id || !now.Before(r.Expires) {
		return Token{}, ErrRefused
	}
	if day := now.Format(time.DateOnly); day != r.LastUsed {
		r.LastUsed = day
		if body, err := json.Marshal(r); err == nil {
			// Compare-and-set: a token that is revoked meanwhile stays revoked. Who comes first has noted the same day.
			_, _ = s.kv.Update(ctx, id, body, entry.Revision())
		}
	}
	return r.Token, nil
}

func decode(body []byte) (record, error) {
	var r record
	if err := json.Unmarshal(body, &r); err != nil {
		return record{}, errors.New("what is stored of a token is no record of it")
	}
	return r, nil
}

// List returns all tokens, the newest first, expired ones too.
func (s *Store) List(ctx context.Context) ([]Token, error) {
	all := []Token{}
	err := s.each(ctx, func(t Token) error { all = append(all, t); return nil })
	slices.SortFunc(all, func(a, b Token) int { return cmp.Or(b.Made.Compare(a.Made), cmp.Compare(a.ID, b.ID)) })
	return all, err
}

// each calls do with every token.
func (s *Store) each(ctx context.Context, do func(Token) error) error {
	watch, err := s.kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return fmt.Errorf("list the tokens: %w", err)
	}
	defer func() { _ = watch.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case entry, open := <-watch.Updates():
			if !open {
				return errors.New("list the tokens: NATS is away")
			}
			if entry == nil { // that was all
				return nil
			}
			r, err := decode(entry.Value())
			if err == nil {
				err = do(r.Token)
			}
			if err != nil {
				return err
			}
		}
	}
}

// Revoke ends a token, from the next request on, and returns what it was. ErrNotFound: there is none with the id.
func (s *Store) Revoke(ctx context.Context, id string) (Token, error) {
	if !idForm.MatchString(id) {
		return Token{}, ErrNotFound
	}
	entry, err := s.kv.Get(ctx, id)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return Token{}, ErrNotFound
	}
	if err != nil {
		return Token{}, fmt.Errorf("revoke token %s: %w", id, err)
	}
	r, err := decode(entry.Value())
	if err != nil {
		return Token{}, err
	}
	if err := s.kv.Delete(ctx, id); err != nil {
		return Token{}, fmt.Errorf("revoke token %s: %w", id, err)
	}
	return r.Token, nil
}

// Sweep removes tokens that expired a month ago: until then a list tells why a program is refused.
func (s *Store) Sweep(ctx context.Context) error {
	now := s.clock.Now()
	return s.each(ctx, func(t Token) error {
		if now.Before(t.Expires.Add(30 * 24 * time.Hour)) {
			return nil
		}
		return s.kv.Delete(ctx, t.ID)
	})
}
