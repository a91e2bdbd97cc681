package cli

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

func (a *app) heldCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "held",
		Short: "See the bulk changes that wait for somebody, and approve or reject them",
		Long: `See the bulk changes that wait for somebody, and approve or reject them. What is held, and how to set it, is in
docs/operations.md.`,
	}, a.heldListCommand(), a.heldShowCommand(), a.heldApproveCommand(), a.heldRejectCommand())
}

func (a *app) heldListCommand() *cobra.Command {
	var tenant, from string
	var all bool
	cmd := overAPI(list(&cobra.Command{
		Use:   "list",
		Short: "List the held changes that wait, or are being carried out",
		Example: `  rollcall held list
  rollcall held list --tenant contoso --all
  rollcall held list -o jsonl | jq 'select(.state == "open")'`,
		Args: cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			return a.asking(cmd.Context(), from, func(r source) error {
				held, err := r.HeldChanges(cmd.Context(), tenant, all)
				if err != nil {
					return err
				}
				return printAll(a, heldFields, heldItems(held))
			})
		}),
	}))
	cmd.Flags().StringVar(&tenant, "tenant", "", "only of this tenant")
	cmd.Flags().BoolVar(&all, "all", false, "those that have ended, too")
	ledgerFlag(cmd, &from)
	return cmd
}

// heldItem is a held change as it is printed.
type heldItem struct {
	Tenant      string `json:"tenant"`
	Product     string `json:"product"`
	Held        string `json:"held,omitempty"` // its id; none while its first list is being made
	Kind        string `json:"kind"`
	State       string `json:"state"`
	Revision    int    `json:"revision"`
	Grants      int    `json:"grants"`
	Revocations int    `json:"revocations"`
	Licensed    int    `json:"licensed"` // users, now
	Purchased   *int   `json:"purchased,omitempty"`
	// What a flip would put in force and, while it waits, what is.
	Mode              string    `json:"mode,omitempty"`
	Group             string    `json:"group,omitempty"`
	GroupName         string    `json:"group_name,omitempty"`
	PreviousMode      string    `json:"previous_mode,omitempty"`
	PreviousGroup     string    `json:"previous_group,omitempty"`
	PreviousGroupName string    `json:"previous_group_name,omitempty"`
	Opened            time.Time `json:"opened,omitzero"`
	Expires           time.Time `json:"expires,omitzero"`
	Closed            time.Time `json:"closed,omitzero"`
	By                string    `json:"by,omitempty"` // who approved or rejected it
	Applied           int       `json:"applied"`      // users decided since it was approved
	ToApply           int       `json:"to_apply"`     // of so many
	Cause             string    `json:"cause,omitempty"`
}

func heldItemOf(h ledger.HeldChange) heldItem {
	item := heldItem{
		Tenant: h.Tenant, Product: h.ProductID, Held: h.Ref, Kind: string(h.Kind), State: string(h.State), Revision: h.Revision,
		Grants: h.Grants, Revocations: h.Revocations, Licensed: h.Licensed, Purchased: purchasedOf(h.Seats),
		Mode: h.Mode, Group: h.Group, GroupName: h.GroupName, Opened: h.OpenedAt, Expires: h.ExpiresAt, Closed: h.ClosedAt, By: h.ClosedBy,
		Applied: h.Applied, ToApply: h.All, Cause: h.Cause,
	}
	if h.State == ledger.HeldListing {
		item.Held = ""
	}
	if waits := h.State == ledger.HeldListing || h.State == ledger.HeldOpen; waits && h.Kind == ledger.HeldFlip {
		item.PreviousMode, item.PreviousGroup, item.PreviousGroupName = string(h.InForce.Mode), h.InForce.Group, h.InForceName
	}
	return item
}

func heldItems(all []ledger.HeldChange) []heldItem {
	items := make([]heldItem, len(all))
	for i, h := range all {
		items[i] = heldItemOf(h)
	}
	return items
}

// would says in a few words what a held change comes to.
func (h heldItem) would() string {
	if h.Kind == string(ledger.HeldFlip) {
		return policyText(h.Mode, h.Group, h.GroupName)
	}
	return fmt.Sprintf("%d granted, %d revoked", h.Grants, h.Revocations)
}

// policyText says what is or would be in force.
func policyText(mode, group, name string) string {
	switch {
	case group == "":
		return mode
	case name == "":
		return mode + " of " + group
	default:
		return mode + " of " + name + " (" + group + ")"
	}
}

func (h heldItem) how() string {
	if h.State != string(ledger.HeldApproved) || h.ToApply == 0 {
		return h.State
	}
	return fmt.Sprintf("%s, %d %% done", h.State, min(100, 100*h.Applied/h.ToApply))
}

var heldFields = []output.Field[heldItem]{
	same("tenant", 12, func(h heldItem) string { return h.Tenant }),
	same("product", 12, func(h heldItem) string { return h.Product }),
	{
		Name: "held", Width: 16,
		Cell:  func(h heldItem) string { return defaultTo(h.Held, "("+h.Kind+")") },
		Value: func(h heldItem) string { return h.Held },
	},
	{Name: "kind", Value: func(h heldItem) string { return h.Kind }},
	{Name: "state", Width: 9, Cell: heldItem.how, Value: func(h heldItem) string { return h.State }},
	same("revision", 8, func(h heldItem) string { return strconv.Itoa(h.Revision) }),
	same("grants", 6, func(h heldItem) string { return strconv.Itoa(h.Grants) }),
	same("revocations", 11, func(h heldItem) string { return strconv.Itoa(h.Revocations) }),
	{
		Name: "expires", Width: 19,
		Cell:  func(h heldItem) string { return localOr(h.Expires, "-") },
		Value: func(h heldItem) string { return stamped(h.Expires) },
	},
	{Name: "would_be", Cell: heldItem.would},
	{Name: "mode", Value: func(h heldItem) string { return h.Mode }},
	{Name: "group", Value: func(h heldItem) string { return h.Group }},
	{Name: "group_name", Value: func(h heldItem) string { return h.GroupName }},
	{Name: "opened", Value: func(h heldItem) string { return stamped(h.Opened) }},
	{Name: "closed", Value: func(h heldItem) string { return stamped(h.Closed) }},
	{Name: "by", Value: func(h heldItem) string { return h.By }},
	{Name: "applied", Value: func(h heldItem) string { return strconv.Itoa(h.Applied) }},
	{Name: "to_apply", Value: func(h heldItem) string { return strconv.Itoa(h.ToApply) }},
}
