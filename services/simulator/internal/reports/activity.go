package reports

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// activity is one entry of an application's log: who did what, as one or more events.
type activity struct {
	app      string
	customer string // directory id
	domain   string
	at       time.Time
	first    uint64 // version of the first change of the mutation
	index    int    // among the activities that the mutation left in the application
	version  uint64 // of the last change that it tells of
	actor    actor
	events   []event
}

type actor struct {
	CallerType  string           `json:"callerType"`
	Email       string           `json:"email,omitempty"`
	ProfileID   string           `json:"profileId,omitempty"`
	Key         string           `json:"key,omitempty"`
	Application *applicationInfo `json:"applicationInfo,omitempty"`
}

type applicationInfo struct {
	ClientID      string `json:"oauthClientId"`
	Name          string `json:"applicationName"`
	Impersonation bool   `json:"impersonation"`
}

type event struct {
	Type       string      `json:"type"`
	Name       string      `json:"name"`
	Parameters []parameter `json:"parameters,omitempty"`
}

type parameter struct {
	Name     string `json:"name"`
	Value    string `json:"value,omitempty"`
	IntValue string `json:"intValue,omitempty"` // an int64, as a string
}

// with makes an event of names and values in turn.
func with(kind, name string, pairs ...string) event {
	e := event{Type: kind, Name: name}
	for i := 0; i+1 < len(pairs); i += 2 {
		e.Parameters = append(e.Parameters, parameter{Name: pairs[i], Value: pairs[i+1]})
	}
	return e
}

func number(name string, n int) parameter {
	return parameter{Name: name, IntValue: strconv.Itoa(n)}
}

// time is when it happened, to the millisecond as it is told.
func (a activity) time() time.Time { return a.at.UTC().Truncate(time.Millisecond) }

// sum is a fingerprint of what the activity is, from which all that looks random in it is taken.
func (a activity) sum() [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s %s %d %d", a.customer, a.app, a.first, a.index))
}

// qualifier tells apart what happened in the same millisecond. Half of them are negative.
func (a activity) qualifier() int64 {
	sum := a.sum()
	return int64(binary.BigEndian.Uint64(sum[:8])) //nolint:gosec // it may be negative
}

// visible is when the activity can be listed, and is pushed.
func (a activity) visible(s control.Settings) time.Time {
	at := a.at.Add(s.ActivityLag[a.app])
	if s.ActivityLagJitter > 0 {
		sum := a.sum()
		share := float64(binary.BigEndian.Uint32(sum[8:12])) / (1 << 32)
		at = at.Add(time.Duration(share * float64(s.ActivityLagJitter)))
	}
	return at
}

// render writes the activity as the API and the pushes do.
func (a activity) render() map[string]any {
	sum := a.sum()
	return map[string]any{
		"kind": "admin#reports#activity",
		"etag": `"` + base64.RawURLEncoding.EncodeToString(sum[12:]) + `"`,
		"id": map[string]any{
			"time": a.time().Format("2006-01-02T15:04:05.000Z"), "uniqueQualifier": strconv.FormatInt(a.qualifier(), 10),
			"applicationName": a.app, "customerId": a.customer,
		},
		"actor": a.actor, "ownerDomain": a.domain, "ipAddress": actorAddress,
		"networkInfo": map[string]any{"ipAsn": []int{64496}, "regionCode": "US", "subdivisionCode": "US-CA"},
		"events":      a.events,
	}
}

// actorAddress is from where everything is done.
const actorAddress = "192.0.2.10"

// by reports whether a user, by id or address, is the actor.
func (a activity) by(user string) bool {
	return user == a.actor.ProfileID || a.actor.Email != "" && strings.EqualFold(user, a.actor.Email)
}
