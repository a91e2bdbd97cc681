package apply_test

import (
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// A group of which only some members could be read does not take the licenses of the others.
func TestGroupThatIsHalfReadNeverCounts(t *testing.T) { onEach(t, groupThatIsHalfReadNeverCounts) }

func groupThatIsHalfReadNeverCounts(t on) {
	h := connected(t)
	h.page("contoso", 2, group("g", address), member("g", "ann", true))
	h.clock.Advance(settle)
	h.apply("contoso", event.TypeRoundEnded, event.RoundEnded{Began: h.clock.Now(), Unread: []string{"g"}})
	h.tick()
	h.expect("it goes on waiting", "read users=[] groups=[] members=0")
	h.page("contoso", 3, member("g", "ann", true), member("g", "bob", true))
	h.clock.Advance(settle)
	h.roundEnded("contoso")
	h.tick()
	h.expect("for the others", "policy group-members g",
		"reason ann group-member", "reason bob group-member", "revoked cid not-a-member")
}
