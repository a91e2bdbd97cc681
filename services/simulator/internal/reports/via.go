package reports

import (
	"strings"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// Further ways in which a change is made, beside the store's. They are words that the control API takes as well.
const (
	ViaDynamic  store.Via = "dynamic"         // a dynamic group's query was evaluated again
	ViaExpiry   store.Via = "expiry"          // a membership has reached its end, of which no event is documented
	ViaHijacked store.Via = "google-hijacked" // a suspension by Google, for one of the reasons that it tells

	// What members and owners do in the Groups UI.
	ViaJoin    store.Via = "groups-ui-join"    // by the member
	ViaAccept  store.Via = "groups-ui-accept"  // an invitation, by the member
	ViaLeave   store.Via = "groups-ui-leave"   // by the member
	ViaApprove store.Via = "groups-ui-approve" // a request to join, by an owner
	ViaBan     store.Via = "groups-ui-ban"     // by an owner
)

// base is the way without what was done in particular.
func base(v store.Via) store.Via {
	for _, how := range []store.Via{store.ViaGroupsUI, store.ViaGoogle} {
		if strings.HasPrefix(string(v), string(how)+"-") {
			return how
		}
	}
	return v
}

// self reports whether the member is the actor.
func self(v store.Via) bool { return v == ViaJoin || v == ViaAccept || v == ViaLeave }
