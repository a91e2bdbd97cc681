package event_test

import (
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

func TestValidActor(t *testing.T) {
	t.Parallel()
	for actor, want := range map[string]bool{
		"cli": true, "87d349ed-44d7-43e1-9a83-5f2406dee5bd": true, "oidc:118263849584.7_a": true, strings.Repeat("a", 64): true,
		"": false, strings.Repeat("a", 65): false, "admin@contoso.com": false, "the operator": false, "cli\n": false, "é": false,
	} {
		if got := event.ValidActor(actor); got != want {
			t.Errorf("%q: %v", actor, got)
		}
	}
}
