package torture

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/torture/verify"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// Look looks into what a run has left in its folder: NATS and the simulator are started over it again, and nothing else.
// Without a user it judges all revocations once more; with one it tells what the directory, LEDGER_IN and LICENSES say of
// the user and of the groups around, by their times.
func Look(ctx context.Context, folder, tenant, user string, deps Deps, out io.Writer) error {
	cfg := Default()
	cfg.Folder = folder
	s := &stage{cfg: cfg, deps: deps}
	defer s.close()
	origin := time.Now()
	var err error
	if s.parts, err = newParts(ctx, cfg, deps.Program, folder, origin); err != nil {
		return err
	}
	s.parts.services = nil
	if err := s.parts.start(ctx); err != nil {
		return err
	}
	if err := s.reach(); err != nil {
		return err
	}
	if err := s.awaitNATS(ctx); err != nil {
		return err
	}
	if user != "" {
		return s.tellOf(ctx, tenant, user, out)
	}
	return s.judgeAgain(ctx, tenant, out)
}

// awaitNATS waits until NATS has read its streams.
func (s *stage) awaitNATS(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patienceAtFirst)
	defer cancel()
	for {
		_, err := s.bus.StreamInfo(ctx, bus.Licenses)
		if err == nil {
			return nil
		}
		if !pause(ctx, lookAgain) {
			return fmt.Errorf("NATS is not up within %s: %w", patienceAtFirst, err)
		}
	}
}

func (s *stage) judgeAgain(ctx context.Context, only string, out io.Writer) error {
	known, err := s.control.Tenants(ctx)
	if err != nil {
		return err
	}
	for _, c := range companies(s.cfg) {
		is := func(t control.Tenant) bool { return t.ID == c.id }
		if !slices.ContainsFunc(known, is) || only != "" && only != c.id {
			continue
		}
		history, err := verify.ReadTimeline(ctx, s.control, c.id)
		if err != nil {
			return err
		}
		record, err := verify.ReadRecord(ctx, s.bus, c.id)
		if err != nil {
			return err
		}
		report := verify.Revocations(verify.Config{Product: product().ID, Address: c.group()}, history, record)
		if _, err := fmt.Fprintln(out, report); err != nil {
			return err
		}
	}
	return nil
}

// said is one thing that was so, was read or was told.
type said struct {
	at          time.Time
	where, what string
}

// tellOf tells all there is of a user, by time.
func (s *stage) tellOf(ctx context.Context, tenant, user string, out io.Writer) error {
	all, err := s.happened(ctx, tenant, user)
	if err != nil {
		return err
	}
	for _, spec := range []bus.ReadSpec{
		{Stream: bus.LedgerIn, Filters: []string{"directory.*." + tenant + ".>"}},
		{Stream: bus.Licenses, Filters: []string{"license." + tenant + ".>"}},
	} {
		err := s.bus.Read(ctx, spec, func(m bus.Message) error {
			if m.Fault != nil {
				return nil
			}
			of, err := about(m.Event, user)
			if of != "" {
				all = append(all, said{m.Event.Time(), spec.Stream, m.Event.ID() + " " + of})
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	slices.SortStableFunc(all, func(a, b said) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	for _, one := range all {
		if _, err := fmt.Fprintf(out, "%s  %-9s  %s\n", one.at.Format("15:04:05.000"), one.where, one.what); err != nil {
			return err
		}
	}
	return nil
}

// happened is what the directory went through as to a user, to groups, and to groups in groups.
func (s *stage) happened(ctx context.Context, tenant, user string) (all []said, err error) {
	for after := uint64(0); ; {
		entries, err := s.control.Changes(ctx, tenant, after)
		if err != nil || len(entries) == 0 {
			return all, err
		}
		for _, e := range entries {
			after = e.Version
			what := fmt.Sprintf("%s %s", e.Kind, e.ID)
			switch {
			case e.Member != nil && (e.Member.ID == user || e.Member.Kind == directory.GroupMember):
				what += " by " + e.Member.ID
			case e.Kind == control.UserEntry && e.ID == user && e.User != nil:
				what += " " + string(e.User.Status)
			case e.Kind == control.GroupEntry && e.Group != nil:
				what += " " + e.Group.Address
			case e.Kind == control.GroupEntry, e.ID == user:
				what += " gone"
			default:
				continue
			}
			all = append(all, said{e.At, "directory", what})
		}
	}
}

// about is what an event says of a user, of groups, or of a group in a group; "" for nothing.
func about(ev event.Event, user string) (string, error) {
	switch ev.Type() {
	case event.TypeDirectoryObserved:
		data, err := event.Data[event.DirectoryObserved](ev)
		if err != nil {
			return "", err
		}
		var all []string
		for _, o := range data.Observations {
			m := o.Membership
			if o.User != nil && o.User.ID == user || m != nil && (m.MemberID == user || m.MemberKind == string(directory.GroupMember)) {
				body, err := json.Marshal(o)
				if err != nil {
					return "", err
				}
				all = append(all, string(body))
			}
		}
		return strings.Join(all, " "), nil
	case event.TypeSnapshotEnded, event.TypePolicyChanged, event.TypeHeldOpened, event.TypeHeldClosed:
		return ev.Type() + " " + string(ev.Data()), nil
	default:
		if ev.Subject() == user && user != "" {
			return ev.Type() + " " + string(ev.Data()), nil
		}
		return "", nil
	}
}
