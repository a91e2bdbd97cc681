package cli

import (
	"context"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// link is one of the events that led to another one, as it is printed.
type link struct {
	Event string    `json:"event"`
	Type  string    `json:"type,omitempty"`
	At    time.Time `json:"at,omitzero"`
	By    string    `json:"by,omitempty"` // who asked
}

// chainOf reads the causes of an event, the nearest first.
func chainOf(ctx context.Context, c *ledger.Chains, cause string) ([]link, error) {
	found, err := c.Of(ctx, cause)
	links := make([]link, len(found))
	for i, l := range found {
		links[i] = link(l)
	}
	return links, err
}

// word is a type without what all types have, or the id of an event of which that alone is known.
func (l link) word() string {
	if l.Type == "" {
		return l.Event
	}
	return shortWord(l.Type)
}

// shortWord is a type without what all types have.
func shortWord(eventType string) string {
	return strings.TrimSuffix(strings.TrimPrefix(eventType, "io.rollcall."), ".v1")
}

// chainText is a chain on one line.
func chainText(chain []link) string {
	words := make([]string, len(chain))
	for i, l := range chain {
		words[i] = l.word()
		if l.By != "" {
			words[i] += " by " + l.By
		}
	}
	return strings.Join(words, " < ")
}

// startedBy is who asked for what started a chain, as far as anybody did.
func startedBy(chain []link) string {
	for i := len(chain) - 1; i >= 0; i-- {
		if chain[i].By != "" {
			return chain[i].By
		}
	}
	return ""
}
