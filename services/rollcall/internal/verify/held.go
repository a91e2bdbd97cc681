package verify

import (
	"fmt"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/held"
)

// HeldChange is a change that waits for somebody, or that somebody has rejected: why a license is not as the directory says.
type HeldChange struct {
	ID          string `json:"id"`
	Kind        string `json:"kind"`
	Revision    int    `json:"revision"`
	Grants      int    `json:"grants"` // on its list
	Revocations int    `json:"revocations"`
	Outcome     string `json:"outcome,omitempty"` // "rejected" or "expired"; empty while it waits
	// Users is for how many the directory says otherwise because of it.
	Users int `json:"users"`
}

func (h HeldChange) String() string {
	what := fmt.Sprintf("%s of %d grants and %d revocations", h.ID, h.Grants, h.Revocations)
	if h.Outcome != "" {
		what += " (" + h.Outcome + ")"
	}
	return what
}

// holds are the held changes of a product while directory and stream are compared.
type holds struct {
	all   []held.Change
	users []int      // of each, for how many the directory says otherwise because of it
	wrong [][]string // of each that is open, who should not be on its list
	flip  int        // the open one, -1 for none
}

func holdsOf(f *held.Fold) *holds {
	h := &holds{all: slices.Concat(f.Open(), f.Kept()), flip: -1}
	h.users, h.wrong = make([]int, len(h.all)), make([][]string, len(h.all))
	for i, c := range h.all {
		if c.Opened.Kind == event.HeldFlip && c.Outcome == "" {
			h.flip = i
		}
	}
	return h
}

// explains reports whether a held change is why the stream says something else of a user than the directory wants. While a
// flip waits, its list is of everyone whose license it would change; else a user is on the list that keeps the license.
func (h *holds) explains(user string, directory standing, stream bool) bool {
	for i, c := range h.all {
		line, listed := c.Lines[user]
		switch {
		case h.flip >= 0 && i != h.flip:
			continue
		case c.Outcome != "" && c.Opened.Kind == event.HeldFlip:
			listed = directory.active || !stream // nobody's license stands on a group who may not sign in
		default:
			listed = listed && line.Licensed == directory.licensed
		}
		if listed {
			h.users[i]++
			return true
		}
	}
	return false
}

// agrees notes the lists that a user is on of whom directory and stream say the same.
func (h *holds) agrees(user string) {
	for i, c := range h.all {
		if _, listed := c.Lines[user]; listed && c.Outcome == "" && (h.flip < 0 || i == h.flip) {
			h.wrong[i] = append(h.wrong[i], user)
		}
	}
}

// faults are of the lists.
func (h *holds) faults() (all []string) {
	for i, c := range h.all {
		if wrong := h.wrong[i]; len(wrong) > 0 {
			all = append(all, fmt.Sprintf("%s lists %d users who are as the directory says, first %s", c.Opened.Held, len(wrong), slices.Min(wrong)))
		}
	}
	return all
}

// report returns those that wait, and those that were rejected and to which the directory has not come back.
func (h *holds) report() (all []HeldChange) {
	for i, c := range h.all {
		if c.Outcome != "" && h.users[i] == 0 {
			continue
		}
		grants, revocations := c.Count()
		all = append(all, HeldChange{
			ID: c.Opened.Held, Kind: c.Opened.Kind, Revision: c.Revision, Grants: grants, Revocations: revocations,
			Outcome: c.Outcome, Users: h.users[i],
		})
	}
	return all
}
