package health

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// verifyFor is how long a verification may take.
const verifyFor = 2 * time.Minute

// state is how the connection is now.
type state struct {
	trouble receiver.Trouble
	part    string // that has it
	since   time.Time
	well    bool
	unheard bool      // no push has shown that pushes come
	next    time.Time // when it may be another without anything happening
}

// look judges what is known, and has silent channels replaced.
func (w *Watch) look() state {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.deps.Clock.Now()
	if w.deps.Replace != nil {
		w.listen(now)
	}
	var s state
	s.part, s.trouble, s.since, s.next = w.trouble(now)
	s.well, s.unheard = w.well(), w.deps.Replace != nil && !w.silence.heard
	if s.next = earliest(s.next, w.silence.next(now)); s.trouble != receiver.NoTrouble {
		s.well = false
	}
	return s
}

// listen acts on the silence of push channels: new ones first, and where these do not help it is a trouble.
func (w *Watch) listen(now time.Time) {
	replace, degraded := w.silence.judge(now)
	if replace {
		w.deps.Logger.Warn("no push tells of what changes: the push channels are replaced")
		w.deps.Replace()
	}
	switch p := w.parts[pushes]; {
	case !degraded:
		delete(w.parts, pushes)
	case p == nil:
		since := w.silence.since
		w.parts[pushes] = &part{began: since, trouble: receiver.Silent, since: since, last: now, times: 2}
	}
}

// step says what is to be said, and returns when to come again: zero, when an outcome is another.
func (w *Watch) step(ctx context.Context) (time.Time, error) {
	now := w.deps.Clock.Now()
	if w.retry.After(now) {
		return w.retry, nil
	}
	w.credential(ctx, now)
	s := w.look()
	s.next = earliest(s.next, now.Add(w.cfg.Again))
	switch {
	case s.trouble != receiver.NoTrouble:
		return w.degraded(ctx, now, s)
	case s.well:
		return w.working(ctx, now, s)
	}
	return s.next, nil // neither: what was said stands
}

func (w *Watch) working(ctx context.Context, now time.Time, s state) (time.Time, error) {
	if w.said == nil || w.said.State != event.ConnectionWorking || w.said.Unheard && !s.unheard || !w.told() || !w.saidAt.Add(w.cfg.Repeat).After(now) {
		if w.said != nil && w.said.State == event.ConnectionDegraded {
			w.deps.Logger.InfoContext(ctx, "the connection has recovered", "was", w.said.Class)
		}
		err := w.publish(ctx, event.ConnectionObserved{State: event.ConnectionWorking, Since: now, Unheard: s.unheard})
		if err != nil {
			return time.Time{}, err
		}
	}
	return earliest(s.next, w.saidAt.Add(w.cfg.Repeat)), nil
}

// degraded looks into a trouble that is new, or has been for long since the last look.
func (w *Watch) degraded(ctx context.Context, now time.Time, s state) (time.Time, error) {
	again := w.saidAt.Add(w.cfg.Again)
	if w.said != nil && w.said.Class == string(s.trouble) && again.After(now) {
		return earliest(s.next, again), nil
	}
	if w.found == nil || w.found.Class != string(s.trouble) || !w.verified.Add(w.cfg.Patience).After(now) {
		if rest := w.verified.Add(w.cfg.Patience); rest.After(now) {
			return earliest(s.next, rest), nil
		}
		seen := w.explain(ctx, s)
		w.verified, w.found = now, &seen
	}
	if ctx.Err() != nil {
		return time.Time{}, nil
	}
	if still := w.look(); still.trouble != s.trouble {
		return now, nil // it is another by now
	}
	seen := *w.found
	w.deps.Logger.WarnContext(ctx, "the connection is degraded", "class", seen.Class, "since", seen.Since, "check", seen.Check, "detail", seen.Detail)
	if err := w.publish(ctx, seen); err != nil {
		return time.Time{}, err
	}
	w.found = nil
	return earliest(s.next, w.saidAt.Add(w.cfg.Again)), nil
}

// explain finds out why, and what to do about it.
func (w *Watch) explain(ctx context.Context, s state) event.ConnectionObserved {
	what := general[s.trouble]
	if s.part == channels {
		switch s.trouble {
		case receiver.Failing:
			what = noChannel
		case receiver.Unreachable, receiver.Throttled:
			what.detail = noChannel.detail
		}
	}
	seen := event.ConnectionObserved{
		State: event.ConnectionDegraded, Class: string(s.trouble), Since: s.since,
		Detail: what.detail, Action: strings.ReplaceAll(what.action, "TENANT", w.deps.Tenant.ID),
	}
	if s.trouble == receiver.Quota || s.trouble == receiver.Silent {
		return seen // a verification asks for no push channel
	}
	findings, err := w.verify(ctx)
	if err != nil {
		w.deps.Logger.WarnContext(ctx, "looking into what degrades the connection failed", "error", err)
	}
	for _, f := range findings {
		if f.State == receiver.Failed && f.Check != "provisioning-group" && sayable(f.Detail) && sayable(f.Action) {
			seen.Check, seen.Detail, seen.Action = f.Check, f.Detail, f.Action
			break
		}
	}
	return seen
}

// verify has the provider look. Its panic over one tenant's data is that tenant's error.
func (w *Watch) verify(ctx context.Context) (found []receiver.Finding, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a verification: %v\n%s", p, debug.Stack())
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, verifyFor)
	defer cancel()
	return w.deps.Verify(ctx, w.deps.Tenant)
}

// sayable reports whether a text may go into a record that cannot be deleted: it names no address, nor a file of ours.
func sayable(text string) bool {
	return text != "" && len(text) <= 2000 && !strings.Contains(text, "@") && !strings.Contains(text, " /")
}

type words struct{ detail, action string }

// noChannel is said where the directory can be read, and no push channel is made or renewed.
var noChannel = words{
	"The provider makes or renews no push channel: changes are found by polls alone.",
	"See that the provider reaches the public address of Rollcall, and look at the receiver's log.",
}

// general is what is said where no check explains it.
var general = map[receiver.Trouble]words{
	receiver.SignIn: {
		"The provider does not accept Rollcall's credential.",
		`Run "rollcall tenants verify TENANT", and put a credential that is valid where the tenant's is read from.`,
	},
	receiver.Consent: {
		"The provider does not allow what Rollcall asks for.",
		`Let an admin of the directory consent again to what docs/connect-*.md lists, and run "rollcall tenants verify TENANT".`,
	},
	receiver.Unreachable: {
		"The provider does not answer, or what answers is not the provider.",
		`See that Rollcall reaches the provider, and look at the provider's page on its status.`,
	},
	receiver.Throttled: {
		"The provider puts off every request.",
		"See what else reads this directory: the provider's quota is shared by all that does.",
	},
	receiver.Failing: {
		"The provider answers, and the directory cannot be read all the same.",
		`Look at the receiver's log, and run "rollcall tenants verify TENANT".`,
	},
	receiver.Quota: {
		"The provider grants no push channel more: changes are found by polls alone.",
		"End push channels of this application in the directory that nothing uses, such as those of former installations.",
	},
	receiver.Silent: {
		"Changes show of which no push has told, and new push channels have not helped: changes are found by polls alone.",
		"See that the provider reaches the public address of Rollcall: a proxy or a firewall before it may refuse pushes.",
	},
}
