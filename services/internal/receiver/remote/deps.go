package remote

import (
	"log/slog"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// Deps are what a provider's adapter works with. Zero values are usable.
type Deps struct {
	Logger *slog.Logger // discards when nil
	Clock  clock.Clock  // clock.System() when nil
	// Observe is told of every request that was sent, those for tokens too. May be nil.
	Observe Observe
	// LookupEnv finds secrets that are kept in the environment; os.LookupEnv when nil.
	LookupEnv func(string) (string, bool)
}

// Filled returns d with what is missing, but for LookupEnv.
func (d Deps) Filled() Deps {
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Clock == nil {
		d.Clock = clock.System()
	}
	if d.Observe == nil {
		d.Observe = func(string, string, int, time.Duration) {}
	}
	return d
}
