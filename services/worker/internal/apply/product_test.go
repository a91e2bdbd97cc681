package apply_test

import (
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// A product that a connected tenant gets later does not wait for the next complete read: the mirror is there.
func TestProductAddedLaterStarts(t *testing.T) {
	t.Parallel()
	h := connected(t)
	h.page("contoso", 2, group("g", "mail-gate-users@contoso.com"), member("g", "ann", true))
	h.tenants["contoso"], _ = twoProducts()
	h.apply("contoso", event.TypeRoundEnded, event.RoundEnded{Began: h.clock.Now().Add(-time.Second)})
	h.tick()
	h.expect("its group is there: a later round is asked for, which shows the members", "read users=[] groups=[] members=0")
	h.clock.Advance(time.Second)
	h.roundEnded("contoso")
	h.tick()
	h.expect("and then it starts", "policy group-members g", "granted ann group-member")
}

func TestProductAddedLaterStartsWithoutAGroup(t *testing.T) {
	t.Parallel()
	h := connected(t)
	h.tenants["contoso"], _ = twoProducts()
	h.roundEnded("contoso")
	h.tick()
	h.expect("for all users", "policy all-users",
		"granted ann domain-default", "granted bob domain-default", "granted cid domain-default")
}

// The first message after a product's group was renamed in the registry is seldom one about groups.
func TestAnotherAddressIsNoticedByAnyMessage(t *testing.T) {
	t.Parallel()
	h := connected(t)
	h.page("contoso", 2, group("g", "sharers@contoso.com"))
	renamed := contoso()
	renamed.Products[0].Group = "sharers"
	h.tenants["contoso"] = renamed
	h.roundEnded("contoso")
	h.page("contoso", 3, group("g", "sharers@contoso.com"), member("g", "ann", true))
	h.clock.Advance(settle)
	h.tick()
	h.expect("the group at the new address settles", "read users=[] groups=[] members=0")
	h.roundEnded("contoso")
	h.tick()
	h.expect("and is held: whoever named another address may not know who has it",
		"opened flip#1 r1 +0 -2 of 3 group-members g", "listed flip#1 r1 bob:-not-a-member cid:-not-a-member")
	h.approve("flip#1", 1)
	h.tick()
	h.expect("until somebody has seen whom it concerns", "closed flip#1 r1 approved +0 -2 user:ops", "policy group-members g",
		"done flip#1 r1", "revoked bob not-a-member", "reason ann group-member", "revoked cid not-a-member")
}

// What happens while a tenant has a product no more is made good when it has it again.
func TestProductThatComesBackIsDecidedAnew(t *testing.T) {
	t.Parallel()
	h := connected(t)
	without := contoso()
	without.Products = []tenant.Product{}
	h.tenants["contoso"] = without
	h.page("contoso", 2, personAs("bob", directory.Deleted), person("dan"))
	h.expect("nobody is told of a product that the tenant does not have")
	h.tenants["contoso"] = contoso()
	h.roundEnded("contoso")
	h.tick()
	h.expect("it starts again", "policy all-users", "granted dan domain-default", "revoked bob deleted")
}

// A change that waits for a tenant whom nobody reads any more asks ever more seldom.
func TestRoundsThatNeverComeAreAskedForEverMoreSeldom(t *testing.T) {
	t.Parallel()
	h := connected(t)
	h.page("contoso", 2, group("g", address), member("g", "ann", true))
	h.clock.Advance(settle)
	for range 24 * 60 {
		h.tick()
		h.clock.Advance(time.Minute)
	}
	if asked := len(h.told()); asked < 2 || asked > 20 {
		t.Errorf("asked %d times in a day", asked)
	}
}
