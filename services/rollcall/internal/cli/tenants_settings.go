package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

// holdFlags are what is set of what is held.
type holdFlags struct {
	flips        string
	share, least int
	expiry       time.Duration
	never        bool
}

func (a *app) tenantsSettingsCommand() *cobra.Command {
	var g given
	var h holdFlags
	var from string
	cmd := overAPI(&cobra.Command{
		Use:   "settings TENANT",
		Short: "Show or set which changes of a tenant are held",
		Long: `Show or set which changes of a tenant are held until somebody approves them. What is not named stays as it is; without any
of the --hold flags the settings are shown.

A flip is a change of a product's provisioning group. Revocations are a bulk when, with those of the last hour, they pass the
share of the product's licenses and are at least so many. A held change that nobody decides about counts as rejected when its
time is over.`,
		Example: `  rollcall tenants settings contoso
  rollcall tenants settings contoso --hold-flips apply --hold-share 10 --hold-least 20
  rollcall tenants settings contoso --hold-expiry 72h
  rollcall tenants settings contoso --never-hold`,
		Args: cobra.ExactArgs(1),
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			asked, err := h.asked(cmd)
			if err != nil {
				return err
			}
			if asked == nil {
				return a.showSettings(cmd.Context(), from, args[0])
			}
			return a.settle(cmd.Context(), g, args[0], "obeys these settings from now on", event.SettingsRequested{Hold: asked, By: g.by})
		}),
	})
	f := cmd.Flags()
	f.StringVar(&h.flips, "hold-flips", "", "what becomes of a flip: hold or apply")
	f.IntVar(&h.share, "hold-share", 0, "hold revocations that pass so many percent of the licenses; 0 holds none")
	f.IntVar(&h.least, "hold-least", 0, "the fewest revocations that are held")
	f.DurationVar(&h.expiry, "hold-expiry", 0, "after how long a held change counts as rejected, e.g. 72h")
	f.BoolVar(&h.never, "never-hold", false, "hold nothing: short for --hold-flips apply --hold-share 0")
	ledgerFlag(cmd, &from)
	g.flags(a, cmd)
	return cmd
}

// asked is what the flags ask for; nil where they ask for nothing.
func (h *holdFlags) asked(cmd *cobra.Command) (*event.HoldRequest, error) {
	changed := cmd.Flags().Changed
	if h.never {
		if changed("hold-flips") || changed("hold-share") {
			return nil, usage("--never-hold sets --hold-flips and --hold-share: name it or them")
		}
		h.flips, h.share = event.FlipsApply, 0
	}
	r := &event.HoldRequest{Flips: h.flips}
	if changed("hold-share") || h.never {
		r.Share = &h.share
	}
	if changed("hold-least") {
		r.Least = &h.least
	}
	if changed("hold-expiry") {
		seconds := int(h.expiry / time.Second)
		r.ExpirySeconds = &seconds
	}
	switch {
	case changed("hold-flips") && r.Flips != event.FlipsHold && r.Flips != event.FlipsApply:
		return nil, usage("--hold-flips %q: want hold or apply", r.Flips)
	case h.share < 0 || h.share > 100:
		return nil, usage("--hold-share %d: want 0 to 100 percent", h.share)
	case r.Least != nil && h.least < 1:
		return nil, usage("--hold-least %d: want 1 or more", h.least)
	case r.ExpirySeconds != nil && h.expiry < time.Minute:
		return nil, usage("--hold-expiry %s: want a minute or more", h.expiry)
	case *r == (event.HoldRequest{}):
		return nil, nil //nolint:nilnil // nothing is asked for
	}
	return r, nil
}

// settingsShown are a tenant's settings as they stand.
type settingsShown struct {
	Tenant   string             `json:"tenant"`
	Hold     event.HoldSettings `json:"hold"`
	Standing *answer.Standing   `json:"standing"`
}

func (a *app) showSettings(ctx context.Context, from, id string) error {
	return a.asking(ctx, from, func(r source) error {
		shown, err := r.Settings(ctx, id)
		if err != nil {
			return err
		}
		return output.One(a.printer, shown, describeSettings)
	})
}

func describeSettings(s settingsShown) string {
	var b strings.Builder
	line := func(name, value string) { writeLine(&b, name, value) }
	line("tenant", s.Tenant)
	line("flips", map[string]string{event.FlipsHold: "are held", event.FlipsApply: "take effect once they have settled"}[s.Hold.Flips])
	if s.Hold.Share == 0 {
		line("revocations", "are never held")
	} else {
		line("revocations", fmt.Sprintf("are held over %d %% of the licenses and from %d within an hour", s.Hold.Share, s.Hold.Least))
	}
	line("expiry", (time.Duration(s.Hold.ExpirySeconds) * time.Second).String())
	return b.String() + standingNotices(s.Standing, s.Tenant)
}
