package torture

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// Config says what a run does. The seed fixes what the directories go through, the plan of faults and the dice of the kills.
// It does not fix who comes first where processes work at the same time.
type Config struct {
	Seed      uint64               `json:"seed"`
	Duration  time.Duration        `json:"duration"` // of the load, by the wall
	Speed     float64              `json:"speed"`    // how many times as fast as the wall's the clock of all parts goes
	Providers []directory.Provider `json:"providers"`
	Kill      bool                 `json:"kill"`
	KillEvery time.Duration        `json:"kill_every"` // mean time between two kills, by the wall
	Rate      float64              `json:"rate"`       // changes a second that are asked of all directories together
	Least     float64              `json:"least"`      // changes a second below which a run does not count
	Patience  time.Duration        `json:"patience"`   // how long all may take to agree behind the end of the load, by the wall
	Folder    string               `json:"folder"`     // for the logs and all that the parts keep
}

// Default is a run that counts.
func Default() Config {
	return Config{
		Duration: 10 * time.Minute, Speed: 2, Providers: []directory.Provider{directory.Entra, directory.GoogleWorkspace},
		KillEvery: 15 * time.Second, Rate: 72, Least: 50, Patience: 3 * time.Minute,
	}
}

// MaxSpeed bounds the speed: network, disk and processor are as slow as ever, and with them what waits for an answer.
const MaxSpeed = 10

// Check reports every fault at once.
func (c Config) Check() error {
	var faults []error
	add := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if c.Duration <= 0 {
		add("time %s: want more than 0", c.Duration)
	}
	if !(c.Speed > 0 && c.Speed <= MaxSpeed) {
		add("speed %g: want more than 0 and at most %d", c.Speed, MaxSpeed)
	}
	if len(c.Providers) == 0 {
		add("want a provider at least")
	}
	if c.Kill && c.KillEvery < time.Second {
		add("a kill every %s: want a second at least", c.KillEvery)
	}
	if !(c.Rate > 0) {
		add("%g changes a second: want more than 0", c.Rate)
	}
	return errors.Join(faults...)
}

func (c Config) has(p directory.Provider) bool { return slices.Contains(c.Providers, p) }

// FullReads reports whether directories are read in full after the first time. In half of the runs nothing heals what polls
// and pushes miss.
func (c Config) FullReads() bool { return c.Seed%2 == 0 }

func (c Config) fullInterval() time.Duration {
	if c.FullReads() {
		return fullInterval
	}
	return 0
}

const (
	partitions         = 8
	tenantsPerProvider = 3
	usersPerTenant     = 60

	// By the scaled clock.
	pollInterval = 15 * time.Second
	fullInterval = 2 * time.Minute
	doubt        = 2 * stale

	// By the wall: the driver waits for them.
	vanish   = 300 * time.Millisecond
	settle   = 400 * time.Millisecond
	leaseTTL = 15 * time.Second
)

// The dice of a run: one pair for each purpose, so that none disturbs another.
const (
	diceStory = iota + 1 // and one more for each tenant
	diceKills = 1000
)

// Args are the flags with which "rollcall torture" does the same again.
func (c Config) Args() []string {
	args := []string{
		fmt.Sprintf("--seed %d", c.Seed), fmt.Sprintf("--minutes %g", c.Duration.Minutes()), fmt.Sprintf("--speed %g", c.Speed),
	}
	if len(c.Providers) == 1 {
		args = append(args, "--provider "+string(c.Providers[0]))
	}
	if c.Kill {
		args = append(args, "--kill")
	}
	return args
}
