package pages

import (
	"net/http"
	"time"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/channels"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// connectionPage is how the tenant's directory is followed.
type connectionPage struct {
	State      badge
	AsOf       time.Time
	Round      time.Time // begin of the last good one
	SnapshotAt time.Time
	Credential *answer.Credential
	Channels   []channels.Channel
	Key        string
	Kept       bool // it is disconnected, and its licenses stand
}

func (p *Pages) connections(w http.ResponseWriter, r *http.Request, s *scope) error {
	return p.showConnections(w, r, s, http.StatusOK, said(r))
}

func (p *Pages) showConnections(w http.ResponseWriter, r *http.Request, s *scope, status int, notices []notice) error {
	st, err := p.standing(r.Context(), s)
	if err != nil {
		return err
	}
	page := connectionPage{
		State: connectionBadge(s, st), AsOf: answer.AsOf(s.State), Round: s.State.RoundBegan, SnapshotAt: s.State.SnapshotAt, Key: newKey(),
		Credential: st.Credential, Kept: s.State.Disconnected == ledger.LicensesKept,
	}
	if page.Channels, err = p.deps.Channels.Of(r.Context(), s.Tenant.ID); err != nil {
		return err
	}
	return p.show(w, r, status, "connections", frame{
		Title: "Connections", Section: "connections", Scope: s, Notices: append(notices, s.standingNotices(st)...), Body: page,
	})
}
