package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

// previewLines is how much of a list is shown before somebody is asked. "held show" has all of it.
const previewLines = 200

// decide shows what the preview of a refresh has put on lists, and approves what somebody says yes to.
func (r *refresh) decide(ctx context.Context, o orders, holds []event.RefreshHold) (approved []string, err error) {
	for _, h := range holds {
		if err := r.show(ctx, h); err != nil {
			return approved, err
		}
		question := fmt.Sprintf("Apply this to %s of %s?", h.Product, r.tenant)
		if !r.yes && (!r.app.asks() || !r.app.confirm(question)) {
			continue
		}
		which := whichHeld{tenant: r.tenant, product: h.Product, held: h.Held, ledger: r.ledger}
		answer := given{by: r.given.by, timeout: r.given.timeout} // a key of its own: it is another command
		_, err := r.app.decideOne(ctx, o, answer, &which, event.ApproveRequested{
			Product: h.Product, Held: h.Held, Revision: h.Revision, By: r.given.by,
		}, event.HeldApproved)
		if err != nil {
			return approved, fmt.Errorf("approve %s of %s: %w", h.Held, h.Product, err)
		}
		approved = append(approved, h.Held)
	}
	return approved, nil
}

// show tells a person what is on a list, beside the result: by names where the ledger is at hand.
func (r *refresh) show(ctx context.Context, h event.RefreshHold) error {
	told := output.Printer{Out: r.app.stderr, Format: output.Table}
	if err := told.Text(fmt.Sprintf("%s: %d would be granted a license, %d would lose it (%s, revision %d)\n",
		h.Product, h.Grants, h.Revocations, h.Held, h.Revision)); err != nil {
		return err
	}
	err := r.app.asking(ctx, r.ledger, func(reader source) error {
		change, err := reader.HeldChange(ctx, r.tenant, h.Product, h.Held)
		if err != nil {
			return err
		}
		rows := output.NewRows(told, heldLineFields)
		n, err := reader.EachHeldLine(ctx, change, previewLines, func(l ledger.HeldLine) error { return rows.Write(heldLineOf(l)) })
		if err = errors.Join(err, rows.Close()); err == nil && n < h.Grants+h.Revocations {
			err = told.Text(fmt.Sprintf("and %d more: \"rollcall held show %s --tenant %s --product %s\"\n", h.Grants+h.Revocations-n, h.Held, r.tenant, h.Product))
		}
		return err
	})
	if errors.Is(err, ledger.ErrNoLedger) {
		return told.Text("their names are in the ledger, which is not at hand\n")
	}
	return err
}

// previewText says what has become of a preview.
func previewText(v refreshed) string {
	text := fmt.Sprintf("%s is read: users %d, groups %d; ", v.Tenant, v.Users, v.Groups)
	if len(v.Holds) == 0 {
		return text + "nothing would change\n"
	}
	text += "nothing is granted or revoked yet\n"
	for _, h := range v.Holds {
		if slices.Contains(v.Approved, h.Held) {
			text += fmt.Sprintf("%s of %s is approved, and being carried out\n", h.Held, h.Product)
			continue
		}
		text += fmt.Sprintf("%s of %s waits: \"rollcall held approve %s --tenant %s --product %s --revision %d\", or \"held reject\"\n",
			h.Held, h.Product, h.Held, v.Tenant, h.Product, h.Revision)
	}
	return text
}
