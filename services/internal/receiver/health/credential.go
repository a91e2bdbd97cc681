package health

import (
	"context"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// ahead are the days before a credential's end at which it is told, the last first: with a month there is time to have somebody make
// another one, with a week it is due, and with a day it is the last thing that is said before the directory can be read no more.
var ahead = []int{1, 7, 30}

// credential looks when the credential ends. Where that cannot be found out, what was known stands: the sign-in tells why.
func (w *Watch) credential(ctx context.Context, now time.Time) {
	end, err := w.deps.CredentialEnd(w.deps.Tenant)
	if err != nil {
		w.deps.Logger.DebugContext(ctx, "when the credential ends cannot be told", "error", err)
		return
	}
	w.end = endOf(end, now)
	w.deps.Metrics.ends(w.deps.Tenant.ID, end.At)
}

func endOf(end receiver.CredentialEnd, now time.Time) *event.CredentialSeen {
	seen := &event.CredentialSeen{Expires: end.At.UTC()}
	if !end.At.After(now) { // never, or over: that shows by itself
		return seen
	}
	for _, days := range ahead {
		if end.At.Sub(now) <= time.Duration(days)*24*time.Hour {
			seen.Days, seen.Detail, seen.Action = days, end.Detail(), end.Action
			break
		}
	}
	return seen
}

// told reports whether what is known of the credential has been said.
func (w *Watch) told() bool {
	said := w.said.Credential
	return w.end == nil || said != nil && *said == *w.end
}
