// Package tokens keeps the API tokens of programs in the KV bucket "tokens": what each is good for, and a hash by which it is
// known again. The token itself is nowhere but with whoever it was made for.
package tokens

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
)

// Faults that callers tell apart.
var (
	// ErrRefused says that a token is none, or none any more.
	ErrRefused = errors.New("no such token, or not any more")
	// ErrNotFound says that no token has an id.
	ErrNotFound = errors.New("there is no such token")
)

// Prefix is what every token begins with, so that whoever finds one knows what it is.
const Prefix = "rc_"

// MaxLife is for how long a token may be good at most.
const MaxLife = 366 * 24 * time.Hour

// Role and Scope are what a token may do: see package access.
type (
	Role  = access.Role
	Scope = access.Scope
)

// Wanted says what a token is to be good for.
type Wanted struct {
	Name    string         // for people: 1 to 60 characters, no address
	Role    access.Role    // of the program that has it
	Tenants []string       // ids; empty: all, which no tenant admin has
	Scopes  []access.Scope // empty: all
	By      string         // who makes it, see event.ValidActor
	Expires time.Time
}

// Token is what is known of one.
type Token struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Role     access.Role    `json:"role"`
	Tenants  []string       `json:"tenants"` // null: all
	Scopes   []access.Scope `json:"scopes"`  // null: all
	By       string         `json:"by"`
	Made     time.Time      `json:"made"`
	Expires  time.Time      `json:"expires"`
	LastUsed string         `json:"last_used,omitempty"` // the day, 2006-01-02 in UTC
}

// Principal is who sends requests with the token.
func (t Token) Principal() access.Principal {
	return access.Principal{ID: "token:" + t.ID, Name: t.Name, Role: t.Role, Tenants: t.Tenants, Scopes: t.Scopes}
}

// record is a Token as it is stored.
type record struct {
	Token
	Hash string `json:"hash"` // SHA-256 of the whole token, in hexadecimal
}

// Name's characters: nothing that steers a terminal, and no @.
var name = regexp.MustCompile(`^[\p{L}\p{N} ._:()/+-]{1,60}$`)

// Validate tells everything that is wrong with what is wanted at once.
func (w Wanted) Validate(now time.Time) error {
	var faults []error
	add := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if !name.MatchString(w.Name) || strings.TrimSpace(w.Name) != w.Name {
		add("name: want 1 to 60 letters, digits, spaces and ._:()/+-")
	}
	if !slices.Contains(access.Roles, w.Role) {
		add("role %q: want one of %v", w.Role, access.Roles)
	}
	if w.Role == access.TenantAdmin && len(w.Tenants) == 0 {
		add("tenants: a tenant-admin is bound to one at least")
	}
	for _, t := range w.Tenants {
		if !event.ValidSlug(t) {
			add("tenant %q: want a tenant's id", t)
		}
	}
	for _, s := range w.Scopes {
		if !slices.Contains(access.Scopes, s) {
			add("scope %q: want one of %v", s, access.Scopes)
		}
	}
	if w.Role == access.Auditor && slices.Contains(w.Scopes, access.ScopeCommands) {
		add("scope commands: an auditor gives none")
	}
	if !event.ValidActor(w.By) {
		add("by: want 1 to 64 letters, digits, dots, colons, hyphens and underscores")
	}
	if !w.Expires.After(now) || w.Expires.After(now.Add(MaxLife)) {
		add("expires: want a time to come, within a year")
	}
	return errors.Join(faults...)
}

// A token is Prefix, its id, an underscore and 256 random bits.
var (
	encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
	form     = regexp.MustCompile(`^` + Prefix + `([a-z2-7]{16})_[a-z2-7]{52}$`)
	idForm   = regexp.MustCompile(`^[a-z2-7]{16}$`)
)

// random returns n random bytes as text.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails: see crypto/rand
	return encoding.EncodeToString(b)
}

// idOf is the id in a token, if it has the form of one.
func idOf(token string) (string, bool) {
	parts := form.FindStringSubmatch(token)
	if parts == nil {
		return "", false
	}
	return parts[1], true
}

func hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// is reports whether a token is the recorded one.
func (r record) is(token string) bool {
	return subtle.ConstantTimeCompare([]byte(r.Hash), []byte(hash(token))) == 1
}
