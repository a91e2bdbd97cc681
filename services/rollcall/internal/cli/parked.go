package cli

import (
	"fmt"

	"github.com/rollcall-hq/rollcall/services/internal/answer"
)

// parkedNotices name the held changes that concern the user.
func parkedNotices(p *answer.Parked, tenant string) (text string) {
	if p == nil {
		return ""
	}
	for _, h := range p.Held {
		word := "lose the license"
		if h.Would {
			word = "get a license"
		}
		text += fmt.Sprintf("With %s the user would %s (%s): \"rollcall held show %s --tenant %s\".\n", h.Held, word, h.Reason, h.Held, tenant)
	}
	return text
}
