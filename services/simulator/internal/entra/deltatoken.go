package entra

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// deltaLife is how long Graph honours a delta token of a directory object.
// Source: learn.microsoft.com/graph/delta-query-overview.
const deltaLife = 7 * 24 * time.Hour

// phase says what a token continues.
type phase string

const (
	phaseInitial phase = "i" // a first round: a $skiptoken
	phaseRound   phase = "r" // a round of changes: a $skiptoken
	phaseEnded   phase = "d" // nothing: a $deltatoken, with which the next round of changes begins
)

// deltaToken is the whole state of a delta query, so that nothing of it need be kept here.
type deltaToken struct {
	Tenant     string   `json:"t"`
	Resource   string   `json:"r"`           // users or groups
	Phase      phase    `json:"p"`           //
	Select     []string `json:"s,omitempty"` // null for the standard properties
	IDs        []string `json:"f,omitempty"` // of $filter
	Generation int      `json:"g,omitempty"`
	Issued     int64    `json:"at"` // seconds since 1970

	From uint64 `json:"v"`           // the version that is known already
	To   uint64 `json:"u,omitempty"` // where a round of changes ends

	// Where the next page of a first round begins: behind object number Seq, within Group behind member number Member.
	Seq    uint64 `json:"q,omitempty"`
	Group  string `json:"G,omitempty"`
	Member uint64 `json:"m,omitempty"`
	Offset int    `json:"o,omitempty"` // where the next page of a round of changes begins
	Page   uint64 `json:"n,omitempty"` // how many pages of the round came before: no link leads back to its own page
}

var errDeltaToken = errors.New("not a delta token")

func (t deltaToken) String() string {
	raw, _ := json.Marshal(t) // strings and numbers always encode
	return base64.RawURLEncoding.EncodeToString(raw)
}

// parseDeltaToken reads a token back. A token that no server of this kind can have made is an error.
func parseDeltaToken(s string) (deltaToken, error) {
	var t deltaToken
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || json.Unmarshal(raw, &t) != nil {
		return t, errDeltaToken
	}
	valid := slices.Contains([]phase{phaseInitial, phaseRound, phaseEnded}, t.Phase) &&
		(t.Resource == "users" || t.Resource == "groups") && t.Offset >= 0 && len(t.IDs) <= maxFilterIDs
	if !valid {
		return t, errDeltaToken
	}
	return t, nil
}

// stale reports whether the token is too old, or the changes behind it are no longer known.
func (t deltaToken) stale(v store.View, now time.Time) bool {
	return t.Generation != v.Tenant().TokenGeneration || now.Sub(time.Unix(t.Issued, 0)) > deltaLife ||
		t.Phase != phaseInitial && t.From < v.Oldest()
}

// shownBy reports whether a replica may answer with what it has. A page must not show less than its round has promised:
// what the next delta link takes as told, nothing would tell again.
func (t deltaToken) shownBy(v store.View) bool {
	switch t.Phase {
	case phaseInitial:
		return v.Version() >= t.From
	case phaseRound:
		return v.Version() >= t.To
	default: // the round ends where the replica does
		return true
	}
}

// deltaPhase names what a request of a delta query is, for the counters.
func deltaPhase(q query) string {
	switch {
	case q.get("deltatoken") == "latest":
		return "latest"
	case q.get("deltatoken") != "":
		return "token"
	}
	if t, err := parseDeltaToken(q.get("skiptoken")); err == nil && t.Phase == phaseRound {
		return "token"
	}
	return "initial"
}
