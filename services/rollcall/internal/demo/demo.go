// Package demo runs all of Rollcall in one process beside simulated directories, one of each provider, connects them, and
// plays a short story in all of them at once. Everything is the real thing but the directories: the SDKs, TLS, JetStream,
// the database.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/supervise"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
)

// Config says how the demo is set up.
type Config struct {
	Data     string // folder that it keeps everything in; a second run on it resumes
	Users    int    // of each simulated directory, where it is made anew
	HTTPAddr string
	NATSAddr string
	// ShareAddr is where the worked example listens, see package secureshare.
	ShareAddr string
	Once      bool // end after the story, verified
	// Again is how many single changes are measured beside those of the story.
	Again int
	// Settle is how long a provisioning group must be still before it decides. Production takes minutes.
	Settle time.Duration
	// Poll is how often changes are looked for without a push.
	Poll time.Duration
}

// again is how many single changes are measured: no more than a group of that size may lose one by one.
func (c Config) again() int { return min(c.Again, groupSize(c.Users)/12*2) }

// Deps are what the demo is given from outside.
type Deps struct {
	Out     io.Writer // the story, for people
	Logger  *slog.Logger
	Started time.Time // of the process
	// Tamper, where set, is called between the story and its verification, with the URL of the NATS server. Tests use it.
	Tamper func(ctx context.Context, natsURL string) error
}

// ErrUntrue says that what was published is not what the directory says.
var ErrUntrue = errors.New("what was published differs from the directory")

// ErrHeld says that what was published is not what the directory says, because a change still waits for somebody.
var ErrHeld = errors.New("a change is held")

// ErrInterrupted says that the story was not played to its end.
var ErrInterrupted = errors.New("told to stop before the story had ended")

// How long entitlements may still be on their way when the story has ended: to LICENSES, and from there into its copies. The
// server writes each entry of the bucket to the disk by itself, and behind a bulk that takes it seconds.
const (
	patienceForStream = 5 * time.Second
	patienceForCopies = time.Minute
)

// Run plays the demo. With Once it returns the verified result, and ErrUntrue with it when it is not true; otherwise it
// stays up until ctx ends.
func Run(ctx context.Context, cfg Config, deps Deps) (Result, error) {
	if cfg.Users < minUsers {
		return Result{}, fmt.Errorf("the demo needs %d users at least", minUsers)
	}
	settings := (&stage{cfg: cfg}).configuration()
	settings.Sync.Push = false // its public URL is a listener of the demo's own
	if err := settings.Validate(); err != nil {
		return Result{}, err
	}
	dir, err := datadir.Open(cfg.Data)
	if err != nil {
		return Result{}, err
	}
	defer func() { _ = dir.Close() }()
	registry := telemetry.NewRegistry()
	st := &stage{cfg: cfg, dir: dir, logger: deps.Logger, clock: clock.System(), metrics: registry, tell: newTeller(deps.Out)}
	defer st.close()
	if err := st.open(ctx); err != nil {
		return Result{}, err
	}
	playing, stop := context.WithCancel(ctx)
	defer stop()
	d := &director{stage: st, cfg: cfg, deps: deps, stop: stop}
	err = st.run(playing, supervise.Worker{Name: "story", Run: d.run})
	switch {
	case ctx.Err() != nil && cfg.Once && !d.result.Verified:
		return d.result, errors.Join(ErrInterrupted, err)
	case ctx.Err() != nil: // whoever watched has seen enough
		return d.result, err
	case d.failed != nil:
		return d.result, d.failed
	default:
		return d.result, err
	}
}

// director plays the story once the stage is set.
type director struct {
	stage  *stage
	cfg    Config
	deps   Deps
	stop   func()
	result Result
	failed error
}

// run ends the demo after the story, or keeps it up.
func (d *director) run(ctx context.Context) error {
	d.failed = d.play(ctx)
	if d.failed != nil || d.cfg.Once {
		d.stop()
	}
	<-ctx.Done()
	return nil
}

func (d *director) play(ctx context.Context) error {
	d.stage.introduce()
	e, done, err := d.stage.ensemble(ctx, d.deps.Started)
	if err != nil {
		return err
	}
	defer done()
	err = e.play(ctx)
	d.result = e.result()
	if err != nil {
		return err
	}
	if d.deps.Tamper != nil {
		if err := d.deps.Tamper(ctx, d.stage.process.NATSURL()); err != nil {
			return err
		}
	}
	err = e.verify(ctx)
	d.result = e.result()
	if err != nil {
		return err
	}
	d.stage.tell.verified(d.result)
	if d.cfg.Once {
		return nil
	}
	if err := e.epilogue(ctx); err != nil {
		return err
	}
	if err := d.stage.welcome(ctx); err != nil {
		return err
	}
	d.stage.hints(e.stories)
	return nil
}
