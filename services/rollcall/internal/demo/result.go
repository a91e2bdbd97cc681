package demo

import (
	"math"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/verify"
)

// Result is what a story came to: the one JSON object of "rollcall demo --once --json".
type Result struct {
	Verified bool     `json:"verified"` // in every tenant
	Tenants  []Tenant `json:"tenants"`
}

// Tenant is what the story came to in one of the directories.
type Tenant struct {
	Tenant   string             `json:"tenant"`
	Provider directory.Provider `json:"provider"`
	Users    int                `json:"users"`
	// FirstEventMS is the time from the start of the process to the first license event; absent when the directory was
	// connected by an earlier run.
	FirstEventMS float64       `json:"first_event_ms,omitempty"`
	Steps        []Step        `json:"steps"`
	Latency      Latency       `json:"latency"`
	Verified     bool          `json:"verified"`
	Verification verify.Report `json:"verification"`
}

// Step is one change of the directory and what came of it.
type Step struct {
	Change string `json:"change"`
	// User is the provider's id and Address the address of whom it was about, where it was about one.
	User    string `json:"user,omitempty"`
	Address string `json:"address,omitempty"`
	// EventType is the type of the license, policy or held event that came of it; empty when, rightly, none did.
	EventType string  `json:"event_type"`
	LatencyMS float64 `json:"latency_ms"`
	// Measured says from when: "notification" is the simulator's POST, "change" the change itself, "command" what an admin
	// told Rollcall to do, "start" the process's.
	Measured string `json:"measured_from"`
	// Held is what the step has parked, or has let go.
	Held    *Held `json:"held,omitempty"`
	Granted int   `json:"granted,omitempty"` // events of each kind, for changes that are about many
	Revoked int   `json:"revoked,omitempty"`
}

// Held is a held change, at the revision of its list that was looked at.
type Held struct {
	ID          string `json:"id"`
	Revision    int    `json:"revision"`
	Grants      int    `json:"grants"`
	Revocations int    `json:"revocations"`
}

// Latency sums up the changes of single users: from the simulator's notification to the event at the subscriber.
type Latency struct {
	Count int     `json:"count"`
	P50MS float64 `json:"p50_ms"`
	P99MS float64 `json:"p99_ms"`
	MaxMS float64 `json:"max_ms"`
}

// summarize takes the steps that are about one user and were measured from the notification.
func summarize(steps []Step) Latency {
	var all []float64
	for _, s := range steps {
		if s.User != "" && s.EventType != "" && s.Measured == fromNotification {
			all = append(all, s.LatencyMS)
		}
	}
	if len(all) == 0 {
		return Latency{}
	}
	slices.Sort(all)
	rank := func(share float64) float64 { return all[int(math.Ceil(share*float64(len(all))))-1] }
	return Latency{Count: len(all), P50MS: rank(0.5), P99MS: rank(0.99), MaxMS: all[len(all)-1]}
}

// From when a latency is measured.
const (
	fromNotification = "notification"
	fromChange       = "change"
	fromCommand      = "command"
	fromStart        = "start"
)

func ms(d time.Duration) float64 { return math.Round(float64(d.Microseconds())) / 1000 }
