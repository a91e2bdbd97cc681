package pages

import "github.com/rollcall-hq/rollcall/pkg/licensing"

// reasonWord is a reason in plain words, where there is no room for the sentence about one user.
func reasonWord(reason string) string {
	words, known := map[licensing.Reason]string{
		licensing.DomainDefault: "every active user is licensed",
		licensing.GroupMember:   "a member of the provisioning group",
		licensing.NotAMember:    "not a member of the provisioning group",
		licensing.Suspended:     "suspended in the directory",
		licensing.Deleted:       "deleted from the directory",
		licensing.Guest:         "a guest, not one of the directory's own users",
		licensing.OverSeatLimit: "no seat was free",
		licensing.Disconnected:  "the tenant was disconnected",
		licensing.Held:          "a revocation is parked or was rejected",
		"":                      "never licensed",
	}[licensing.Reason(reason)]
	if !known {
		return reason
	}
	return words
}
