package timelapse

import (
	"context"

	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	torture "github.com/rollcall-hq/rollcall/services/rollcall/internal/torture/verify"
)

// justified sees that every license that was taken away in a test was taken for something that was so in the directory
// since what had caused it, whatever has become of it by the end.
func (c *customer) justified() {
	ctx := context.Background() // that of the test is over
	timeline, err := torture.ReadTimeline(ctx, c.control, c.id)
	if err != nil {
		c.tb.Error(err)
		return
	}
	record, err := torture.ReadRecord(ctx, c.bus, c.id)
	if err != nil {
		c.tb.Error(err)
		return
	}
	report := torture.Revocations(torture.Config{Product: tenant.SecureShare().ID, Address: c.address()}, timeline, record)
	if !report.OK() {
		c.tb.Errorf("not all that was revoked is justified:\n%s", report)
	}
}
