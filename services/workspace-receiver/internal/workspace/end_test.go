package workspace

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func TestCredentialEnd(t *testing.T) {
	t.Parallel()
	told := time.Date(2026, 12, 24, 9, 0, 0, 0, time.UTC)
	for kind, want := range map[tenant.CredentialKind]time.Time{tenant.GoogleKeyFile: told, tenant.GoogleImpersonation: {}} {
		got, err := (&Provider{}).CredentialEnd(tenant.Tenant{ID: "initech", Credential: tenant.Credential{Kind: kind, Expires: told}})
		if err != nil || !got.At.Equal(want) || strings.Contains(got.Action, "credential initech --expires") == want.IsZero() {
			t.Errorf("%s: %+v, %v", kind, got, err)
		}
	}
}
