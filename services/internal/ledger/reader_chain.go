package ledger

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// Link is one of the events that led to another one.
type Link struct {
	Event string    // its id
	Type  string    // empty where nothing tells
	At    time.Time // zero for what the ledger does not remember: that its id stands as the cause of another is all
	By    string    // who asked, where somebody did
}

// Chains finds the causes of causes in one tenant. It remembers what it has found, for bulks have one cause.
type Chains struct {
	reader *Reader
	tenant int64
	name   string
	known  map[string][]Link
}

// Chains makes one.
func (r *Reader) Chains(ctx context.Context, tenant string) (*Chains, error) {
	id, err := r.tenantID(ctx, tenant)
	return &Chains{reader: r, tenant: id, name: tenant, known: map[string][]Link{}}, err
}

// The most that Chains remembers, and the longest chain that it follows: no chain of ours has more than a few links.
const (
	chainsKept = 10_000
	chainLinks = 16
)

// Of returns the chain that ends in an event: that event, what caused it, and so on down to the notification or the
// command that started it.
func (c *Chains) Of(ctx context.Context, id string) ([]Link, error) {
	if links, known := c.known[id]; known {
		return links, nil
	}
	var links []Link
	for next := id; next != "" && len(links) < chainLinks; {
		link, cause, err := c.link(ctx, next)
		if err != nil {
			return nil, err
		}
		if link.Type == "" && len(links) > 0 && strings.HasPrefix(links[len(links)-1].Type, "io.rollcall.directory.") {
			link.Type = event.TypeNotificationReceived // whose ids alone say nothing
		}
		links = append(links, link)
		next = cause
	}
	if len(c.known) >= chainsKept {
		clear(c.known)
	}
	c.known[id] = links
	return links, nil
}

// link finds an event among the messages of LEDGER_IN that had effects and the records of products. Of others the id says
// what it can.
func (c *Chains) link(ctx context.Context, id string) (l Link, cause string, err error) {
	l.Event = id
	found, err := c.reader.one(ctx, `SELECT type, at, cause, by_whom FROM causes WHERE tenant = $1 AND event_id = $2`,
		[]any{c.tenant, id}, &l.Type, scanMicros(&l.At), &cause, &l.By)
	if found || err != nil {
		return l, cause, err
	}
	own, mine := strings.CutPrefix(id, c.name+".")
	first, rest, _ := strings.Cut(own, ".")
	if !mine {
		return l, "", nil
	}
	if sequence, err := strconv.ParseInt(rest, 10, 64); err == nil {
		var data string
		found, err := c.reader.one(ctx, `SELECT r.type, r.at, r.cause, r.data FROM products p JOIN records r ON r.product = p.id
			WHERE p.tenant = $1 AND p.name = $2 AND r.sequence = $3`, []any{c.tenant, first, sequence}, &l.Type, scanMicros(&l.At), &cause, &data)
		if found || err != nil {
			l.By = askedBy(data)
			return l, cause, err
		}
	}
	if asked, _, isProof := strings.Cut(id, proofOf); isProof {
		l.Type = event.TypeReadRequested
		return l, asked, nil
	}
	l.Type = commands[first]
	return l, "", nil
}

// proofOf stands in the id of a request for proof, behind the id of the full read that it belongs to.
const proofOf = ".proof."

// commands are the types of commands by the verb in their ids.
var commands = map[string]string{
	"refresh": event.TypeRefreshRequested, event.VerbApprove: event.TypeApproveRequested, event.VerbReject: event.TypeRejectRequested,
	event.VerbSeats: event.TypeSeatsRequested, event.VerbSettings: event.TypeSettingsRequested,
	event.VerbDisconnect: event.TypeDisconnectRequested, event.VerbConnect: event.TypeConnectRequested, event.VerbErase: event.TypeEraseRequested,
	event.VerbActivation: event.TypeActivationReported,
}

func askedBy(data string) string {
	var by struct {
		By string `json:"by"`
	}
	if json.Unmarshal([]byte(data), &by) != nil {
		return ""
	}
	return by.By
}
